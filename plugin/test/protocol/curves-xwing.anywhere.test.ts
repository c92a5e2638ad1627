import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Bytes, Kem } from 'twilio-chat-encryption/protocol';
import { nobleCurves } from '../../src/protocol/curves-noble.ts';
import {
  nobleMlKem,
  passesKemProbe,
  webCryptoMlKem,
  xwingOn,
} from '../../src/protocol/curves-xwing.ts';
import { webCryptoCurves } from '../../src/protocol/curves.ts';
import { checkXWingPublicKey } from '../../src/protocol/kem.ts';
import { xwing } from '../../src/protocol/xwing.ts';
import { codeOf } from '../outcomes.ts';
import { random } from './people.ts';

const IN_BROWSER = 'window' in globalThis;
const native = await passesKemProbe(webCryptoMlKem);
const onNoble = await xwingOn(await nobleMlKem(), nobleCurves);
/** WebCrypto has no ML-KEM in every environment; Node must have it, see below. */
const BACK_ENDS = native ? [onNoble, await xwingOn(webCryptoMlKem, webCryptoCurves)] : [onNoble];

const own = (bytes: Uint8Array): Bytes => new Uint8Array(bytes);
const recipient = await onNoble.importKey(random(32));

/** The recipient's public key with something else at `offset`. */
function withBytes(offset: number, bytes: Uint8Array): Bytes {
  const changed = recipient.publicKey.slice();
  changed.set(bytes, offset);
  return changed;
}

async function codeOfCheck(publicKey: Bytes): Promise<string> {
  return codeOf(
    Promise.resolve().then(() => {
      checkXWingPublicKey(publicKey);
    }),
  );
}

/** Refused by the check of cards, and by encapsulation on each back end. */
async function expectRefused(publicKey: Bytes): Promise<void> {
  expect(await codeOfCheck(publicKey)).toBe('INVALID_KEY');
  for (const kem of BACK_ENDS) {
    expect(await codeOf(kem.encapsulate(publicKey, random))).toBe('INVALID_KEY');
  }
}

describe.each(BACK_ENDS)('X-Wing on $name', (kem: Kem) => {
  test('gives both sides the same secret, another one each time', async () => {
    const key = await kem.importKey(random(32));
    expect(key.publicKey).toHaveLength(1216);
    const [one, two] = [
      await kem.encapsulate(key.publicKey, random),
      await kem.encapsulate(key.publicKey, random),
    ];
    expect(one.ciphertext).toHaveLength(1120);
    expect(one.sharedSecret).toHaveLength(32);
    expect(await key.decapsulate(one.ciphertext)).toEqual(one.sharedSecret);
    expect(one.sharedSecret).not.toEqual(two.sharedSecret);
    expect(one.ciphertext.slice(0, 32)).not.toEqual(two.ciphertext.slice(0, 32));
    expect(one.ciphertext.slice(-32)).not.toEqual(two.ciphertext.slice(-32));
  });

  test('gives nobody else the secret, and no error either', async () => {
    const { ciphertext, sharedSecret } = await kem.encapsulate(recipient.publicKey, random);
    const other = await kem.importKey(random(32));
    expect(await other.decapsulate(ciphertext)).not.toEqual(sharedSecret);
  });

  test('gives another secret when any bit of the ciphertext is changed', async () => {
    const key = await kem.importKey(random(32));
    const { ciphertext, sharedSecret } = await kem.encapsulate(key.publicKey, random);
    // The last bit is that of the X25519 half which makes it not canonical.
    const bit = fc.nat(8 * 1120 - 2);
    await fc.assert(
      fc.asyncProperty(bit, async (at) => {
        const changed = ciphertext.slice();
        changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7));
        const secret = await key.decapsulate(changed);
        expect(secret).toHaveLength(32);
        expect(secret).not.toEqual(sharedSecret);
        // The rejection is a function of the key and the ciphertext, not a sign.
        expect(await key.decapsulate(changed)).toEqual(secret);
      }),
      { numRuns: 40, examples: [[0], [8 * 1088 - 1], [8 * 1088], [8 * 1120 - 2]] },
    );
  });

  test.each([0, 31, 33, 64])('refuses seeds of %i bytes', async (length) => {
    expect(await codeOf(kem.importKey(random(length)))).toBe('INVALID_KEY');
  });

  test.each([0, 32, 1088, 1119, 1121])('refuses ciphertexts of %i bytes', async (length) => {
    const key = await kem.importKey(random(32));
    const { ciphertext } = await kem.encapsulate(key.publicKey, random);
    const wrong = own(concatBytes(ciphertext, Uint8Array.of(1))).slice(0, length);
    expect(await codeOf(key.decapsulate(wrong))).toBe('INVALID_KEY');
  });

  test('refuses ciphertexts whose X25519 half is of low order or not canonical', async () => {
    const key = await kem.importKey(random(32));
    const { ciphertext } = await kem.encapsulate(key.publicKey, random);
    const high = ciphertext.slice(-32);
    high[31] = (high[31] ?? 0) | 0x80;
    for (const half of [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31)), high]) {
      const changed = own(concatBytes(ciphertext.slice(0, 1088), half));
      expect(await codeOf(key.decapsulate(changed))).toBe('INVALID_KEY');
    }
  });

  test('keeps its own copy of a seed, so that the caller can erase his', async () => {
    const seed = random(32);
    const importing = kem.importKey(seed);
    const copy = seed.slice();
    seed.fill(0);
    const { publicKey } = await kem.importKey(copy);
    expect((await importing).publicKey).toEqual(publicKey);
  });
});

describe.each([...(native ? [webCryptoMlKem] : []), await nobleMlKem()])(
  'ML-KEM-768 on $name',
  (kem: Kem) => {
    test('passes the probe', async () => {
      expect(await passesKemProbe(kem)).toBe(true);
    });

    test('refuses other lengths', async () => {
      const key = await kem.importKey(random(64));
      for (const length of [0, 32, 63, 65]) {
        expect(await codeOf(kem.importKey(random(length)))).toBe('INVALID_KEY');
      }
      for (const length of [0, 1087, 1089]) {
        expect(await codeOf(key.decapsulate(random(length)))).toBe('INVALID_KEY');
      }
      for (const length of [0, 1183]) {
        const short = key.publicKey.slice(0, length);
        expect(await codeOf(kem.encapsulate(short, random))).toBe('INVALID_KEY');
      }
      const long = own(concatBytes(key.publicKey, Uint8Array.of(0)));
      expect(await codeOf(kem.encapsulate(long, random))).toBe('INVALID_KEY');
    });
  },
);

test.runIf(native)('both back ends have the same keys, and open what the other seals', async () => {
  for (let round = 0; round < 10; round += 1) {
    const seed = random(32);
    const keys = await Promise.all(BACK_ENDS.map((kem) => kem.importKey(seed)));
    expect(keys[0]?.publicKey).toEqual(keys[1]?.publicKey);
    for (const kem of BACK_ENDS) {
      const sealed = await kem.encapsulate(keys[0]?.publicKey ?? seed, random);
      const changed = sealed.ciphertext.map((byte, at) => (at === 5 ? byte ^ 1 : byte));
      const opened = await Promise.all(keys.map((key) => key.decapsulate(sealed.ciphertext)));
      const rejected = await Promise.all(keys.map((key) => key.decapsulate(changed)));
      expect(opened).toEqual([sealed.sharedSecret, sealed.sharedSecret]);
      expect(rejected[0]).toEqual(rejected[1]);
    }
  }
});

test('X-Wing of small numbers', async () => {
  const counting = (from: number): ((length: number) => Bytes) => {
    let next = from;
    return (length) => Uint8Array.from({ length }, () => next++);
  };
  const seed = counting(0)(32);
  const sealed = await onNoble.encapsulate((await onNoble.importKey(seed)).publicKey, counting(32));
  expect(bytesToHex(sha256(sealed.ciphertext))).toBe(
    '67eb40cd5d72deddbbfb5a6ff826a776b53e4406d46caea66412ebe1bbf6c5fb',
  );
  for (const kem of BACK_ENDS) {
    const key = await kem.importKey(seed);
    expect(bytesToHex(sha256(key.publicKey))).toBe(
      'c9a3565ffde4f72b51661be391ee13e46378d7f06dd5c8bf5af9d2cfb5b8336b',
    );
    expect(bytesToHex(await key.decapsulate(sealed.ciphertext))).toBe(
      '9ef8c4373f751b482022f88f3e8cceeb4815a3c1afbc784324ac9eeb50932023',
    );
  }
});

describe('a public key', () => {
  test('is one that encapsulation accepts', async () => {
    checkXWingPublicKey(recipient.publicKey);
    for (const kem of BACK_ENDS) {
      const { ciphertext, sharedSecret } = await kem.encapsulate(recipient.publicKey, random);
      expect(await recipient.decapsulate(ciphertext)).toEqual(sharedSecret);
    }
  });

  test.each([0, 32, 1184, 1215, 1217, 2432])('does not have %i bytes', async (length) => {
    const twice = own(concatBytes(recipient.publicKey, recipient.publicKey));
    await expectRefused(twice.slice(0, length));
  });

  test('has no coefficient from 3329 on (FIPS 203 §7.2), at any place', async () => {
    // Two coefficients of 12 bits in three bytes, the lower bits first: 3328 is 0xd00, 3329 0xd01.
    for (const at of [0, 3, 576, 1149]) {
      await expectRefused(withBytes(at, Uint8Array.of(0x01, 0x0d, 0x00)));
      await expectRefused(withBytes(at, Uint8Array.of(0x00, 0x10, 0xd0)));
      await expectRefused(withBytes(at, Uint8Array.of(0xff, 0xff, 0xff)));
      const largest = withBytes(at, Uint8Array.of(0x00, 0x0d, 0xd0));
      checkXWingPublicKey(largest);
      for (const kem of BACK_ENDS) {
        await expect(kem.encapsulate(largest, random)).resolves.toBeDefined();
      }
    }
    // The 32 bytes behind the coefficients are a seed: any.
    checkXWingPublicKey(withBytes(1152, new Uint8Array(32).fill(0xff)));
  });

  test('has no X25519 half of low order, or not canonical', async () => {
    const p = Uint8Array.of(0xed, ...new Uint8Array(30).fill(0xff), 0x7f);
    const orderEight = 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800';
    const high = recipient.publicKey.slice(1184);
    high[31] = (high[31] ?? 0) | 0x80;
    for (const half of [
      new Uint8Array(32),
      Uint8Array.of(1, ...new Uint8Array(31)),
      Uint8Array.from(orderEight.match(/../gu) ?? [], (pair) => parseInt(pair, 16)),
      p,
      p.map((byte, at) => (at === 0 ? byte + 9 : byte)),
      high,
    ]) {
      await expectRefused(withBytes(1184, half));
    }
  });
});

describe('the probe refuses a back end that', async () => {
  const good = await nobleMlKem();

  test('is missing', async () => {
    const importKey = (): Promise<never> => Promise.reject(new DOMException('', 'NotSupported'));
    expect(await passesKemProbe({ ...good, importKey })).toBe(false);
  });

  test('rejects by an error, or by a constant', async () => {
    for (const rejection of [
      () => Promise.reject(new Error('No.')),
      () => Promise.resolve(own(Uint8Array.of(1))),
    ]) {
      const lax: Kem = {
        ...good,
        async importKey(seed) {
          const key = await good.importKey(seed);
          return {
            ...key,
            decapsulate: (ciphertext) =>
              ciphertext.some(Boolean) ? key.decapsulate(ciphertext) : rejection(),
          };
        },
      };
      expect(await passesKemProbe(lax)).toBe(false);
    }
  });

  test('makes other keys of a seed, as Kyber does', async () => {
    const importKey: Kem['importKey'] = (seed) => good.importKey(own(seed.toReversed().fill(1)));
    expect(await passesKemProbe({ ...good, importKey })).toBe(false);
  });

  test('opens something else than was sealed', async () => {
    const encapsulate: Kem['encapsulate'] = async (publicKey, source) => ({
      ...(await good.encapsulate(publicKey, source)),
      sharedSecret: random(32),
    });
    expect(await passesKemProbe({ ...good, encapsulate })).toBe(false);
  });
});

test('WebCrypto is chosen where it has ML-KEM, once', async () => {
  expect((await xwing()).name).toBe(native ? 'webcrypto' : 'noble');
  expect(await xwing()).toBe(await xwing());
});

test.skipIf(IN_BROWSER)('WebCrypto of Node has ML-KEM', () => {
  expect(native).toBe(true);
});

test.runIf(native)('WebCrypto’s private keys cannot be extracted', async () => {
  const imported = vi.spyOn(crypto.subtle, 'importKey');
  await (await xwing()).importKey(random(32));
  const keys = await Promise.all(imported.mock.results.map(({ value }): unknown => value));
  vi.restoreAllMocks();
  const secret = keys.filter((key) => key instanceof CryptoKey && key.type === 'private');
  expect(secret).toHaveLength(2);
  for (const key of secret) expect(key).toMatchObject({ extractable: false });
});

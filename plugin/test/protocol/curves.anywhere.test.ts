import { ed25519, ED25519_TORSION_SUBGROUP, x25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Bytes } from 'twilio-chat-encryption/protocol';
import { checkAgreementPublicKey, checkSigningPublicKey } from '../../src/protocol/curve-checks.ts';
import { nobleCurves } from '../../src/protocol/curves-noble.ts';
import { curves, passesProbe, webCryptoCurves, type Curves } from '../../src/protocol/curves.ts';
import { codeOf } from '../outcomes.ts';
import { random } from './people.ts';

const BACK_ENDS = [webCryptoCurves, nobleCurves];
const { Point } = ed25519;
const ORDER = Point.Fn.ORDER;
const P = 2n ** 255n - 19n;

const own = (bytes: Uint8Array): Bytes => new Uint8Array(bytes);
const bytes = (length: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map(own);
const message = fc.uint8Array({ maxLength: 300 }).map(own);

function littleEndian(value: bigint): Bytes {
  return own(hexToBytes(value.toString(16).padStart(64, '0')).reverse());
}

function scalar(encoded: Uint8Array): bigint {
  return encoded.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

const SMALL_ORDER = ED25519_TORSION_SUBGROUP.map((encoded) => hexToBytes(encoded));
const TORSION = Point.fromHex(ED25519_TORSION_SUBGROUP[1] ?? '');

/** All encodings of y coordinates from p to 2^255 − 1, which a lax decoder reduces, by sign. */
const NON_CANONICAL_Y = Array.from({ length: 19 }, (_, k) => P + BigInt(k)).flatMap((y) => [
  littleEndian(y),
  littleEndian(y + 2n ** 255n),
]);

/** A signature whose R is [r]B and a torsion component, which only its signer can make. */
function craftedSignature(seed: Bytes, signed: Bytes, r: bigint, torsion: typeof TORSION): Bytes {
  const { scalar: secret, pointBytes } = ed25519.utils.getExtendedPublicKey(seed);
  const encodedR = Point.BASE.multiplyUnsafe(r).add(torsion).toBytes();
  const k = Point.Fn.create(scalar(sha512(concatBytes(encodedR, pointBytes, signed))));
  return own(concatBytes(encodedR, littleEndian(Point.Fn.create(r + k * secret))));
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('both back ends', () => {
  test('derive the same public keys from the same secrets', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(32), async (secret) => {
        for (const operation of ['importSigningKey', 'importAgreementKey'] as const) {
          const [native, noble] = await Promise.all(BACK_ENDS.map((c) => c[operation](secret)));
          expect(native?.publicKey).toEqual(noble?.publicKey);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('make the same signatures, and verify each other’s', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(32), message, async (seed, signed) => {
        const keys = await Promise.all(BACK_ENDS.map((c) => c.importSigningKey(seed)));
        const [native, noble] = await Promise.all(keys.map((key) => key.sign(signed)));
        expect(native).toEqual(noble);
        for (const backEnd of BACK_ENDS) {
          const key = await backEnd.importVerifyingKey(keys[0]?.publicKey ?? own(seed));
          expect(await key.verify(native ?? own(seed), signed)).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('refuse a signature with any bit changed, on any other message, of any other length', async () => {
    const seed = random(32);
    const signing = await nobleCurves.importSigningKey(seed);
    const signed = own(utf8ToBytes('signed'));
    const signature = await signing.sign(signed);
    const changed = fc.nat(511).map((bit) => {
      const copy = signature.slice();
      copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return copy;
    });
    for (const backEnd of BACK_ENDS) {
      const key = await backEnd.importVerifyingKey(signing.publicKey);
      await fc.assert(
        fc.asyncProperty(changed, async (other) => !(await key.verify(other, signed))),
        { numRuns: 60 },
      );
      expect(await key.verify(signature, own(utf8ToBytes('Signed')))).toBe(false);
      for (const length of [0, 1, 32, 63]) {
        expect(await key.verify(signature.slice(0, length), signed)).toBe(false);
      }
      expect(await key.verify(own(concatBytes(signature, Uint8Array.of(0))), signed)).toBe(false);
    }
  });

  test('agree on the same secret, from either side', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(32), bytes(32), async (a, b) => {
        const [native, noble] = [
          await webCryptoCurves.importAgreementKey(a),
          await nobleCurves.importAgreementKey(b),
        ];
        const shared = await native.agree(noble.publicKey);
        expect(shared).toEqual(await noble.agree(native.publicKey));
        expect(shared).toHaveLength(32);
      }),
      { numRuns: 30 },
    );
  });

  test('agree alike on every 32 bytes: the same secret, or INVALID_KEY from both', async () => {
    const keys = await Promise.all(BACK_ENDS.map((c) => c.importAgreementKey(random(32))));
    await fc.assert(
      fc.asyncProperty(bytes(32), async (peer) => {
        const outcomes = await Promise.allSettled(keys.map((key) => key.agree(peer)));
        expect(outcomes[0]?.status).toBe(outcomes[1]?.status);
        expect(outcomes[0]?.status).toBe(scalar(peer) < P ? 'fulfilled' : 'rejected');
      }),
      { numRuns: 100 },
    );
  });
});

describe.each(BACK_ENDS)('$name', (backEnd: Curves) => {
  test('passes the probe', async () => {
    expect(await passesProbe(backEnd)).toBe(true);
  });

  test.each([0, 31, 33, 64])('refuses secrets of %i bytes', async (length) => {
    expect(await codeOf(backEnd.importSigningKey(random(length)))).toBe('INVALID_KEY');
    expect(await codeOf(backEnd.importAgreementKey(random(length)))).toBe('INVALID_KEY');
  });

  test.each([0, 31, 33])('refuses public keys of %i bytes', async (length) => {
    const agreement = await backEnd.importAgreementKey(random(32));
    const { publicKey } = await backEnd.importSigningKey(random(32));
    const wrong = own(concatBytes(publicKey, publicKey)).slice(0, length);
    expect(await codeOf(backEnd.importVerifyingKey(wrong))).toBe('INVALID_KEY');
    expect(await codeOf(agreement.agree(new Uint8Array(length).fill(9)))).toBe('INVALID_KEY');
  });

  test('refuses signing keys of small order', async () => {
    expect(SMALL_ORDER).toHaveLength(8);
    for (const key of SMALL_ORDER) {
      expect(await codeOf(backEnd.importVerifyingKey(own(key)))).toBe('INVALID_KEY');
    }
  });

  test('refuses signing keys that are not canonical', async () => {
    const zeroXNegative = littleEndian(1n + 2n ** 255n);
    const minusOneNegative = littleEndian(P - 1n + 2n ** 255n);
    for (const key of [...NON_CANONICAL_Y, zeroXNegative, minusOneNegative]) {
      expect(await codeOf(backEnd.importVerifyingKey(key))).toBe('INVALID_KEY');
    }
  });

  test('refuses signing keys with a torsion component', async () => {
    const point = Point.fromBytes(ed25519.getPublicKey(random(32)));
    for (const torsion of SMALL_ORDER.map((key) => Point.fromBytes(key)).filter((t) => !t.is0())) {
      const key = own(point.add(torsion).toBytes());
      expect(await codeOf(backEnd.importVerifyingKey(key))).toBe('INVALID_KEY');
    }
  });

  test('refuses encryption keys of low order, in every encoding', async () => {
    const agreement = await backEnd.importAgreementKey(random(32));
    const orderEight = [
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    ].map((encoded) => own(hexToBytes(encoded)));
    const lowOrder = [0n, 1n, P - 1n, ...orderEight.map(scalar)];
    const again = lowOrder.flatMap((u) => [u, u + P, u + 2n ** 255n]).filter((u) => u < 2n ** 256n);
    for (const u of again) {
      expect(await codeOf(agreement.agree(littleEndian(u)))).toBe('INVALID_KEY');
      expect(() => {
        checkAgreementPublicKey(littleEndian(u));
      }).toThrow();
    }
  });

  test('refuses encryption keys that are not canonical, though they are good points', async () => {
    const agreement = await backEnd.importAgreementKey(random(32));
    const peer = own(x25519.getPublicKey(random(32)));
    await expect(agreement.agree(peer)).resolves.toHaveLength(32);
    for (const u of [P + 2n, P + 9n, P + 18n, scalar(peer) + 2n ** 255n]) {
      expect(await codeOf(agreement.agree(littleEndian(u)))).toBe('INVALID_KEY');
    }
  });

  test('refuses a signature whose S is not below the group order', async () => {
    const signing = await backEnd.importSigningKey(random(32));
    const verifying = await backEnd.importVerifyingKey(signing.publicKey);
    const signed = random(20);
    const signature = await signing.sign(signed);
    const s = scalar(signature.subarray(32));
    for (let more = s + ORDER; more < 2n ** 256n; more += ORDER) {
      const malleated = own(concatBytes(signature.subarray(0, 32), littleEndian(more)));
      expect(await verifying.verify(malleated, signed)).toBe(false);
    }
  });

  test('refuses a signature that only the equation with the cofactor accepts', async () => {
    const [seed, signed] = [random(32), random(20)];
    const { publicKey } = await backEnd.importSigningKey(seed);
    const signature = craftedSignature(seed, signed, 1_234_567n, TORSION);
    expect(ed25519.verify(signature, signed, publicKey)).toBe(true);
    const key = await backEnd.importVerifyingKey(publicKey);
    expect(await key.verify(signature, signed)).toBe(false);
  });

  test('refuses a signature whose R is the identity, which some WebCryptos accept', async () => {
    const [seed, signed] = [random(32), random(20)];
    const { publicKey } = await backEnd.importSigningKey(seed);
    const key = await backEnd.importVerifyingKey(publicKey);
    const good = craftedSignature(seed, signed, 1n, Point.ZERO);
    expect(await key.verify(good, signed)).toBe(true);
    const identity = craftedSignature(seed, signed, 0n, Point.ZERO);
    expect(ed25519.verify(identity, signed, publicKey)).toBe(true);
    expect(await key.verify(identity, signed)).toBe(false);
  });

  test('decides the same of a key that it verified with often, and after many others were', async () => {
    const [seed, signed] = [random(32), random(20)];
    const { publicKey } = await backEnd.importSigningKey(seed);
    const key = await backEnd.importVerifyingKey(publicKey);
    const good = craftedSignature(seed, signed, 2n, Point.ZERO);
    const torsion = craftedSignature(seed, signed, 2n, TORSION);
    const decideOften = async (): Promise<void> => {
      for (let use = 0; use < 6; use += 1) {
        expect(await key.verify(good, signed)).toBe(true);
        expect(await key.verify(torsion, signed)).toBe(false);
        expect(await key.verify(good, random(20))).toBe(false);
      }
    };
    await decideOften();
    for (let other = 0; other < 64; other += 1) {
      const others = await backEnd.importVerifyingKey(publicKey);
      for (let use = 0; use < 5; use += 1) expect(await others.verify(good, signed)).toBe(true);
    }
    await decideOften();
  });

  test('keeps its own copy of a secret, so that the caller can erase his', async () => {
    const seed = random(32);
    const [signing, agreement] = [
      await backEnd.importSigningKey(seed),
      await backEnd.importAgreementKey(seed),
    ];
    const before = [await signing.sign(seed.slice()), await agreement.agree(agreement.publicKey)];
    const copy = seed.slice();
    seed.fill(0);
    const after = [await signing.sign(copy), await agreement.agree(agreement.publicKey)];
    expect(after).toEqual(before);
  });
});

describe('the probe refuses a back end that', () => {
  const lax = (change: (good: Curves) => Partial<Curves>): Curves => ({
    ...nobleCurves,
    ...change(nobleCurves),
  });

  test('verifies with the cofactor', async () => {
    const cofactored = lax(() => ({
      importVerifyingKey: (publicKey) =>
        Promise.resolve({
          publicKey,
          verify: (signature, signed) =>
            Promise.resolve(ed25519.verify(signature, signed, publicKey, { zip215: false })),
        }),
    }));
    expect(await passesProbe(cofactored)).toBe(false);
  });

  test('accepts every signature, or none', async () => {
    for (const answer of [true, false]) {
      const constant = lax(() => ({
        importVerifyingKey: (publicKey) =>
          Promise.resolve({ publicKey, verify: () => Promise.resolve(answer) }),
      }));
      expect(await passesProbe(constant)).toBe(false);
    }
  });

  test('agrees on something else', async () => {
    const wrong = lax((good) => ({
      importAgreementKey: async (secret) => ({
        ...(await good.importAgreementKey(secret)),
        agree: () => Promise.resolve(new Uint8Array(32).fill(1)),
      }),
    }));
    expect(await passesProbe(wrong)).toBe(false);
  });

  test('is missing', async () => {
    const missing = lax(() => ({
      importSigningKey: () => Promise.reject(new DOMException('', 'NotSupportedError')),
    }));
    expect(await passesProbe(missing)).toBe(false);
  });
});

test('WebCrypto is chosen where it has the curves', async () => {
  expect((await curves()).name).toBe('webcrypto');
});

test('WebCrypto’s private keys cannot be extracted', async () => {
  const imported = vi.spyOn(crypto.subtle, 'importKey');
  await webCryptoCurves.importSigningKey(random(32));
  await webCryptoCurves.importAgreementKey(random(32));
  const keys = await Promise.all(imported.mock.results.map(({ value }): unknown => value));
  const secret = keys.filter((key) => key instanceof CryptoKey && key.type === 'private');
  // The key for signing, one to know its public key by, and the key for encryption.
  expect(secret).toHaveLength(3);
  for (const key of secret) expect(key).toMatchObject({ extractable: false });
});

describe('the keys that are taken are those that noble calls good', () => {
  const passes = (check: (key: Uint8Array) => void, key: Uint8Array): boolean => {
    try {
      check(key);
      return true;
    } catch {
      return false;
    }
  };

  function isGoodPoint(key: Uint8Array): boolean {
    try {
      const point = Point.fromBytes(key, false);
      return !point.isSmallOrder() && point.isTorsionFree();
    } catch {
      return false;
    }
  }

  function isGoodCoordinate(key: Uint8Array): boolean {
    if (scalar(key) >= P) return false;
    try {
      return x25519.scalarMult(new Uint8Array(32).fill(0x40), key).some(Boolean);
    } catch {
      return false;
    }
  }

  test('for signing: of points of all orders, of bytes that are none, at the edges of the field', () => {
    const torsion = SMALL_ORDER.map((encoded) => Point.fromBytes(encoded, true));
    const points = Array.from({ length: 8 }, () =>
      Point.fromBytes(ed25519.getPublicKey(random(32))),
    ).flatMap((point) => torsion.map((other) => point.add(other).toBytes()));
    const edges = Array.from({ length: 24 }, (_, at) => BigInt(at)).flatMap((at) =>
      [at, 2n ** 255n - 1n - at].flatMap((y) => [littleEndian(y), littleEndian(y + 2n ** 255n)]),
    );
    const some = Array.from({ length: 60 }, () => random(32));
    const keys = [...points, ...SMALL_ORDER, ...NON_CANONICAL_Y, ...edges, ...some];
    for (const key of keys) {
      expect(passes(checkSigningPublicKey, key), String(key)).toBe(isGoodPoint(key));
    }
    for (const length of [0, 31, 33]) {
      expect(passes(checkSigningPublicKey, new Uint8Array(length).fill(9))).toBe(false);
    }
  });

  test('for encryption', () => {
    const edges = Array.from({ length: 24 }, (_, at) => BigInt(at)).flatMap((at) =>
      [at, 2n ** 255n - 1n - at].flatMap((u) => [littleEndian(u), littleEndian(u + 2n ** 255n)]),
    );
    for (const key of [...edges, ...Array.from({ length: 60 }, () => random(32))]) {
      expect(passes(checkAgreementPublicKey, key), String(key)).toBe(isGoodCoordinate(key));
    }
    for (const length of [0, 31, 33]) {
      expect(passes(checkAgreementPublicKey, new Uint8Array(length).fill(9))).toBe(false);
    }
  });
});

import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { argon2id } from '@noble/hashes/argon2.js';
import { expand } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { describe, expect, test } from 'vitest';
import { curves, openKeyRecord, sealKeyRecord, type Bytes } from 'twilio-chat-encryption/protocol';
import { nativeArgon2id } from '../../src/protocol/native-argon2.ts';
import { stretchPassword } from '../../src/protocol/primitives.ts';
import { codeOf } from '../outcomes.ts';
import { random } from './people.ts';

const NAME = 'key/alice';
const SECRET = random(100);
const L = (name: string): Uint8Array => utf8ToBytes(`twilio-chat-encryption/v1/${name}\0`);

/** A record by the specification alone, with parameters that cost next to nothing. */
function cheapRecord(password: string): Bytes {
  const [salt, nonce] = [random(16), random(24)];
  const parameters = concatBytes(Uint8Array.of(1, 0, 0, 0, 8, 0, 0, 0, 1, 1), salt);
  const stretched = argon2id(utf8ToBytes(password), salt, { m: 8, t: 1, p: 1, dkLen: 32 });
  const check = expand(sha256, stretched, L('record-check'), 32);
  const key = expand(sha256, stretched, L('record-key'), 32);
  const name = utf8ToBytes(NAME);
  const associated = concatBytes(L('record'), Uint8Array.of(0, name.length), name, parameters);
  const ciphertext = xchacha20poly1305(key, nonce, associated).encrypt(SECRET);
  return new Uint8Array(concatBytes(parameters, check, nonce, ciphertext));
}

const cheap = cheapRecord('password');

/** The record with one byte, or more, replaced. */
function replaced(offset: number, ...bytes: readonly number[]): Bytes {
  const copy = cheap.slice();
  copy.set(bytes, offset);
  return copy;
}

test.each([
  { memory: 8, passes: 1, lanes: 1 },
  { memory: 37, passes: 3, lanes: 4 },
  { memory: 19 * 1024, passes: 2, lanes: 1 },
])('a password is stretched as noble does it, whoever does: %o', async (cost) => {
  const salt = random(16);
  const expected = argon2id(utf8ToBytes('pässword'.normalize('NFC')), salt, {
    ...{ m: cost.memory, t: cost.passes, p: cost.lanes },
    dkLen: 32,
  });
  expect(await stretchPassword('pässword'.normalize('NFD'), salt, cost)).toEqual(
    new Uint8Array(expected),
  );
});

test('Node’s Argon2id is used where it is', async () => {
  const isNative =
    (await nativeArgon2id(random(8), random(16), { memory: 8, passes: 1, lanes: 1 })) !== null;
  const isNode24 = 'process' in globalThis && Number(process.versions.node.split('.')[0]) >= 24;
  const { name } = await curves();
  // In the project `noble` it is taken away, as the curves are.
  expect(isNative).toBe(isNode24 && name === 'webcrypto');
});

describe('a sealed key record', async () => {
  const sealed = await sealKeyRecord(NAME, SECRET, 'pässword', random);

  test('opens under the password, in either Unicode form', async () => {
    expect(await openKeyRecord(NAME, sealed, 'pa\u0308ssword')).toEqual(SECRET);
  });

  test('does not open under another', async () => {
    expect(await codeOf(openKeyRecord(NAME, sealed, 'passwort'))).toBe('WRONG_PASSWORD');
  });

  test('takes 19 MiB, 2 passes and 1 lane, and has a salt and nonce of its own', async () => {
    expect(sealed.slice(0, 10)).toEqual(Uint8Array.of(1, 0, 0, 76, 0, 0, 0, 0, 2, 1));
    const again = await sealKeyRecord(NAME, SECRET, 'pässword', random);
    const same = again.slice(10).filter((byte, index) => byte === sealed[10 + index]).length;
    expect(same).toBeLessThan(20);
  });

  test('is not made without a password', async () => {
    expect(await codeOf(sealKeyRecord(NAME, SECRET, '', random))).toBe('INVALID_ARGUMENT');
  });
});

describe('a stored key record', () => {
  test('opens when it is made as the specification says', async () => {
    expect(await openKeyRecord(NAME, cheap, 'password')).toEqual(SECRET);
    expect(await codeOf(openKeyRecord(NAME, cheap, 'Password'))).toBe('WRONG_PASSWORD');
    expect(await codeOf(openKeyRecord(NAME, cheap, ''))).toBe('WRONG_PASSWORD');
  });

  test('moved to another name is damaged', async () => {
    expect(await codeOf(openKeyRecord('key/bob', cheap, 'password'))).toBe('KEY_RECORD_DAMAGED');
  });

  test('with any byte changed has one of two errors, soon', async () => {
    for (let at = 0; at < cheap.length; at += 1) {
      const code = await codeOf(
        openKeyRecord(NAME, replaced(at, (cheap[at] ?? 0) ^ 1), 'password'),
      );
      // Salt and check: indistinguishable from another password. The rest: damage.
      if (at >= 10 && at < 58) expect(code, `byte ${at}`).toBe('WRONG_PASSWORD');
      else if (at >= 58) expect(code, `byte ${at}`).toBe('KEY_RECORD_DAMAGED');
      else expect(['WRONG_PASSWORD', 'KEY_RECORD_DAMAGED'], `byte ${at}`).toContain(code);
    }
  });

  test('cut short or lengthened is damaged', async () => {
    for (const length of [0, 1, 9, 25, 57, 81, 82, 97, cheap.length - 1]) {
      const cut = cheap.slice(0, length);
      expect(await codeOf(openKeyRecord(NAME, cut, 'password'))).toBe('KEY_RECORD_DAMAGED');
    }
    const longer = new Uint8Array(concatBytes(cheap, Uint8Array.of(0)));
    expect(await codeOf(openKeyRecord(NAME, longer, 'password'))).toBe('KEY_RECORD_DAMAGED');
  });

  test.each<[string, number, readonly number[]]>([
    ['4 GiB of memory', 1, [0, 0x40, 0, 0]],
    ['4 TiB of memory', 1, [0xff, 0xff, 0xff, 0xff]],
    ['one KiB over the cap of memory', 1, [0, 4, 0, 1]],
    ['too little memory', 1, [0, 0, 0, 7]],
    ['four billion passes', 5, [0xff, 0xff, 0xff, 0xff]],
    ['17 passes', 5, [0, 0, 0, 17]],
    ['no pass', 5, [0, 0, 0, 0]],
    ['no lane', 9, [0]],
    ['5 lanes', 9, [5]],
    ['another version', 0, [2]],
  ])('that asks for %s is refused without an attempt', async (_what, offset, bytes) => {
    const before = performance.now();
    const planted = replaced(offset, ...bytes);
    expect(await codeOf(openKeyRecord(NAME, planted, 'password'))).toBe('KEY_RECORD_DAMAGED');
    expect(performance.now() - before).toBeLessThan(100);
  });
});

/** SHA-256 as the protocol uses it: the same as two other implementations have, however it is fed. */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concat, hash, hashing, hex, label, sha256, utf8 } from '../../src/protocol/primitives.ts';

// Around one and two blocks, and where the length still fits into the last block or does not.
const EDGES = [0, 1, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 121, 127, 128, 129, 191, 192, 193];

test('is that of FIPS 180-4', () => {
  for (const [text, expected] of [
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
    ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  ] as const) {
    expect(hex.encode(sha256(utf8(text)))).toBe(expected);
  }
});

test('is the platform’s, for each length around the edges of blocks', async () => {
  for (const length of EDGES) {
    const bytes = new Uint8Array(length).map((_, index) => 255 - index);
    const platforms = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    expect(sha256(bytes)).toEqual(platforms);
  }
});

test('is noble’s for whatever parts, at once and piece by piece, while others are hashed in between', () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 });
  fc.assert(
    fc.property(parts, (some) => {
      const expected = nobleSha256(concat(label('media'), ...some));
      expect(hash('media', ...some)).toEqual(expected);
      const slow = hashing('media');
      for (const part of some) {
        slow.update(part);
        hash('header', part);
      }
      expect(slow.digest()).toEqual(expected);
    }),
  );
});

test('is in memory of its own', () => {
  const first = hash('card', Uint8Array.of(1));
  const copy = first.slice();
  hash('card', Uint8Array.of(2));
  expect(first).toEqual(copy);
  expect(first.buffer.byteLength).toBe(32);
});

test.each([['text'], [[1, 2, 3]], [{ length: 3 }], [new Uint16Array(3)], [null]])(
  'of what is no bytes there is none: %j',
  (value) => {
    const before = hash('card', utf8('before'));
    expect(() => void Reflect.apply(hash, null, ['card', utf8('before'), value])).toThrow(
      TypeError,
    );
    const feed = (bytes: Uint8Array): void => {
      hashing('card').update(bytes);
    };
    expect(() => void Reflect.apply(feed, null, [value])).toThrow(TypeError);
    expect(hash('card', utf8('before'))).toEqual(before);
  },
);

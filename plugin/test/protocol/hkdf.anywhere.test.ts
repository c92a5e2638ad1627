/** HKDF-SHA-256 over arrays that are used again: the same as by a library that makes new ones. */
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concat, expandKey, extractKey, label } from '../../src/protocol/primitives.ts';

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });

test('extracts as RFC 5869 §2.2 does', () => {
  fc.assert(
    fc.property(bytes(200), (inputKey) => {
      expect(extractKey('slot', inputKey)).toEqual(extract(sha256, inputKey, label('slot')));
    }),
  );
});

test('expands as RFC 5869 §2.3 does, to any length', () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 64 });
  fc.assert(
    fc.property(
      key,
      fc.array(bytes(100), { maxLength: 4 }),
      fc.integer({ min: 1, max: 200 }),
      (prk, info, length) => {
        const joined = concat(label('key'), ...info);
        expect(expandKey(prk, 'key', info, length)).toEqual(expand(sha256, prk, joined, length));
      },
    ),
  );
});

test('a derived key is in memory of its own, and stays as it is when others are derived', () => {
  const first = extractKey('slot', Uint8Array.of(1));
  const copy = first.slice();
  extractKey('slot', Uint8Array.of(2));
  expandKey(first, 'key', [], 64);
  expect(first).toEqual(copy);
  expect(first.buffer.byteLength).toBe(32);
});

test('a key that does not fit is an error, and the next one is right', () => {
  const prk = new Uint8Array(32).fill(7);
  const before = expandKey(prk, 'key', [], 32);
  expect(() => expandKey(new Uint8Array(65), 'key', [], 32)).toThrow(RangeError);
  expect(expandKey(prk, 'key', [], 32)).toEqual(before);
});

test('what cannot be hashed is an error, and nothing of its key is in the next one', () => {
  const prk = new Uint8Array(32).fill(7);
  const before = expandKey(prk, 'key', [], 32);
  const other = new Uint8Array(64).fill(9);
  expect(() => void Reflect.apply(expandKey, null, [other, 'key', ['text'], 32])).toThrow();
  expect(expandKey(prk, 'key', [], 32)).toEqual(before);
});

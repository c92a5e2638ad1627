/** What is in the key record of a device and in a backup: one form for each value, and nothing else. */
import fc from 'fast-check';
import { base64url, isEncryptionError, type Bytes } from 'twilio-chat-encryption/protocol';
import { describe, expect, test } from 'vitest';
import { decodeBackup, encodeBackup, type Backup } from '../../src/protocol/backup.ts';
import {
  copyKeys,
  decodeRing,
  encodeRing,
  splitSecrets,
  type StoredKeys,
  type StoredRing,
} from '../../src/protocol/key-ring.ts';
import { runs } from '../outcomes.ts';

const bytesOf = (min: number, max = min): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((bytes) => new Uint8Array(bytes));

/** Whether a card is one is for whoever imports it. */
const keys: fc.Arbitrary<readonly StoredKeys[]> = fc.array(
  fc.record({ secrets: bytesOf(96), card: bytesOf(1, 60).map(base64url.encode) }),
  { minLength: 1, maxLength: 4 },
);
const ring: fc.Arbitrary<StoredRing> = fc.record({ deviceSecret: bytesOf(32), keys });
const backup: fc.Arbitrary<Backup> = fc.record({
  generation: fc.integer({ min: 1, max: 0xffff_ffff }),
  savedAt: fc.nat({ max: 8.64e15 }),
  keys,
});

/** Bytes that were changed in one place: another byte, one more, or some that are missing. */
function changed(bytes: fc.Arbitrary<Bytes>): fc.Arbitrary<Bytes> {
  return fc
    .tuple(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat({ max: 3 }))
    .map(([original, place, by, how]) => {
      const at = place % original.length;
      const copy = original.slice();
      copy[at] = (copy[at] ?? 0) ^ by;
      const shorter = new Uint8Array([...original.slice(0, at), ...original.slice(at + by)]);
      const longer = new Uint8Array([...original.slice(0, at), by, ...original.slice(at)]);
      return [copy, shorter, longer, original.slice(0, at)][how] ?? copy;
    });
}

/** What was read, or null when it was refused as damaged; any other error is thrown. */
function readOrNull<T>(read: (bytes: Bytes) => T, bytes: Bytes): T | null {
  try {
    return read(bytes);
  } catch (error) {
    if (isEncryptionError(error, 'KEY_RECORD_DAMAGED')) return null;
    throw error;
  }
}

function readsWhatWasWritten<T extends Pick<StoredRing, 'keys'>>(
  values: fc.Arbitrary<T>,
  encode: (value: T) => Bytes,
  decode: (bytes: Bytes) => T,
): void {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decode(encode(value))).toEqual(value);
      }),
      { numRuns: runs(300) },
    );
  });

  test('changed anywhere is damaged, or another one that is written so', () => {
    const wrong = fc.oneof(changed(values.map(encode)), bytesOf(0, 300));
    fc.assert(
      fc.property(wrong, (bytes) => {
        const read = readOrNull(decode, bytes);
        if (read) expect(encode(read)).toEqual(bytes);
      }),
      { numRuns: runs(3000) },
    );
  });

  test('cut short is damaged, unless whole keys are missing', () => {
    fc.assert(
      fc.property(values, (value) => {
        const whole = encode(value);
        const readable = Array.from(whole, (_, length) => whole.slice(0, length)).filter(
          (cut) => readOrNull(decode, cut) !== null,
        );
        const keysIn = (bytes: Bytes): number => decode(bytes).keys.length;
        expect(readable.map(keysIn)).toEqual(readable.map((_, at) => at + 1));
        expect(readable.length).toBe(keysIn(whole) - 1);
      }),
      { numRuns: runs(30, 1000) },
    );
  });
}

describe('a ring', () => {
  readsWhatWasWritten(ring, encodeRing, decodeRing);
});

describe('a backup', () => {
  readsWhatWasWritten(backup, encodeBackup, decodeBackup);
});

test('what is read has its secrets where they were read from, so that one wipe takes them', () => {
  const secrets = new Uint8Array(96).fill(7);
  const bytes = encodeRing({ deviceSecret: new Uint8Array(32), keys: [{ secrets, card: 'AAAA' }] });
  const [read] = decodeRing(bytes).keys;
  const [copy] = read ? copyKeys([read]) : [];
  bytes.fill(0);
  expect(read?.secrets).toEqual(new Uint8Array(96));
  expect(copy?.secrets).toEqual(secrets);
  expect(splitSecrets(secrets).map(({ length }) => length)).toEqual([32, 32, 32]);
});

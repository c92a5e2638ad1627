import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPadded, pad, paddedLength } from '../../src/protocol/padding.ts';

test('padded lengths are these', () => {
  const lengths = [0, 1, 255, 256, 257, 512, 4096, 4097, 5000, 8193, 65_536, 65_537, 100_000];
  expect(lengths.map(paddedLength)).toEqual([
    0, 256, 256, 256, 512, 512, 4096, 4352, 5120, 8704, 65_536, 67_584, 100_352,
  ]);
});

test('over 4 KiB padding adds at most 12 %, and hides more bits the longer', () => {
  fc.assert(
    fc.property(fc.integer({ min: 4097, max: 4_000_000 }), (length) => {
      expect(paddedLength(length)).toBeGreaterThanOrEqual(length);
      expect(paddedLength(length) / length).toBeLessThanOrEqual(1.12);
    }),
  );
  const reached = new Set(Array.from({ length: 262_144 }, (_, length) => paddedLength(length)));
  expect(reached.size).toBeLessThan(150);
});

test('a longer text is never padded to less, and padding twice changes nothing', () => {
  let before = 0;
  for (let length = 0; length < 70_000; length += 1) {
    const padded = paddedLength(length);
    if (padded < before || paddedLength(padded) !== padded) expect.fail(`at ${length}`);
    before = padded;
  }
});

test('exactly what pad makes is padded', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 1200 });
  fc.assert(
    fc.property(bytes, fc.nat(2000), fc.nat(2000), (text, length, at) => {
      const padded = pad(text);
      expect(padded.slice(0, text.length)).toEqual(new Uint8Array(text));
      expect(isPadded(padded, text.length)).toBe(true);
      expect(isPadded(new Uint8Array(padded.length + 256), text.length)).toBe(false);
      expect(isPadded(padded.slice(1), text.length)).toBe(false);
      // Any buffer and any length: padded iff padding the first bytes again gives the buffer.
      const claimed = length % (padded.length + 1);
      const again = pad(padded.subarray(0, claimed));
      expect(isPadded(padded, claimed)).toBe(
        again.length === padded.length && again.every((byte, index) => byte === padded[index]),
      );
      if (text.length < padded.length) {
        padded[text.length + (at % (padded.length - text.length))] = 1;
        expect(isPadded(padded, text.length)).toBe(false);
      }
    }),
  );
});

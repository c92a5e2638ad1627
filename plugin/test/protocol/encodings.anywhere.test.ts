/** The encodings against those of @scure/base, with its decoding made strict by encoding again. */
import {
  base32nopad,
  base64 as scureBase64,
  base64urlnopad,
  hex as scureHex,
  type BytesCoder,
} from '@scure/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { base32, base64, base64url, hex } from '../../src/protocol/encodings.ts';

const NEAR = [
  'A',
  'Q',
  'g',
  'w',
  '7',
  'f',
  '0',
  '-',
  '_',
  '+',
  '/',
  '=',
  ' ',
  '\n',
  '\u0130',
  '\ud83d',
];
const SHORT = ['A', 'Q', 'g', 'w', '_', '-', '=', '0', 'f'];

function canonical(coder: BytesCoder, text: string): Uint8Array | null {
  try {
    const bytes = coder.decode(text);
    return coder.encode(bytes) === text ? bytes : null;
  } catch {
    return null;
  }
}

/** All texts of this length. */
function texts(length: number): string[] {
  if (length === 0) return [''];
  return texts(length - 1).flatMap((text) => SHORT.map((character) => text + character));
}

test('base64 is refused as fast as it is long, however much of it is padding', () => {
  const start = performance.now();
  expect(base64.decode(`${'='.repeat(200_000)}A`)).toBeNull();
  expect(base64.decode('='.repeat(200_000))).toBeNull();
  // It took twenty seconds.
  expect(performance.now() - start).toBeLessThan(5000);
});

describe.each([
  ['base64url', base64url, base64urlnopad],
  ['base64', base64, scureBase64],
  ['base32', base32, base32nopad],
  ['hex', hex, scureHex],
] as const)('%s', (_name, ours, theirs) => {
  test('encodes, and gives the bytes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = ours.encode(bytes);
        expect(text).toBe(theirs.encode(bytes));
        expect(ours.decode(text)).toEqual(new Uint8Array(bytes));
      }),
    );
  });

  test('takes no text but the canonical one', () => {
    for (const text of [0, 1, 2, 3, 4].flatMap(texts)) {
      expect(ours.decode(text), text).toEqual(canonical(theirs, text));
    }
    const replaced = fc.tuple(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(60),
      fc.constantFrom(...NEAR),
    );
    fc.assert(
      fc.property(replaced, fc.nat(2), ([bytes, at, character], removed) => {
        const text = ours.encode(bytes);
        const bent = text.slice(0, at) + character + text.slice(at + removed);
        expect(ours.decode(bent)).toEqual(canonical(theirs, bent));
      }),
      { numRuns: 500 },
    );
  });
});

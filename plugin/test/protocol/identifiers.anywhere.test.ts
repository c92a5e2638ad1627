import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isEncryptionError,
  messageIdOf,
  parseCardId,
  parseChannelSid,
  parseIdentity,
} from 'twilio-chat-encryption/protocol';
import { cardIdOf, idBytes } from '../../src/protocol/identifiers.ts';
import { codePoint } from './arbitraries.ts';

const refusedAs = (code: string): unknown => expect.objectContaining({ code });

describe('an identity', () => {
  test.each(['alice', 'Alice Smith', 'ålice', 'мария', '愛', '🎈', 'a@b.c', '__proto__', '../x'])(
    'may be %j',
    (identity) => {
      expect(parseIdentity(identity)).toBe(identity);
    },
  );

  test('has 1 to 256 UTF-16 units', () => {
    expect(parseIdentity('a'.repeat(256))).toHaveLength(256);
    expect(parseIdentity('🎈'.repeat(128))).toHaveLength(256);
    for (const wrong of ['', 'a'.repeat(257), '🎈'.repeat(129)]) {
      expect(() => parseIdentity(wrong)).toThrow(refusedAs('INVALID_IDENTITY'));
    }
  });

  test.each([
    ['form NFD', 'a\u030a'],
    ['a compatibility singleton', '\u212b'],
    ['a null', 'a\0'],
    ['a line feed', 'a\n'],
    ['a delete', 'a\u007f'],
    ['a C1 control', 'a\u0085'],
    ['a line separator', 'a\u2028'],
    ['a bidirectional override', 'a\u202eb'],
    ['a bidirectional isolate', '\u2066a\u2069'],
    ['a right-to-left mark', 'a\u200f'],
    ['an Arabic letter mark', 'a\u061c'],
    ['a zero-width space', 'a\u200bb'],
    ['a space at the start', ' alice'],
    ['a space at the end', 'alice '],
    ['nothing but a space', ' '],
    ['a no-break space', 'a\u00a0b'],
    ['an ideographic space', 'a\u3000b'],
    ['a Braille pattern without dots', 'a\u2800b'],
    ['a zero-width joiner', 'a\u200db'],
    ['a word joiner', 'a\u2060b'],
    ['a byte-order mark', '\ufeffa'],
    ['a soft hyphen', 'a\u00adb'],
    ['a combining grapheme joiner', 'a\u034fb'],
    ['a Hangul filler', 'a\u3164'],
    ['a halfwidth Hangul filler', 'a\uffa0'],
    ['a variation selector', 'a\ufe0f'],
    ['a tag', 'a\u{e0061}'],
    ['a private character', 'a\ue000'],
    ['an unassigned character', 'a\u0378'],
    ['a noncharacter', 'a\uffff'],
    ['a high surrogate', 'a\ud83c'],
    ['a low surrogate', '\udf88a'],
  ])('has no %s', (_what, identity) => {
    expect(() => parseIdentity(identity)).toThrow(refusedAs('INVALID_IDENTITY'));
  });

  test.each([undefined, null, 1, ['alice'], new String('alice')])('is not %o', (value) => {
    expect(() => parseIdentity(value)).toThrow(refusedAs('INVALID_IDENTITY'));
  });

  test('comes out of the parser exactly as it went in, or not at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: codePoint }), (text) => {
        try {
          expect(parseIdentity(text)).toBe(text);
          expect(text.normalize('NFC')).toBe(text);
        } catch (error) {
          if (!isEncryptionError(error, 'INVALID_IDENTITY')) throw error;
        }
      }),
    );
  });
});

test('a card id is 64 lower-case hexadecimal digits', () => {
  const id = '0123456789abcdef'.repeat(4);
  expect(parseCardId(id)).toBe(id);
  for (const wrong of [id.toUpperCase(), id.slice(1), `${id}0`, `${id}\n`, 1, null]) {
    expect(() => parseCardId(wrong)).toThrow(refusedAs('INVALID_ARGUMENT'));
  }
});

test('a channel sid is 1 to 64 ASCII letters and digits', () => {
  for (const sid of ['CH00000000000000000000000000000001', 'a', 'Z'.repeat(64)]) {
    expect(parseChannelSid(sid)).toBe(sid);
  }
  for (const wrong of ['', 'Z'.repeat(65), 'CH/1', 'CH1\n', 'ＣＨ', '\u00e9', null, 7]) {
    expect(() => parseChannelSid(wrong)).toThrow(refusedAs('INVALID_ARGUMENT'));
  }
});

test('ids and their bytes are one to one', () => {
  const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
    fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(
    fc.property(bytesOf(32), bytesOf(16), (card, message) => {
      expect(idBytes(cardIdOf(card))).toEqual(card);
      expect(idBytes(messageIdOf(message))).toEqual(message);
    }),
  );
  for (const length of [0, 15, 17, 32]) {
    expect(() => messageIdOf(new Uint8Array(length))).toThrow(refusedAs('INVALID_ARGUMENT'));
  }
  expect(() => cardIdOf(new Uint8Array(31))).toThrow(refusedAs('INVALID_ARGUMENT'));
});

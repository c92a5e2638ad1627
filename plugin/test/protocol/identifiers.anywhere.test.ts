import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isEncryptionError,
  messageIdOf,
  parseCardId,
  parseChannelSid,
  parseIdentity,
} from 'twilio-chat-encryption/protocol';
import { cardIdOf, idBytes, isPlainText } from '../../src/protocol/identifiers.ts';
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
    ['a noncharacter', 'a\uffff'],
    ['a noncharacter inside its block', 'a\ufdd0'],
    ['a noncharacter of another plane', 'a\u{5fffe}'],
    ['a place kept for what is not drawn', 'a\u2065b'],
    ['a tag that is not assigned', 'a\u{e0fff}'],
    ['a high surrogate', 'a\ud83c'],
    ['a low surrogate', '\udf88a'],
  ])('has no %s', (_what, identity) => {
    expect(() => parseIdentity(identity)).toThrow(refusedAs('INVALID_IDENTITY'));
  });

  test.each(['a\u0378', '\u2fe0', '\u{50000}', '\u{1fffd}'])(
    'may have characters that this engine does not know, as %j: a newer one may',
    (identity) => {
      expect(parseIdentity(identity)).toBe(identity);
    },
  );

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

describe('a name', () => {
  test.each([
    ['an emoji with a variation selector', 'I ❤\ufe0f cats.png'],
    ['a family of joined emoji', '👩\u200d👩\u200d👧\u200d👦.jpg'],
    ['a flag of tags', '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}'],
    ['a Persian non-joiner', 'می\u200cخواهم.pdf'],
    ['a form of macOS', 'A\u030angstro\u0308m'],
    ['a no-break space', 'a\u00a0b'],
    ['a soft hyphen', 'a\u00adb'],
    ['a private character', 'a\uf8ff'],
    ['an unassigned character', 'a\u0378\u{50000}'],
    ['spaces at its ends', ' a '],
  ])('may have %s', (_what, name) => {
    expect(isPlainText(name)).toBe(true);
  });

  test.each([
    ['null', '\0'],
    ['line feed', '\n'],
    ['escape', '\u001b'],
    ['delete', '\u007f'],
    ['C1 control', '\u009b'],
    ['Arabic letter mark', '\u061c'],
    ['left-to-right mark', '\u200e'],
    ['right-to-left mark', '\u200f'],
    ['line separator', '\u2028'],
    ['paragraph separator', '\u2029'],
    ['embedding', '\u202a'],
    ['override', '\u202e'],
    ['isolate', '\u2066'],
    ['end of an isolate', '\u2069'],
    ['deprecated control', '\u206a'],
    ['byte-order mark', '\ufeff'],
    ['annotation', '\ufff9'],
    ['high surrogate alone', '\ud83c'],
    ['low surrogate alone', '\udf88'],
    ['noncharacter', '\uffff'],
    ['noncharacter of another plane', '\u{10fffe}'],
  ])('has no %s', (_what, character) => {
    for (const name of [character, `a${character}`, `${character}b`, `a${character}b`]) {
      expect(isPlainText(name)).toBe(false);
    }
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

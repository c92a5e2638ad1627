import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeContent, type MediaDescriptor } from 'twilio-chat-encryption/protocol';
import { decodeContent } from '../../src/protocol/content.ts';
import { utf8 } from '../../src/protocol/primitives.ts';
import { codePoint } from './arbitraries.ts';

const decode = (text: string): unknown => decodeContent(utf8(text));
const invalid: unknown = expect.objectContaining({ code: 'INVALID_CONTENT' });

/** `depth` arrays in one another. */
function nested(depth: number): unknown {
  return depth === 0 ? 'x' : [nested(depth - 1)];
}

describe('content', () => {
  test('is JSON, body first, absent members absent', () => {
    expect(encodeContent({ attributes: { a: [1, null] }, body: 'Hej' })).toEqual(
      utf8('{"body":"Hej","attributes":{"a":[1,null]}}'),
    );
    expect(encodeContent({})).toEqual(utf8('{}'));
    expect(decode('{}')).toEqual({});
  });

  test('that JSON can carry is read as it was written', () => {
    const attributes = fc.jsonValue({ maxDepth: 5, stringUnit: codePoint });
    fc.assert(
      fc.property(fc.string({ unit: codePoint }), attributes, (body, value) => {
        const bytes = encodeContent({ body, attributes: value });
        const again = decodeContent(bytes);
        expect(JSON.stringify(again)).toBe(JSON.stringify({ body, attributes: value }));
        expect(again?.body).toBe(body);
      }),
    );
  });

  test.each([
    ['a duplicate member', '{"body":"a","body":"b"}'],
    ['the same member twice', '{"body":"a","body":"a"}'],
    ['a duplicate member inside', '{"attributes":{"a":1,"a":1}}'],
    ['an unknown member', '{"body":"a","title":"b"}'],
    ['a subject that is no text', '{"subject":1}'],
    ['a subject before the body', '{"subject":"a","body":"b"}'],
    ['files that are no list', '{"media":{}}'],
    ['no files', '{"media":[]}'],
    ['reordered members', '{"attributes":1,"body":"a"}'],
    ['whitespace', '{"body": "a"}'],
    ['a trailing newline', '{"body":"a"}\n'],
    ['a byte-order mark', '\ufeff{"body":"a"}'],
    ['an escaped character', '{"body":"\\u0061"}'],
    ['an escaped lone surrogate', '{"body":"\\ud800"}'],
    ['a lone surrogate in a name', '{"attributes":{"\\udc00":1}}'],
    ['minus zero', '{"attributes":-0}'],
    ['a number with an exponent', '{"attributes":1e3}'],
    ['a number with a fraction of zero', '{"attributes":1.0}'],
    ['a number that is too large', '{"attributes":1e400}'],
    ['a number with too many digits', '{"attributes":9007199254740993}'],
    ['integer-like names out of order', '{"attributes":{"2":1,"1":1}}'],
    ['an integer-like name behind another', '{"attributes":{"a":1,"1":1}}'],
    ['a body that is no text', '{"body":1}'],
    ['a body that is null', '{"body":null}'],
    ['a member __proto__', '{"__proto__":{"body":"a"}}'],
    ['a list around it', '[{"body":"a"}]'],
    ['only null', 'null'],
    ['nothing', ''],
    ['brackets without end', '['.repeat(100_000)],
    ['brackets that end', `{"attributes":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ])('is not read from JSON with %s', (_what, text) => {
    expect(decode(text)).toBeNull();
  });

  test('is not read from bytes that are not UTF-8', () => {
    const bytes = utf8('{"body":"a"}');
    bytes[9] = 0xff;
    expect(decodeContent(bytes)).toBeNull();
  });

  test('keeps names that mean something to JavaScript', () => {
    const attributes: unknown = JSON.parse('{"1":1,"2":2,"constructor":{"a":1},"toString":null}');
    const bytes = encodeContent({ attributes });
    expect(JSON.stringify(decodeContent(bytes)?.attributes)).toBe(JSON.stringify(attributes));
  });

  test('has no member named __proto__: a copy of it would have its prototype set', () => {
    const text = '{"attributes":{"a":[{"__proto__":{"admin":true}}]}}';
    expect(decode(text)).toBeNull();
    const { attributes } = JSON.parse(text) as { attributes: unknown };
    expect(() => encodeContent({ attributes })).toThrow(invalid);
  });

  test('is nested 32 deep at most', () => {
    expect(decodeContent(encodeContent({ attributes: nested(32) }))?.attributes).toEqual(
      nested(32),
    );
    expect(() => encodeContent({ attributes: nested(33) })).toThrow(invalid);
    expect(() => encodeContent({ attributes: nested(1000) })).toThrow(invalid);
    const text = (depth: number): string =>
      `{"attributes":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(decode(text(32))).not.toBeNull();
    expect(decode(text(33))).toBeNull();
  });

  test('that JSON cannot carry is refused when it is written', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const unwritable = [cycle, 1n, '\ud800', { '\ud800': 1 }, ['\udc00']];
    for (const attributes of unwritable) {
      expect(() => encodeContent({ attributes })).toThrow(invalid);
    }
    expect(() => encodeContent({ body: 'a\ud800' })).toThrow(invalid);
  });

  test('any bytes are read or refused, without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.json(), (bytes, json) => {
        decodeContent(new Uint8Array(bytes));
        decode(json);
        const content = decode(`{"body":"","attributes":${json}}`);
        expect(content === null || typeof content === 'object').toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a file', () => {
  const FILE: MediaDescriptor = {
    key: new Uint8Array(32).fill(1),
    size: 12_345,
    hash: new Uint8Array(32).fill(2),
    type: 'image/png',
    name: 'X-ray of a knee.png',
  };
  const accepts = (file: unknown): boolean => {
    try {
      return encodeContent({ media: [file as MediaDescriptor] }).length > 0;
    } catch {
      return false;
    }
  };

  test('is read as it was written, with and without a name', () => {
    const { key, size, hash, type } = FILE;
    const nameless = { key, size, hash, type };
    for (const media of [[FILE], [nameless], [FILE, nameless]]) {
      const content = { body: 'look', subject: 'Your results', media };
      expect(decodeContent(encodeContent(content))).toEqual(content);
    }
  });

  test.each<[string, object]>([
    ['a short key', { key: new Uint8Array(31) }],
    ['a long hash', { hash: new Uint8Array(33) }],
    ['a size below zero', { size: -1 }],
    ['a size with a fraction', { size: 1.5 }],
    ['a size that nothing has', { size: 2 ** 40 + 1 }],
    ['no type', { type: '' }],
    ['a type with a line break', { type: 'image/png\nx' }],
    ['a type without end', { type: `image/${'x'.repeat(250)}` }],
    ['an empty name', { name: '' }],
    ['a name with a path', { name: '../../etc/passwd' }],
    ['a name with a path of Windows', { name: '..\\autoexec.bat' }],
    ['a name that is a folder', { name: '..' }],
    ['a name that reads backwards', { name: 'gnp.\u202eexe' }],
    ['a name with a mark of direction', { name: 'a\u200fb' }],
    ['a name of two lines', { name: 'a\nb' }],
    ['a name with a line separator', { name: 'a\u2028b' }],
    ['a name with a lone surrogate', { name: 'a\ud83d' }],
    ['a name without end', { name: 'x'.repeat(257) }],
  ])('with %s is refused', (_what, changes) => {
    expect(accepts(FILE)).toBe(true);
    expect(accepts({ ...FILE, ...changes })).toBe(false);
  });

  test('is one of 32 at most', () => {
    const files = (count: number) => Array.from({ length: count }, () => FILE);
    expect(decodeContent(encodeContent({ media: files(32) }))?.media).toHaveLength(32);
    expect(() => encodeContent({ media: files(33) })).toThrow(invalid);
  });
});

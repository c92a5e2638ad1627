import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteReader, lengthPrefixed, uint } from '../../src/protocol/bytes.ts';
import {
  base64url,
  concat,
  equal,
  expandKey,
  extractKey,
  hash,
  hex,
  label,
  stretchPassword,
  utf8,
  utf8Text,
  xor,
  type Label,
} from '../../src/protocol/primitives.ts';

const bytes = fc.uint8Array({ maxLength: 100 }).map((array) => new Uint8Array(array));

describe('integers', () => {
  test('are big-endian', () => {
    expect(uint(0x0102, 2)).toEqual(Uint8Array.of(1, 2));
    expect(uint(1, 8)).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1));
  });

  test('are read as they were written', () => {
    const width = fc.constantFrom(1, 2, 4, 8 as const);
    fc.assert(
      fc.property(width, fc.nat({ max: Number.MAX_SAFE_INTEGER }), (size, any) => {
        const value = any % 2 ** Math.min(8 * size, 53);
        expect(byteReader(uint(value, size)).uint(size)).toBe(value);
      }),
    );
  });

  test.each([
    [256, 1],
    [65_536, 2],
    [2 ** 32, 4],
    [2 ** 53, 8],
    [-1, 4],
    [0.5, 4],
    [NaN, 8],
  ] as const)('%d do not fit %i bytes', (value, width) => {
    expect(() => uint(value, width)).toThrow(RangeError);
  });

  test('above 2^53 − 1 are refused, not rounded', () => {
    expect(byteReader(Uint8Array.of(0, 0x1f, 255, 255, 255, 255, 255, 255)).uint(8)).toBe(
      Number.MAX_SAFE_INTEGER,
    );
    expect(() => byteReader(Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0)).uint(8)).toThrow(RangeError);
    expect(() => byteReader(new Uint8Array(8).fill(255)).uint(8)).toThrow(RangeError);
  });
});

describe('a reader', () => {
  test('finds length-prefixed parts again, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 5 }), (parts) => {
        const reader = byteReader(concat(...parts.map((part) => lengthPrefixed(4, part))));
        expect(parts.map(() => reader.take(reader.uint(4)))).toEqual(parts);
        expect(reader.rest()).toHaveLength(0);
      }),
    );
  });

  test('never gives fewer bytes than were asked for', () => {
    const reader = byteReader(new Uint8Array(4));
    reader.take(3);
    expect(() => reader.take(2)).toThrow(RangeError);
    expect(reader.offset).toBe(3);
    expect(reader.take(1)).toHaveLength(1);
    expect(() => reader.uint(1)).toThrow(RangeError);
  });

  test('gives copies', () => {
    const source = Uint8Array.of(1, 2);
    const taken = byteReader(source).rest();
    taken.fill(9);
    expect(source).toEqual(Uint8Array.of(1, 2));
  });
});

test('no label is the start of another, so no two purposes share an input', () => {
  const labels: Record<Label, true> = {
    card: true,
    'card-signature': true,
    'card-revocation': true,
    'log-identity': true,
    'log-detail': true,
    'log-history': true,
    'log-head': true,
    'map-leaf': true,
    'map-node': true,
    hint: true,
    slot: true,
    header: true,
    message: true,
    session: true,
    recipients: true,
    media: true,
    key: true,
    envelope: true,
    sealed: true,
    'sealed-chunk': true,
    record: true,
    'record-check': true,
    'record-key': true,
    'state-key': true,
    'state-scope': true,
    state: true,
    'login-salt': true,
    'login-auth': true,
    'safety-number': true,
    'safety-number-identity': true,
  };
  const names = Object.keys(labels).map((name) => `twilio-chat-encryption/v1/${name}\0`);
  expect(utf8Text(label('card'))).toBe(names[0]);
  for (const one of names) {
    expect(names.filter((name) => name.startsWith(one))).toEqual([one]);
  }
});

test('hashes and keys for two purposes have nothing to do with each other', async () => {
  const [input, other] = [utf8('input'), utf8('other')];
  const sha256 = new Uint8Array(
    await crypto.subtle.digest('SHA-256', concat(label('card'), input)),
  );
  expect(hash('card', input)).toEqual(sha256);
  expect(hash('hint', input)).not.toEqual(sha256);
  expect(extractKey('slot', input)).not.toEqual(extractKey('message', input));
  const key = extractKey('slot', input);
  expect(expandKey(key, 'slot', [other], 32)).not.toEqual(expandKey(key, 'key', [other], 32));
});

test('keys are derived as WebCrypto’s HKDF does, labels as salt and in front of the info', async () => {
  const [input, info] = [utf8('input key'), utf8('info')];
  const key = await crypto.subtle.importKey('raw', input, 'HKDF', false, ['deriveBits']);
  const bits = await crypto.subtle.deriveBits(
    { name: 'HKDF', hash: 'SHA-256', salt: label('message'), info: concat(label('key'), info) },
    key,
    512,
  );
  expect(expandKey(extractKey('message', input), 'key', [info], 64)).toEqual(new Uint8Array(bits));
});

test('a password typed in another Unicode form gives the same key, another password another', async () => {
  const cost = { memory: 8, passes: 1, lanes: 1 };
  const salt = new Uint8Array(16);
  const key = await stretchPassword('caf\u00e9', salt, cost);
  expect(await stretchPassword('cafe\u0301', salt, cost)).toEqual(key);
  expect(await stretchPassword('cafe', salt, cost)).not.toEqual(key);
});

test('byte strings are equal iff all their bytes are', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      expect(equal(a, a.slice())).toBe(true);
      expect(equal(a, b)).toBe(hex.encode(a) === hex.encode(b));
      expect(equal(a, concat(a, Uint8Array.of(0)))).toBe(false);
      expect(xor(xor(a, b), b)).toEqual(a);
    }),
  );
});

describe.each([
  ['base64url', base64url],
  ['hex', hex],
] as const)('%s', (_name, coder) => {
  test('decodes what it encoded', () => {
    fc.assert(
      fc.property(bytes, (array) => {
        expect(coder.decode(coder.encode(array))).toEqual(array);
      }),
    );
  });

  test('has one form for each byte string: whatever decodes is encoded the same again', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(...Array.from('AQgwZz09aAfF-_+/= ')) }),
    );
    fc.assert(
      fc.property(text, (any) => {
        const decoded = coder.decode(any);
        if (decoded) expect(coder.encode(decoded)).toBe(any);
      }),
      { numRuns: 1000 },
    );
  });
});

test.each(['AA==', 'AB', 'A', 'A+', 'A/', ' AA', 'AA\n', 'ＡＡ'])('base64url is not %j', (text) => {
  expect(base64url.decode(text)).toBeNull();
});

test.each(['0', 'AB', '0g', ' 00'])('hex is not %j', (text) => {
  expect(hex.decode(text)).toBeNull();
});

test('UTF-8 that is not is null, and a byte-order mark is kept', () => {
  expect(utf8Text(Uint8Array.of(0xff))).toBeNull();
  expect(utf8Text(Uint8Array.of(0xc0, 0x80))).toBeNull();
  expect(utf8Text(Uint8Array.of(0xed, 0xa0, 0x80))).toBeNull();
  expect(utf8Text(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
});

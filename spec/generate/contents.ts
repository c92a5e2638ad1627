/** Vectors of padding and of content. */
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { ContentCase, PaddingCase, VectorFile } from '../vector-files.ts';
import { bytesOf } from './source.ts';
import { padded } from './craft.ts';
import { base64urlnopad } from '@scure/base';

// By hand from the formula, so that they are not what some code makes of it.
const LENGTHS: readonly (readonly [number, number])[] = [
  [0, 0],
  [1, 256],
  [255, 256],
  [256, 256],
  [257, 512],
  [4096, 4096],
  [4097, 4352],
  [5000, 5120],
  [8192, 8192],
  [8193, 8704],
  [9000, 9216],
  [65_536, 65_536],
  [65_537, 67_584],
  [100_000, 100_352],
  [1_000_000, 1_015_808],
  [8_450_000, 8_650_752],
  [67_108_864, 67_108_864],
  [67_108_865, 69_206_016],
];

/** `padding.json`. */
export function paddingVectors(): VectorFile<PaddingCase> {
  const good = padded(bytesOf('padding', 300));
  const put = (at: number): Uint8Array => {
    const changed = good.slice();
    changed[at] = 1;
    return changed;
  };
  const bad: readonly (readonly [string, number, Uint8Array])[] = [
    ['no padding', 300, good.slice(0, 300)],
    ['a zero less', 300, good.slice(0, -1)],
    ['a zero more', 300, padded(good.slice(0, 300), 1)],
    ['256 zeros more', 300, padded(good.slice(0, 300), 256)],
    ['a byte in the padding', 300, put(300)],
    ['a byte at the end', 300, put(511)],
    ['a length behind the end', 513, good],
    ['zeros where nothing is to be padded', 0, new Uint8Array(256)],
  ];
  return {
    description:
      'With padded: a length, and what it is padded to. With bytes: whether they are the padding of their first length bytes.',
    page: 'envelope.md',
    cases: [
      ...LENGTHS.map(([length, to]) => ({
        name: `${length} bytes`,
        result: 'ok',
        length,
        padded: to,
      })),
      { name: '300 bytes, padded', result: 'ok', length: 300, bytes: bytesToHex(good) },
      ...bad.map(([name, length, bytes]) => ({
        name,
        result: 'MALFORMED',
        length,
        bytes: bytesToHex(bytes),
      })),
    ],
  };
}

const nested = (depth: number): string => `{"attributes":${'['.repeat(depth)}${']'.repeat(depth)}}`;

const KEY = base64urlnopad.encode(bytesOf('media key'));
const HASH = base64urlnopad.encode(bytesOf('media hash'));
const FILE = `{"key":"${KEY}","size":12345,"hash":"${HASH}","type":"image/png","name":"X-ray of a knee.png"}`;
const withFile = (file: string): string => `{"media":[${file}]}`;
const files = (count: number): string => `{"media":[${Array(count).fill(FILE).join(',')}]}`;

const GOOD: readonly (readonly [string, string])[] = [
  ['nothing', '{}'],
  ['a body', '{"body":"Hey Bob"}'],
  ['an empty body', '{"body":""}'],
  [
    'every member',
    `{"body":"look","attributes":{"mood":"good"},"subject":"Knee","media":[${FILE}]}`,
  ],
  ['attributes that are null', '{"attributes":null}'],
  ['attributes that are a number', '{"attributes":-1.5e-7}'],
  [
    'numbers as ECMAScript writes them',
    '{"attributes":[0,1e+21,100000000000000000000,0.000001,1e-7,5e-324]}',
  ],
  ['members in an order of its own', '{"attributes":{"b":1,"a":2,"":3}}'],
  [
    'member names like array indexes, in ascending order first',
    '{"attributes":{"1":0,"10":0,"a":0}}',
  ],
  [
    'a member name like a number, but no array index',
    '{"attributes":{"a":0,"4294967295":0,"01":0}}',
  ],
  [
    'characters that are escaped and others that are not',
    '{"body":"\\b\\t\\n\\f\\r\\"\\\\\\u0000\\u001f\u007f\u2028/é🎈"}',
  ],
  ['nesting 32 deep', nested(32)],
  ['a byte-order mark in a text', '{"body":"\ufeff"}'],
  ['a member called constructor', '{"attributes":{"constructor":{"prototype":1}}}'],
  ['32 files', files(32)],
  ['a file without a name', withFile(FILE.replace(',"name":"X-ray of a knee.png"', ''))],
  ['a file of 2^40 bytes', withFile(FILE.replace('12345', '1099511627776'))],
  ['an empty file', withFile(FILE.replace('12345', '0'))],
  ['a file named with a variation selector', withFile(FILE.replace('X-ray', 'I ❤\ufe0f X-rays'))],
  ['a file named with joined emoji', withFile(FILE.replace('X-ray', '👩\u200d👩\u200d👧\u200d👦'))],
  ['a file named with a Persian non-joiner', withFile(FILE.replace('X-ray', 'می\u200cخواهم'))],
  ['a file named in form NFD', withFile(FILE.replace('X-ray', 'e\u0301'))],
  ['a file named with code points not assigned', withFile(FILE.replace('X-ray', '\u{50000}'))],
  ['a type with a parameter', withFile(FILE.replace('image/png', 'text/plain; charset=utf-8'))],
];

const BAD: readonly (readonly [string, string])[] = [
  ['no bytes', ''],
  ['null', 'null'],
  ['a list', '[]'],
  ['a string', '"Hey"'],
  ['a space', '{"body": "Hey"}'],
  ['a line break at its end', '{"body":"Hey"}\n'],
  ['a byte-order mark in front', '\ufeff{"body":"Hey"}'],
  ['trailing bytes', '{"body":"Hey"}{}'],
  ['a trailing zero byte', '{"body":"Hey"}\u0000'],
  ['a body twice', '{"body":"a","body":"b"}'],
  ['a member twice, deep inside', '{"attributes":{"a":{"b":1,"b":1}}}'],
  ['an unknown member', '{"body":"Hey","html":"<b>"}'],
  ['members in another order', '{"attributes":1,"body":"Hey"}'],
  ['a body that is null', '{"body":null}'],
  ['a body that is a number', '{"body":1}'],
  ['a subject that is no string', '{"subject":{}}'],
  ['an escaped letter', '{"body":"\\u0048ey"}'],
  ['an escaped slash', '{"body":"a\\/b"}'],
  ['an escape in upper case', '{"body":"\\u001F"}'],
  ['a control character not escaped', '{"body":"\u0001"}'],
  ['a lone high surrogate, escaped', '{"body":"\\ud800"}'],
  ['a lone low surrogate, escaped', '{"body":"\\udc00x"}'],
  ['a pair of surrogates, escaped', '{"body":"\\ud83c\\udf88"}'],
  ['a lone surrogate in a name', '{"attributes":{"\\ud800":1}}'],
  ['a member __proto__', '{"attributes":{"__proto__":{"admin":true}}}'],
  ['a member __proto__ outside', '{"__proto__":{"body":"Hey"}}'],
  ['nesting 33 deep', nested(33)],
  ['nesting 5000 deep', nested(5000)],
  ['minus zero', '{"attributes":-0}'],
  ['a fraction of zero', '{"attributes":1.0}'],
  ['an exponent in another form', '{"attributes":1e21}'],
  ['a number with too many digits', '{"attributes":9007199254740993}'],
  ['an infinite number', '{"attributes":1e400}'],
  ['NaN', '{"attributes":NaN}'],
  ['array indexes not in order', '{"attributes":{"10":0,"1":0}}'],
  ['an array index behind another name', '{"attributes":{"a":0,"1":0}}'],
  ['a comment', '{"body":"Hey"/**/}'],
  ['a trailing comma', '{"body":"Hey",}'],
  ['no files', '{"media":[]}'],
  ['33 files', files(33)],
  ['media that is no list', '{"media":{}}'],
  ['a file that is null', '{"media":[null]}'],
  ['a file with a member more', withFile(FILE.replace('{', '{"url":"x",'))],
  [
    'a file in another order',
    withFile(FILE.replace('"size":12345,', '').replace('}', ',"size":12345}')),
  ],
  ['a file without a size', withFile(FILE.replace('"size":12345,', ''))],
  ['a file with a key of 31 bytes', withFile(FILE.replace(KEY, KEY.slice(0, -2)))],
  ['a file with a padded hash', withFile(FILE.replace(HASH, `${HASH}=`))],
  ['a file of negative size', withFile(FILE.replace('12345', '-1'))],
  ['a file of a size with a fraction', withFile(FILE.replace('12345', '1.5'))],
  ['a file over 2^40 bytes', withFile(FILE.replace('12345', '1099511627777'))],
  ['a file without a type', withFile(FILE.replace('image/png', ''))],
  ['a file whose type has a line break', withFile(FILE.replace('image/png', 'image/png\\nx'))],
  ['a file whose type has 256 characters', withFile(FILE.replace('image/png', 'x'.repeat(256)))],
  ['a file with an empty name', withFile(FILE.replace('X-ray of a knee.png', ''))],
  ['a file whose name is null', withFile(FILE.replace('"X-ray of a knee.png"', 'null'))],
  ['a file whose name has a path', withFile(FILE.replace('X-ray', '../X-ray'))],
  ['a file whose name has a backslash', withFile(FILE.replace('X-ray', '..\\\\X-ray'))],
  ['a file whose name is a folder', withFile(FILE.replace('X-ray of a knee.png', '..'))],
  ['a file whose name runs backwards', withFile(FILE.replace('X-ray', '\u202eX-ray'))],
  ['a file whose name isolates a direction', withFile(FILE.replace('X-ray', '\u2067X-ray'))],
  ['a file whose name has two lines', withFile(FILE.replace('X-ray', 'X\\nray'))],
  ['a file whose name has a line separator', withFile(FILE.replace('X-ray', 'X\u2028ray'))],
  ['a file whose name has a noncharacter', withFile(FILE.replace('X-ray', 'X\uffffray'))],
  [
    'a file whose name has 257 UTF-16 units',
    withFile(FILE.replace('X-ray of a knee.png', 'x'.repeat(257))),
  ],
];

/** `content.json`. */
export function contentVectors(): VectorFile<ContentCase> {
  const utf8 = utf8ToBytes('{"body":"Hey"}');
  const raw: readonly (readonly [string, Uint8Array])[] = [
    ['a byte that is not UTF-8', Uint8Array.from('{"body":"\u00e9"}', (c) => c.charCodeAt(0))],
    ['an overlong sequence', Uint8Array.from('{"body":"\u00c0\u00af"}', (c) => c.charCodeAt(0))],
    [
      'a surrogate in UTF-8',
      Uint8Array.from('{"body":"\u00ed\u00a0\u0080"}', (c) => c.charCodeAt(0)),
    ],
    ['UTF-16', Uint8Array.from({ length: 28 }, (_, at) => (at % 2 ? utf8[(at - 1) / 2] : 0) ?? 0)],
    ['an unfinished sequence', utf8ToBytes('{"body":"é"}').slice(0, -3)],
  ];
  return {
    description: 'The content of messages: text in UTF-8, or bytes that are not UTF-8.',
    page: 'envelope.md',
    cases: [
      ...GOOD.map(([name, text]) => ({
        name,
        result: 'ok',
        text,
        value: JSON.parse(text) as unknown,
      })),
      ...BAD.map(([name, text]) => ({ name, result: 'MALFORMED', text })),
      ...raw.map(([name, bytes]) => ({ name, result: 'MALFORMED', bytes: bytesToHex(bytes) })),
    ],
  };
}

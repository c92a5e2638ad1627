/** Vectors of encrypted files. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import { base64urlnopad } from '@scure/base';
import { encryptMedia } from 'twilio-chat-encryption/protocol';
import type { MediaCase, PartsFile } from '../vector-files.ts';
import { flipped, L, padded } from './craft.ts';
import { chunk, chunksOf, digestOf, fileOf, readAll, streamOf } from './sealed.ts';
import { bytesOf, source } from './source.ts';

const CHUNK = 65_536;

/** `media.json`. */
export async function mediaVectors(): Promise<PartsFile<MediaCase>> {
  const parts: Record<string, string> = {};
  const cases: MediaCase[] = [];
  function put(name: string, bytes: Uint8Array): string {
    parts[name] = base64urlnopad.encode(bytes);
    return name;
  }
  const hashOf = (...bytes: readonly Uint8Array[]): string =>
    bytesToHex(sha256(concatBytes(L('media'), ...bytes)));

  for (const size of [0, 1, 300, CHUNK, CHUNK + 1]) {
    const data = fileOf(size);
    const { ciphertext, key } = encryptMedia(streamOf(data), source(`file of ${size}`));
    const chunks = chunksOf(await readAll(ciphertext));
    const { hash } = await key;
    cases.push({
      name: `a file of ${size} bytes`,
      result: 'ok',
      ciphertext: chunks.map((bytes, at) => put(`chunk ${at} of ${size}`, bytes)),
      key: bytesToHex(bytesOf(`file of ${size}`)),
      size,
      hash: bytesToHex(hash),
      data: digestOf(data),
    });
  }
  const small = cases[2];
  const large = cases[4];
  if (!small || !large) throw new Error('There are five files.');
  const bytesIn = (name = ''): Uint8Array => base64urlnopad.decode(parts[name] ?? '');
  const [first = '', last = ''] = large.ciphertext;
  const [only = ''] = small.ciphertext;

  function bad(of: MediaCase, name: string, result: string, changes: Partial<MediaCase>): void {
    const { ciphertext, key, size, hash } = { ...of, ...changes };
    cases.push({ name, result, ciphertext, key, size, hash });
  }
  const failed = (name: string, ciphertext: readonly string[], of = large): void => {
    bad(of, name, 'DECRYPTION_FAILED', { ciphertext });
  };
  const other = bytesToHex(bytesOf('another'));
  failed('the last chunk left out', [first]);
  failed('the first chunk left out', [last]);
  failed('chunks swapped', [last, first]);
  failed('a chunk twice', [first, first, last]);
  failed('nothing', []);
  failed('a byte more', [first, last, put('a byte', Uint8Array.of(0))]);
  failed('a byte less', [first, put('cut', bytesIn(last).slice(0, -1))]);
  failed('a bit changed', [put('changed', flipped(bytesIn(only), 7))], small);
  failed('a bit of the tag changed', [put('changed tag', flipped(bytesIn(only), -1))], small);
  failed('a chunk more behind the last', [only, put('a chunk', new Uint8Array(272))], small);
  bad(small, 'another key', 'DECRYPTION_FAILED', { key: other });
  bad(small, 'another hash', 'DECRYPTION_FAILED', { hash: other });
  bad(small, 'a size of another padded length', 'DECRYPTION_FAILED', { size: 600 });
  bad(small, 'a size that leaves bytes in the padding', 'MALFORMED', { size: 299 });

  // What a malicious sender could describe.
  const key = bytesOf('file key');
  const crafted = (name: string, result: string, size: number, chunks: Uint8Array[]): void => {
    const names = chunks.map((bytes, at) => put(`${name}, chunk ${at}`, bytes));
    const keys = { key: bytesToHex(key), size, hash: hashOf(...chunks) };
    cases.push({ name, result, ciphertext: names, ...keys });
  };
  const data = fileOf(300);
  crafted('a byte in the padding', 'MALFORMED', 300, [
    chunk(key, 0, true, padded(data).fill(1, -1)),
  ]);
  crafted('too much padding', 'DECRYPTION_FAILED', 300, [chunk(key, 0, true, padded(data, 256))]);
  crafted('no padding', 'DECRYPTION_FAILED', 300, [chunk(key, 0, true, data)]);
  crafted('a last chunk that is not marked', 'DECRYPTION_FAILED', 300, [
    chunk(key, 0, false, padded(data)),
  ]);
  crafted('a chunk counted from 1', 'DECRYPTION_FAILED', 300, [chunk(key, 1, true, padded(data))]);
  return {
    description:
      'Encrypted files: the parts that a case names, in a row. The file is given by its length and SHA-256.',
    page: 'media.md',
    parts,
    cases,
  };
}

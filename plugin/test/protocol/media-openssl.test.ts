/** Media files made and opened by another implementation: OpenSSL, as Node has it. */
import { createCipheriv, createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  decryptMedia,
  encryptMedia,
  type Bytes,
  type MediaKey,
} from 'twilio-chat-encryption/protocol';
import { codeOf } from '../outcomes.ts';

const CHUNK = 65_536;
const KEY = Uint8Array.from({ length: 32 }, (_, at) => at);

interface Piece {
  readonly bytes: Uint8Array;
  readonly index: number;
  readonly last: boolean;
}

function sealed({ bytes, index, last }: Piece): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 7);
  nonce.writeUInt8(last ? 1 : 0, 11);
  const cipher = createCipheriv('chacha20-poly1305', KEY, nonce, { authTagLength: 16 });
  return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

function digest(ciphertext: Uint8Array): Bytes {
  const hash = createHash('sha256').update('twilio-chat-encryption/v1/media\0').update(ciphertext);
  return new Uint8Array(hash.digest());
}

function file(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at % 251) + 1);
}

/** The file and zeros up to this length. */
function padded(data: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(data);
  return bytes;
}

/** The chunks of these bytes, as they should be. */
function pieces(bytes: Uint8Array): Piece[] {
  const count = Math.max(1, Math.ceil(bytes.length / CHUNK));
  return Array.from({ length: count }, (_, index) => ({
    bytes: bytes.subarray(index * CHUNK, (index + 1) * CHUNK),
    index,
    last: index === count - 1,
  }));
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new Blob([new Uint8Array(bytes)]).stream();
}

/** What a reader makes of these chunks, described with their hash: the tags alone must tell. */
async function opened(chunks: readonly Piece[], size: number): Promise<Uint8Array> {
  const ciphertext = Buffer.concat(chunks.map(sealed));
  const key: MediaKey = { key: KEY, size, hash: digest(ciphertext) };
  return new Response(decryptMedia(streamOf(ciphertext), key)).bytes();
}

describe('a file that OpenSSL encrypts', () => {
  // Sizes, and their Padmé sizes as computed by hand.
  test.each([
    [0, 0],
    [1, 256],
    [CHUNK, CHUNK],
    [CHUNK + 1, CHUNK + 2048],
    [200_000, 200_704],
  ])('of %i bytes is the one that this library makes, byte for byte', async (size, length) => {
    const data = file(size);
    const expected = Buffer.concat(pieces(padded(data, length)).map(sealed));
    const { ciphertext, key } = encryptMedia(streamOf(data), () => KEY.slice());
    const bytes = await new Response(ciphertext).bytes();
    expect(expected.equals(bytes)).toBe(true);
    expect(await key).toEqual({ key: KEY, size, hash: digest(expected) });
    expect(Buffer.from(data).equals(await opened(pieces(padded(data, length)), size))).toBe(true);
  });

  // The value is that of a third implementation: RFC 8439 in plain Python.
  test('has the hash that was computed for it elsewhere', async () => {
    const { ciphertext, key } = encryptMedia(streamOf(file(CHUNK + 1)), () => KEY.slice());
    expect((await new Response(ciphertext).bytes()).length).toBe(67_616);
    const hash = Buffer.from((await key).hash).toString('hex');
    expect(hash).toBe('477591ebeceb7530e383b1d74e5df57dd5f336cbd57cf31a4181ec825551b8e6');
  });
});

describe('whoever has the key, and makes the hash fit, cannot', () => {
  const size = 2 * CHUNK - 100;
  const [first, second] = twoOf(pieces(padded(file(size), 2 * CHUNK)));

  test('(they open as they should be)', async () => {
    expect(Buffer.from(file(size)).equals(await opened([first, second], size))).toBe(true);
  });

  test.each<[string, readonly Piece[], number]>([
    ['leave the last chunk out, and its bytes out of the size', [first], CHUNK],
    ['leave the first chunk out', [second], CHUNK],
    ['exchange chunks', [second, first], size],
    ['repeat a chunk', [first, first], size],
    ['end without a last chunk', [first, { ...second, last: false }], size],
    ['mark a chunk before the last as last', [{ ...first, last: true }, second], size],
    ['add a chunk behind the last', [first, second, { ...second, index: 2 }], 3 * CHUNK],
    [
      'count from 1',
      [
        { ...first, index: 1 },
        { ...second, index: 2 },
      ],
      size,
    ],
    ['pad less', pieces(padded(file(size), 2 * CHUNK - 50)), size],
    ['pad more', pieces(padded(file(size), 2 * CHUNK + 4096)), size],
    ['pad a file of no bytes', pieces(new Uint8Array(256)), 0],
    ['add a last chunk of no bytes', [first, { ...second, last: false }, ...empty(2)], size],
  ])('%s', async (_what, chunks, told) => {
    expect(await codeOf(opened(chunks, told))).toBe('DECRYPTION_FAILED');
  });

  test.each([size, 2 * CHUNK - 1])('hide a byte in the padding, at %i', async (at) => {
    const bytes = padded(file(size), 2 * CHUNK);
    bytes[at] = 1;
    expect(await codeOf(opened(pieces(bytes), size))).toBe('MALFORMED');
  });

  test('send good chunks without end: they are not read far behind the size', async () => {
    let index = 0;
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(sealed({ bytes: new Uint8Array(CHUNK), index, last: false }));
        index += 1;
        if (index === 50) controller.close();
      },
    });
    const key: MediaKey = { key: KEY, size: 2 * CHUNK, hash: digest(new Uint8Array()) };
    const reading = new Response(decryptMedia(source, key)).bytes();
    expect(await codeOf(reading)).toBe('DECRYPTION_FAILED');
    expect(index).toBeLessThan(8);
  });

  test('hide a byte in a chunk of padding alone', async () => {
    const long = 129 * CHUNK;
    const bytes = padded(file(long), 132 * CHUNK);
    bytes[130 * CHUNK] = 1;
    expect(await codeOf(opened(pieces(bytes), long))).toBe('MALFORMED');
  });
});

function empty(index: number): readonly Piece[] {
  return [{ bytes: new Uint8Array(), index, last: true }];
}

function twoOf([first, second]: readonly Piece[]): [Piece, Piece] {
  if (!first || !second) throw new Error('There are two chunks.');
  return [first, second];
}

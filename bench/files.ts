/** Files, encrypted and decrypted chunk by chunk. */
import sodium from 'libsodium-wrappers';
import { decryptMedia, encryptMedia, type Bytes } from 'twilio-chat-encryption/protocol';
import { random } from './peer.ts';

/** A library, and how it encrypts so many megabytes. Gives what decrypts them. */
export interface FilePeer {
  readonly name: string;
  readonly differs: string;
  readonly encrypt: (megabytes: number) => Promise<() => unknown>;
}

/** Of the content. */
export const CHUNK = 65_536;
const CHUNKS_PER_MEGABYTE = 16;
const CONTENT = random(32_768).join('').slice(0, CHUNK);
/** Each chunk of each file. */
export const PIECE: Bytes = new TextEncoder().encode(CONTENT);

/** The chunks of a file of so many megabytes. */
export function* chunksOf(megabytes: number): Generator<Bytes, undefined> {
  for (let left = megabytes * CHUNKS_PER_MEGABYTE; left > 0; left -= 1) yield PIECE;
}

/** These, as they are asked for. */
export function streamOf(chunks: Iterator<Bytes, undefined>): ReadableStream<Bytes> {
  return new ReadableStream<Bytes>(
    {
      pull(controller) {
        const next = chunks.next();
        if (next.value === undefined) controller.close();
        else controller.enqueue(next.value);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Throws unless so many megabytes came out. */
export function checkLength(length: number, megabytes: number): void {
  if (length !== megabytes * CHUNKS_PER_MEGABYTE * CHUNK) throw new Error('Not the whole file.');
}

/** How many bytes come out of a stream. */
export async function lengthOf(stream: ReadableStream<Bytes>): Promise<number> {
  const reader = stream.getReader();
  for (let length = 0; ;) {
    const { done, value } = await reader.read();
    if (done) return length;
    length += value.length;
  }
}

/** This library. */
export const ourFiles: FilePeer = {
  name: 'this library',
  differs: '',
  async encrypt(megabytes) {
    const { ciphertext, key } = encryptMedia(streamOf(chunksOf(megabytes)), random);
    const encrypted: Bytes[] = [];
    const reader = ciphertext.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      encrypted.push(part.value);
    }
    const opens = await key;
    return async () => {
      const stream = decryptMedia(streamOf(encrypted.values()), opens);
      checkLength(await lengthOf(stream), megabytes);
    };
  },
};

/** libsodium's secretstream. */
export const sodiumFiles: FilePeer = {
  name: 'libsodium',
  differs:
    'XChaCha20-Poly1305, at once and not as a stream; no hash of the whole, and nothing is padded.',
  async encrypt(megabytes) {
    await sodium.ready;
    const key = sodium.crypto_secretstream_xchacha20poly1305_keygen();
    const { state, header } = sodium.crypto_secretstream_xchacha20poly1305_init_push(key);
    const encrypted = Array.from(chunksOf(megabytes), (chunk) =>
      sodium.crypto_secretstream_xchacha20poly1305_push(state, chunk, null, 0),
    );
    return () => {
      const reading = sodium.crypto_secretstream_xchacha20poly1305_init_pull(header, key);
      let length = 0;
      for (const chunk of encrypted) {
        const opened = sodium.crypto_secretstream_xchacha20poly1305_pull(reading, chunk, null);
        length += opened ? opened.message.length : NaN;
      }
      checkLength(length, megabytes);
    };
  },
};

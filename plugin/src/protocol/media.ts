/**
 * Media: a file, padded and encrypted chunk by chunk, so that any size passes through little memory.
 *
 *     ciphertext = chunk …      chunk = STREAM(key, index, last, 65536 bytes; fewer in the last chunk)
 *     plaintext  = the file and zeros, up to its Padmé size
 *
 * What is needed to read it is in the signed content of the message that carries it, with a hash of
 * the whole ciphertext: so chunks need no signatures of their own, and the key no commitment.
 */
import { mapChunks, streamReader, type Chunk, type StreamReader } from './chunks.ts';
import { rejected } from './header.ts';
import { CHUNK_LENGTH, encryptedMediaLength, TAG_LENGTH } from './media-length.ts';
import { paddedLength } from './padding.ts';
import {
  concat,
  decryptChunk,
  encryptChunk,
  equal,
  hashing,
  type Bytes,
  type RandomSource,
} from './primitives.ts';

/** What opens an encrypted file, and what the file must be. */
export interface MediaKey {
  /** 32 bytes, of this file alone. */
  readonly key: Bytes;
  /** Bytes of the file itself. */
  readonly size: number;
  /** SHA-256 of the ciphertext under a label, 32 bytes. */
  readonly hash: Bytes;
}

/** How a long work on a file is watched and ended. */
export interface MediaProgress {
  /** Is told how many bytes of the file are done. */
  readonly onProgress?: (bytes: number) => void;
  /** Ends the work: the stream throws its reason, and the source is cancelled. */
  readonly signal?: AbortSignal;
}

/** A file on its way out. */
export interface EncryptedMedia {
  readonly ciphertext: ReadableStream<Bytes>;
  /** What opens it; known when the ciphertext was read to its end. Rejects when that failed. */
  readonly key: Promise<MediaKey>;
}

/**
 * Encrypts a file as it is read. Its size need not be known before.
 * @param random gives the key
 * @throws EncryptionError `INVALID_ARGUMENT` when somebody else reads the source; what the source
 * throws, the ciphertext throws
 */
export function encryptMedia(
  source: ReadableStream<Uint8Array>,
  random: RandomSource,
  { onProgress, signal }: MediaProgress = {},
): EncryptedMedia {
  const key = random(32);
  const hasher = hashing('media');
  const padded = paddedReader(streamReader(source));
  let resolve: (key: MediaKey) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const known = new Promise<MediaKey>((...settle) => {
    [resolve, reject] = settle;
  });
  // Whoever reads only the ciphertext learns of a failure there.
  known.catch(() => undefined);
  const encrypt = ({ bytes, index, last }: Chunk): Bytes => {
    const ciphertext = encryptChunk(key, index, last, bytes);
    hasher.update(ciphertext);
    onProgress?.(Math.min(index * CHUNK_LENGTH + bytes.length, padded.size()));
    if (last) resolve({ key, size: padded.size(), hash: hasher.digest() });
    return ciphertext;
  };
  const ended = {
    take: padded.take,
    async cancel(reason: unknown) {
      reject(reason);
      await padded.cancel(reason);
    },
  };
  return { ciphertext: mapChunks(ended, CHUNK_LENGTH, encrypt, { signal }), key: known };
}

/**
 * Decrypts a file as it is read. No byte comes out before its chunk is verified, and the last ones
 * only when the whole was: a file that was cut off, changed, or goes on behind its end throws. What
 * came out before proves nothing until the end: another reader knows the key, and only the hash of
 * the whole tells his chunks from the sender's.
 * @throws EncryptionError `INVALID_ARGUMENT` for a size that is none, and when somebody else reads
 * the source; the stream throws `DECRYPTION_FAILED`, `MALFORMED` and what the source throws
 */
export function decryptMedia(
  source: ReadableStream<Uint8Array>,
  { key, size, hash }: MediaKey,
  { onProgress, signal }: MediaProgress = {},
): ReadableStream<Bytes> {
  const hasher = hashing('media');
  const length = encryptedMediaLength(size);
  let read = 0;
  let kept = new Uint8Array();
  const decrypt = ({ bytes, index, last }: Chunk): Bytes => {
    read += bytes.length;
    // A server that goes on and on is stopped here, not when its bytes fill a disk.
    if (read > length || (last && read < length)) {
      throw rejected('DECRYPTION_FAILED', 'its file does not have the length that was sent');
    }
    const plaintext = decryptChunk(key, index, last, bytes);
    if (!plaintext) throw rejected('DECRYPTION_FAILED', `its file was changed in chunk ${index}`);
    hasher.update(bytes);
    if (last && !equal(hasher.digest(), hash)) {
      throw rejected('DECRYPTION_FAILED', 'its file is not the one that was sent');
    }
    const before = index * CHUNK_LENGTH;
    const data = plaintext.subarray(0, Math.max(0, size - before));
    if (plaintext.subarray(data.length).some(Boolean)) {
      throw rejected('MALFORMED', 'the padding of its file is not zeros');
    }
    // The end of the file waits for the padding behind it.
    const ends = before + data.length >= size;
    if (ends) kept = concat(kept, data);
    if (ends && !last) return new Uint8Array();
    onProgress?.(Math.min(before + data.length, size));
    return ends ? kept : data;
  };
  return mapChunks(streamReader(source), CHUNK_LENGTH + TAG_LENGTH, decrypt, { signal });
}

/** The file, and then zeros; `size` is what was read of the file so far. */
function paddedReader(file: StreamReader): StreamReader & { readonly size: () => number } {
  let size = 0;
  let zeros: number | null = null;
  return {
    size: () => size,
    cancel: file.cancel,
    async take(length) {
      const bytes = zeros === null ? await file.take(length) : new Uint8Array();
      size += bytes.length;
      if (bytes.length === length) return bytes;
      zeros ??= paddedLength(size) - size;
      const padding = Math.min(zeros, length - bytes.length);
      zeros -= padding;
      return concat(bytes, new Uint8Array(padding));
    },
  };
}

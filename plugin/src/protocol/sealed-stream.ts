/**
 * Sealed streams: data of any length, encrypted and verified chunk by chunk in bounded memory.
 *
 *     stream    = lp32(envelope) || chunk …     the envelope: sealed data of mode 1, content key[32]
 *     chunk     = STREAM(key, index, last, pad(signature[64] || lp32(data)))
 *     data      = 65468 bytes, so that a plaintext has 64 KiB; fewer in the last chunk, none only
 *                 when the whole stream is empty
 *     signature = Ed25519(signingKey, L"sealed-chunk" || headerHash || index u64 || last u8 || SHA-256(L"sealed-chunk" || data))
 *
 * Each chunk is signed, because each of the recipients knows the key of the stream: without it any
 * of them could write another end to what the sender began. The last chunk is padded as a message
 * is; of a longer stream the number of chunks shows.
 */
import { byteReader, lengthPrefixed, uint } from './bytes.ts';
import { mapChunks, streamReader, type Chunk, type StreamReader } from './chunks.ts';
import type { SigningKey, VerifyingKey } from './curves.ts';
import { rejected } from './header.ts';
import { isPadded, pad } from './padding.ts';
import { decryptChunk, encryptChunk, hash, type Bytes, type RandomSource } from './primitives.ts';
import { openData, sealData, type OpenedData } from './sealed-data.ts';
import { sign, verify } from './signature.ts';
import type { SlotOpener } from './slot.ts';
import type { SlotSealer } from './slot-parts.ts';

const SIGNATURE_LENGTH = 64;
const CHUNK_LENGTH = 65_536;
const TAG_LENGTH = 16;
const DATA_LENGTH = CHUNK_LENGTH - SIGNATURE_LENGTH - 4;
const KEY_LENGTH = 32;
// 4096 slots of any suite, and what comes with a key.
const MAX_ENVELOPE = 5 * 2 ** 20;

/**
 * Signs and encrypts a stream for recipients, as it is read. Cancelling either cancels the other.
 * @param slots under an ephemeral key of their own
 * @throws EncryptionError `INVALID_ARGUMENT`, and what the slots throw; what `source` throws, the
 * resulting stream throws
 */
export async function sealStream(
  source: ReadableStream<Uint8Array>,
  signingKey: SigningKey,
  slots: SlotSealer,
  random: RandomSource,
): Promise<ReadableStream<Bytes>> {
  const reader = streamReader(source);
  return orCancel(reader, async () => {
    const key = random(KEY_LENGTH);
    const { bytes, headerHash } = await sealData('stream', key, signingKey, slots, random);
    const seal = async ({ bytes: data, index, last }: Chunk): Promise<Bytes> => {
      const parts = signedParts(headerHash, index, last, data);
      const signature = await sign(signingKey, 'sealed-chunk', ...parts);
      return encryptChunk(key, index, last, pad(signature, lengthPrefixed(4, data)));
    };
    return mapChunks(reader, DATA_LENGTH, seal, { head: lengthPrefixed(4, bytes) });
  });
}

/** A stream whose sender is verified; its pieces are as they come out, its length at its end. */
export interface OpenedStream {
  readonly content: ReadableStream<Bytes>;
  /** The one of the given keys that signed it. */
  readonly senderKey: VerifyingKey;
}

/**
 * Opens what {@link sealStream} made. No byte comes out before its chunk is verified; a stream that
 * was cut off, or goes on behind its end, throws in the place of its last chunk.
 * @param senders the keys of whom it may be from
 * @returns null when no slot is for this reader
 * @throws EncryptionError `INVALID_ARGUMENT` and those of {@link openData}; the stream throws
 * `DECRYPTION_FAILED`, `BAD_SIGNATURE`, `MALFORMED` and what `source` throws
 */
export async function openStream(
  source: ReadableStream<Uint8Array>,
  opener: SlotOpener,
  senders: readonly VerifyingKey[],
): Promise<OpenedStream | null> {
  const reader = streamReader(source);
  return orCancel(reader, async () => {
    const opened = await openData('stream', await readEnvelope(reader), opener, senders);
    if (!opened) {
      await reader.cancel('It is for somebody else.');
      return null;
    }
    if (opened.content.length !== KEY_LENGTH) throw rejected('MALFORMED', 'it has no stream key');
    const open = (chunk: Chunk): Promise<Bytes> => openChunk(opened, chunk);
    const content = mapChunks(reader, CHUNK_LENGTH + TAG_LENGTH, open);
    return { content, senderKey: opened.senderKey };
  });
}

async function orCancel<T>(reader: StreamReader, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    await reader.cancel(error).catch(() => undefined);
    throw error;
  }
}

async function readEnvelope(reader: StreamReader): Promise<Bytes> {
  const head = await reader.take(4);
  const length = head.length === 4 ? byteReader(head).uint(4) : 0;
  const bytes = length <= MAX_ENVELOPE ? await reader.take(length) : new Uint8Array();
  if (length === 0 || bytes.length < length) {
    throw rejected('MALFORMED', 'it does not begin with an envelope');
  }
  return bytes;
}

async function openChunk(
  { content: key, headerHash, senderKey }: OpenedData,
  { bytes, index, last }: Chunk,
): Promise<Bytes> {
  const plaintext = decryptChunk(key, index, last, bytes);
  if (!plaintext) {
    throw rejected('DECRYPTION_FAILED', `chunk ${index} was changed, moved, or is not the last`);
  }
  const { signature, data } = decodeChunk(plaintext);
  // One way to cut a stream: what is signed is what was sent, also in its chunks.
  const full = data.length === DATA_LENGTH || (last && (data.length > 0 || index === 0));
  if (!full) throw rejected('MALFORMED', `chunk ${index} does not have the right length`);
  const parts = signedParts(headerHash, index, last, data);
  if (await verify(senderKey, 'sealed-chunk', signature, ...parts)) return data;
  throw rejected('BAD_SIGNATURE', `its sender did not sign chunk ${index}`);
}

function decodeChunk(plaintext: Bytes): { readonly signature: Bytes; readonly data: Bytes } {
  try {
    const reader = byteReader(plaintext);
    const signature = reader.take(SIGNATURE_LENGTH);
    const data = reader.take(reader.uint(4));
    if (isPadded(plaintext, reader.offset)) return { signature, data };
  } catch {
    // Malformed either way.
  }
  throw rejected('MALFORMED', 'the plaintext of a chunk is malformed');
}

function signedParts(headerHash: Bytes, index: number, last: boolean, data: Bytes): Bytes[] {
  return [headerHash, uint(index, 8), uint(last ? 1 : 0, 1), hash('sealed-chunk', data)];
}

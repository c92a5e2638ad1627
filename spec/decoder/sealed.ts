/** Sealed data, streams and files: sealed-data.md and media.md. */
import { isPadded, L, paddedLength, Reader, require, sha256, uint } from './bytes.ts';
import { isSignature } from './curves.ts';
import { aead, decrypt, openSlots, parseEnvelope, type ReaderKeys } from './envelope.ts';

const CHUNK = 65_536;
const TAG = 16;

/** Opens sealed data of a mode (0: data, 1: what opens a stream). */
export function openData(
  mode: number,
  bytes: Buffer,
  keys: ReaderKeys,
  senders: readonly Buffer[],
) {
  const envelope = parseEnvelope(bytes);
  require(envelope.type === 4, 'MALFORMED');
  const plaintext = decrypt('sealed', envelope, openSlots(envelope, keys));
  const { reader } = plaintext;
  const [senderKey, itsMode] = [reader.take(32), reader.uint(1)];
  const content = reader.take(reader.uint(4));
  require(plaintext.isPadded() && itsMode === mode, 'MALFORMED');
  require(senders.some((key) => key.equals(senderKey)) &&
    plaintext.isSignedBy(senderKey), 'BAD_SIGNATURE');
  return { content, senderKey, headerHash: envelope.headerHash };
}

/** Opens a sealed stream. */
export function openStream(bytes: Buffer, keys: ReaderKeys, senders: readonly Buffer[]): Buffer {
  const reader = new Reader(bytes);
  const length = reader.uint(4);
  require(length > 0 && length <= 5 * 2 ** 20, 'MALFORMED');
  const opened = openData(1, reader.take(length), keys, senders);
  require(opened.content.length === 32, 'MALFORMED');
  const full = CHUNK - 64 - 4;
  const pieces = chunksOf(reader.rest()).map((chunk, index, all) => {
    const last = index === all.length - 1;
    const plaintext = aead(opened.content, chunkNonce(index, last), chunk);
    require(plaintext !== null, 'DECRYPTION_FAILED');
    const inside = new Reader(plaintext);
    const signature = inside.take(64);
    const data = inside.take(inside.uint(4));
    require(isPadded(plaintext, inside.offset), 'MALFORMED');
    const whole = data.length === full || (last && (data.length > 0 || index === 0));
    require(whole, 'MALFORMED');
    const digest = sha256(L('sealed-chunk'), data);
    const place = [opened.headerHash, uint(index, 8), uint(last ? 1 : 0, 1)];
    const signed = Buffer.concat([L('sealed-chunk'), ...place, digest]);
    require(isSignature(opened.senderKey, signature, signed), 'BAD_SIGNATURE');
    return data;
  });
  return Buffer.concat(pieces);
}

/** Opens an encrypted file. */
export function openMedia(ciphertext: Buffer, key: Buffer, size: number, hash: Buffer): Buffer {
  const padded = paddedLength(size);
  const count = Math.max(1, Math.ceil(padded / CHUNK));
  // What is longer or shorter is not what was sent, whatever its chunks hold.
  const chunks = chunksOf(ciphertext);
  const whole = ciphertext.length === padded + TAG * count;
  const plaintext = chunks.map((chunk, index) => {
    const last = index === chunks.length - 1;
    const opened = aead(key, chunkNonce(index, last), chunk);
    require(opened !== null, 'DECRYPTION_FAILED');
    return opened;
  });
  require(whole && sha256(L('media'), ciphertext).equals(hash), 'DECRYPTION_FAILED');
  const file = Buffer.concat(plaintext);
  require(file.subarray(size).every((byte) => byte === 0), 'MALFORMED');
  return file.subarray(0, size);
}

/** Pieces of 65552 bytes; the last one is what is left, if only its emptiness. */
function chunksOf(bytes: Buffer): readonly Buffer[] {
  const length = CHUNK + TAG;
  const count = Math.max(1, Math.ceil(bytes.length / length));
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * length, (at + 1) * length));
}

function chunkNonce(index: number, last: boolean): Buffer {
  return Buffer.concat([uint(index, 11), uint(last ? 1 : 0, 1)]);
}

import { EncryptionError } from '../errors.ts';
import { paddedLength } from './padding.ts';

/** Bytes of a file in one chunk of its ciphertext; the last has fewer. */
export const CHUNK_LENGTH = 65_536;
/** Bytes of each chunk's tag. */
export const TAG_LENGTH = 16;

/**
 * How many bytes a file of `size` bytes has when it is encrypted.
 * @throws EncryptionError `INVALID_ARGUMENT` for what is not the size of a file
 */
export function encryptedMediaLength(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new EncryptionError('INVALID_ARGUMENT', 'The size of a file is a number of bytes.');
  }
  const padded = paddedLength(size);
  return padded + TAG_LENGTH * Math.max(1, Math.ceil(padded / CHUNK_LENGTH));
}

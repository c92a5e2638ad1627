/**
 * What is in a backup, behind its password: the keys of a person's devices, and which backup it is.
 *
 *     backup = version=1 | generation u32 | savedAt u64 | keys      see `key-ring.ts`
 */
import { byteReader, uint } from './bytes.ts';
import { damaged } from './key-record.ts';
import { decodeKeys, keyParts, type StoredKeys } from './key-ring.ts';
import { concat, type Bytes } from './primitives.ts';
import { isTime } from './time.ts';

const VERSION = 1;
const HEADER_LENGTH = 1 + 4 + 8;

/** The longest record of a backup that a server keeps, in bytes. */
export const MAX_BACKUP_BYTES: number = 256 * 1024;

/** What a person's devices know of one another's keys. */
export interface Backup {
  /** Counts the backups of this person, from 1: a lower one than before is an old one. */
  readonly generation: number;
  /** By the clock of the device that made it: milliseconds since 1970-01-01 UTC. */
  readonly savedAt: number;
  /** At least one; to be wiped after use. */
  readonly keys: readonly StoredKeys[];
}

/** The bytes of a backup, to be wiped after use. */
export function encodeBackup({ generation, savedAt, keys }: Backup): Bytes {
  return concat(uint(VERSION, 1), uint(generation, 4), uint(savedAt, 8), ...keyParts(keys));
}

/**
 * The reverse of {@link encodeBackup}; the secrets are views of `bytes`.
 * @throws EncryptionError `KEY_RECORD_DAMAGED`
 */
export function decodeBackup(bytes: Bytes): Backup {
  const header = readHeader(bytes);
  if (!header) throw damaged();
  return { ...header, keys: decodeKeys(bytes.subarray(HEADER_LENGTH)) };
}

function readHeader(bytes: Bytes): Omit<Backup, 'keys'> | null {
  try {
    const reader = byteReader(bytes);
    const [version, generation, savedAt] = [reader.uint(1), reader.uint(4), reader.uint(8)];
    const isValid = version === VERSION && generation >= 1 && isTime(savedAt);
    return isValid ? { generation, savedAt } : null;
  } catch {
    // It ends early, or the time is over 2^53.
    return null;
  }
}

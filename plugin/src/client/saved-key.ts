/**
 * The key pairs of the low-level API at rest: key records (`key-record.ts`) of
 *
 *     secret = format=1 | signingSeed[32] | encryptionSecret[32]
 *
 * named `saved-key/<name>` in the key store, `exported-key` as a string. The name is bound: neither
 * opens as the other, or under another name.
 */
import { EncryptionError } from '../errors.ts';
import { openKeyRecord, sealKeyRecord } from '../protocol/key-record.ts';
import { base64url, concat, type Bytes, type RandomSource } from '../protocol/primitives.ts';

const FORMAT = 1;
const SECRET_LENGTH = 32;
const MAX_NAME = 256;
const EXPORTED = 'exported-key';
// A record is some 170 bytes. Argon2id does not run on what cannot be one.
const MAX_EXPORT_CHARACTERS = 1024;

/** Both halves of a key pair's secret, to be wiped after use. */
export interface KeySecrets {
  readonly signingSeed: Bytes;
  readonly encryptionSecret: Bytes;
}

/** The bytes of fresh keys, to be wiped after use. */
export function makeSecret(random: RandomSource): Bytes {
  const keys = random(2 * SECRET_LENGTH);
  const secret = concat(Uint8Array.of(FORMAT), keys);
  keys.fill(0);
  return secret;
}

/**
 * The parts of a secret, in the same memory.
 * @throws EncryptionError `KEY_RECORD_DAMAGED`
 */
export function splitSecret(secret: Bytes): KeySecrets {
  if (secret.length !== 1 + 2 * SECRET_LENGTH || secret[0] !== FORMAT) {
    throw new EncryptionError('KEY_RECORD_DAMAGED', 'The record does not hold a key pair.');
  }
  return {
    signingSeed: secret.subarray(1, 1 + SECRET_LENGTH),
    encryptionSecret: secret.subarray(1 + SECRET_LENGTH),
  };
}

/**
 * The name of the record of a saved key.
 * @throws EncryptionError `INVALID_ARGUMENT` unless `name` is 1 to 256 well-formed characters
 */
export function recordName(name: string): string {
  if (typeof name === 'string' && name.length >= 1 && name.length <= MAX_NAME) {
    if (name.isWellFormed()) return `saved-key/${name}`;
  }
  throw new EncryptionError('INVALID_ARGUMENT', 'The name of a key is 1 to 256 characters.');
}

/** A secret as a string, sealed under a password; errors as {@link sealKeyRecord}. */
export async function exportSecret(
  secret: Bytes,
  password: string,
  random: RandomSource,
): Promise<string> {
  return base64url.encode(await sealKeyRecord(EXPORTED, secret, password, random));
}

/**
 * The reverse of {@link exportSecret}.
 * @throws EncryptionError `WRONG_PASSWORD`, `KEY_RECORD_DAMAGED`
 */
export async function importSecret(exported: string, password: string): Promise<Bytes> {
  const record = exported.length <= MAX_EXPORT_CHARACTERS ? base64url.decode(exported) : null;
  if (record) return openKeyRecord(EXPORTED, record, password);
  throw new EncryptionError('KEY_RECORD_DAMAGED', 'This is not an exported key.');
}

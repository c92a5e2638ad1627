/**
 * The key pairs of the low-level API at rest: key records (`key-record.ts`) of
 *
 *     secret = format=1 | signingSeed[32] | encryptionSecret[32]
 *              format=2 | signingSeed[32] | encryptionSecret[32] | pqSeed[32]      with suite 2
 *
 * named `saved-key/<name>` in the key store, `exported-key` as a string. The name is bound: neither
 * opens as the other, or under another name.
 */
import { passwordArgument, textArgument } from '../arguments.ts';
import { EncryptionError } from '../errors.ts';
import { openKeyRecord, sealKeyRecord } from '../protocol/key-record.ts';
import { base64url, concat, type Bytes, type RandomSource } from '../protocol/primitives.ts';

/** What a secret begins with, by how many secrets follow. */
const FORMATS = { 2: 1, 3: 2 } as const;
const SECRET_LENGTH = 32;
const MAX_NAME = 256;
const EXPORTED = 'exported-key';
// A record is some 200 bytes. Argon2id does not run on what cannot be one.
const MAX_EXPORT_CHARACTERS = 1024;

/** The parts of a key pair's secret, to be wiped after use. */
export interface KeySecrets {
  readonly signingSeed: Bytes;
  readonly encryptionSecret: Bytes;
  /** Of X-Wing; there when the key takes part in suite 2. */
  readonly pqSeed?: Bytes;
}

/**
 * The bytes of fresh keys, to be wiped after use.
 * @param postQuantum whether they take part in suite 2
 */
export function makeSecret(random: RandomSource, postQuantum = false): Bytes {
  const count = postQuantum ? 3 : 2;
  const keys = random(count * SECRET_LENGTH);
  const secret = concat(Uint8Array.of(FORMATS[count]), keys);
  keys.fill(0);
  return secret;
}

/**
 * The parts of a secret, in the same memory.
 * @throws EncryptionError `KEY_RECORD_DAMAGED`
 */
export function splitSecret(secret: Bytes): KeySecrets {
  const part = (index: number): Bytes =>
    secret.subarray(1 + index * SECRET_LENGTH, 1 + (index + 1) * SECRET_LENGTH);
  const pair = { signingSeed: part(0), encryptionSecret: part(1) };
  if (hasForm(secret, 2)) return pair;
  if (hasForm(secret, 3)) return { ...pair, pqSeed: part(2) };
  throw new EncryptionError('KEY_RECORD_DAMAGED', 'The record does not hold a key pair.');
}

function hasForm(secret: Bytes, count: keyof typeof FORMATS): boolean {
  return secret[0] === FORMATS[count] && secret.length === 1 + count * SECRET_LENGTH;
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
 * @throws EncryptionError `INVALID_ARGUMENT`, `WRONG_PASSWORD`, `KEY_RECORD_DAMAGED`
 */
export async function importSecret(exported: string, password: string): Promise<Bytes> {
  const text = textArgument(exported, 'exported (a key)');
  passwordArgument(password);
  const record = text.length <= MAX_EXPORT_CHARACTERS ? base64url.decode(text) : null;
  if (record) return openKeyRecord(EXPORTED, record, password);
  throw new EncryptionError('KEY_RECORD_DAMAGED', 'This is not an exported key.');
}

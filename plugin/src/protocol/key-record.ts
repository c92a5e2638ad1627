/**
 * Key records: secrets at rest, sealed under a password.
 *
 *     record = version=1 | memory u32 | passes u32 | lanes u8 | salt[16] | check[32] | nonce[24] | ciphertext
 */
import { invalidArgument, passwordArgument } from '../arguments.ts';
import { EncryptionError } from '../errors.ts';
import { byteReader, lengthPrefixed, uint } from './bytes.ts';
import {
  concat,
  decryptAtRest,
  encryptAtRest,
  equal,
  expandKey,
  label,
  stretchPassword,
  utf8,
  type Bytes,
  type PasswordCost,
  type RandomSource,
} from './primitives.ts';

const VERSION = 1;
/** OWASP's minimum for Argon2id (Password Storage Cheat Sheet, 2024): 19 MiB, 2 passes, 1 lane. */
const COST: PasswordCost = { memory: 19 * 1024, passes: 2, lanes: 1 };
// A damaged or planted record must not make us allocate or compute without end.
const CAPS: PasswordCost = { memory: 256 * 1024, passes: 16, lanes: 4 };

/**
 * Seals a secret under a password.
 * @param name where the record will be stored; a record moved to another name does not open
 * @param cost of guessing the password; by default that of records on the device itself
 * @throws EncryptionError `INVALID_ARGUMENT` when the password is empty, or not well-formed text
 */
export async function sealKeyRecord(
  name: string,
  secret: Bytes,
  password: string,
  random: RandomSource,
  cost = COST,
): Promise<Bytes> {
  if (passwordArgument(password) === '') throw invalidArgument('The password is empty.');
  const salt = random(16);
  const nonce = random(24);
  const { key, check } = deriveKeys(await stretchPassword(password, salt, cost));
  const parameters = encodeParameters(cost, salt);
  const ciphertext = encryptAtRest(key, nonce, secret, associated(name, parameters));
  return concat(parameters, check, nonce, ciphertext);
}

/**
 * Opens what {@link sealKeyRecord} made.
 * @throws EncryptionError `INVALID_ARGUMENT` when the password is not well-formed text;
 * `WRONG_PASSWORD`; `KEY_RECORD_DAMAGED` when it is not what was saved
 */
export async function openKeyRecord(name: string, record: Bytes, password: string): Promise<Bytes> {
  passwordArgument(password);
  const { parameters, cost, salt, check, nonce, ciphertext } = parseRecord(record);
  const keys = deriveKeys(await stretchPassword(password, salt, cost));
  if (!equal(keys.check, check)) {
    throw new EncryptionError('WRONG_PASSWORD', 'The password does not open the stored key.');
  }
  const secret = decryptAtRest(keys.key, nonce, ciphertext, associated(name, parameters));
  if (!secret) throw damaged();
  return secret;
}

function deriveKeys(stretched: Bytes): { key: Bytes; check: Bytes } {
  return {
    key: expandKey(stretched, 'record-key', [], 32),
    check: expandKey(stretched, 'record-check', [], 32),
  };
}

function encodeParameters({ memory, passes, lanes }: PasswordCost, salt: Bytes): Bytes {
  return concat(uint(VERSION, 1), uint(memory, 4), uint(passes, 4), uint(lanes, 1), salt);
}

function associated(name: string, parameters: Bytes): Bytes {
  return concat(label('record'), lengthPrefixed(2, utf8(name)), parameters);
}

function parseRecord(record: Bytes): {
  parameters: Bytes;
  cost: PasswordCost;
  salt: Bytes;
  check: Bytes;
  nonce: Bytes;
  ciphertext: Bytes;
} {
  try {
    const reader = byteReader(record);
    const version = reader.uint(1);
    const cost = { memory: reader.uint(4), passes: reader.uint(4), lanes: reader.uint(1) };
    const salt = reader.take(16);
    const parameters = record.slice(0, reader.offset);
    const [check, nonce, ciphertext] = [reader.take(32), reader.take(24), reader.rest()];
    if (version !== VERSION || !isAffordable(cost)) throw damaged();
    return { parameters, cost, salt, check, nonce, ciphertext };
  } catch (cause) {
    throw damaged(cause);
  }
}

// RFC 9106 §3.1: at least one pass and lane, and 8 KiB of memory for each lane.
function isAffordable({ memory, passes, lanes }: PasswordCost): boolean {
  return (
    lanes >= 1 &&
    lanes <= CAPS.lanes &&
    passes >= 1 &&
    passes <= CAPS.passes &&
    memory >= 8 * lanes &&
    memory <= CAPS.memory
  );
}

/** The error of keys that are not what was saved. */
export function damaged(cause?: unknown): EncryptionError {
  return new EncryptionError('KEY_RECORD_DAMAGED', 'The stored key is not what was saved.', {
    cause,
  });
}

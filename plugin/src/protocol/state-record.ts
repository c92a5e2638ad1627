/**
 * State records: what a device remembers (pins, counters, places of messages), sealed under a key
 * of its own. Whoever can write to the storage can remove or bring back a record, not make one up;
 * whoever can read it sees the names of the records only.
 *
 *     record = nonce[24] | ciphertext
 */
import { EncryptionError } from '../errors.ts';
import {
  concat,
  decryptAtRest,
  encryptAtRest,
  expandKey,
  extractKey,
  hex,
  label,
  utf8,
  type Bytes,
  type RandomSource,
} from './primitives.ts';

const NONCE_LENGTH = 24;

/** The key of state records, 32 bytes: from a device's secret, or from the private keys of a card. */
export function deriveStateKey(secret: Uint8Array): Bytes {
  return expandKey(extractKey('state-key', secret), 'state-key', [], 32);
}

/** What the names of a device's state records begin with, from its secret. */
export function deriveScope(deviceSecret: Uint8Array): string {
  const name = expandKey(extractKey('state-key', deviceSecret), 'state-scope', [], 16);
  return `device-${hex.encode(name)}`;
}

/** Seals a record; it opens under the same name only. */
export function sealStateRecord(
  key: Bytes,
  name: string,
  plaintext: Bytes,
  random: RandomSource,
): Bytes {
  const nonce = random(NONCE_LENGTH);
  return concat(nonce, encryptAtRest(key, nonce, plaintext, associated(name)));
}

/**
 * Opens what {@link sealStateRecord} made.
 * @throws EncryptionError `KEY_RECORD_DAMAGED`
 */
export function openStateRecord(key: Bytes, name: string, record: Bytes): Bytes {
  const nonce = record.slice(0, NONCE_LENGTH);
  const plaintext =
    nonce.length === NONCE_LENGTH
      ? decryptAtRest(key, nonce, record.slice(NONCE_LENGTH), associated(name))
      : null;
  if (plaintext) return plaintext;
  throw new EncryptionError('KEY_RECORD_DAMAGED', `The stored record ${name} is damaged.`);
}

function associated(name: string): Bytes {
  return concat(label('state'), utf8(name));
}

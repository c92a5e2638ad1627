/**
 * The private keys that a device holds, as they are at rest in a key record: those of its card, of the
 * cards that it replaced, and of cards of other devices that were restored from a backup.
 *
 *     ring = version=1 | deviceSecret[32] | keys
 *     keys = (signingSeed[32] | encryptionSecret[32] | pqSeed[32] | lp16(card))+      newest first
 *
 * The X-Wing seed is always there, so that there is one form; `card` is the exported card, as it was
 * before its approval.
 */
import { lengthPrefixed, uint } from './bytes.ts';
import { damaged } from './key-record.ts';
import { concat, utf8, utf8Text, type Bytes, type RandomSource } from './primitives.ts';

const VERSION = 1;
const SECRET_LENGTH = 32;
const SECRETS_LENGTH = 3 * SECRET_LENGTH;
const LENGTH_BYTES = 2;

/** The keys of one card, to be wiped after use. */
export interface StoredKeys {
  /** Signing seed, X25519 secret and X-Wing seed: 96 bytes. */
  readonly secrets: Bytes;
  /** The exported card. */
  readonly card: string;
}

/** All keys of a device. */
export interface StoredRing {
  /** Names what the device remembers, and seals it: 32 bytes. It stays while keys come and go. */
  readonly deviceSecret: Bytes;
  /** Newest first; at least one. */
  readonly keys: readonly StoredKeys[];
}

/** Fresh secrets of a card. */
export function makeSecrets(random: RandomSource): Bytes {
  return random(SECRETS_LENGTH);
}

/** Views of the signing seed, the X25519 secret and the X-Wing seed. */
export function splitSecrets(secrets: Bytes): readonly [Bytes, Bytes, Bytes] {
  const part = (index: number): Bytes =>
    secrets.subarray(index * SECRET_LENGTH, (index + 1) * SECRET_LENGTH);
  return [part(0), part(1), part(2)];
}

/** The bytes of a ring, to be wiped after use. */
export function encodeRing({ deviceSecret, keys }: StoredRing): Bytes {
  return concat(uint(VERSION, 1), deviceSecret, ...keyParts(keys));
}

/**
 * The reverse of {@link encodeRing}; the secrets are views of `bytes`. Whether the cards are valid, and the
 * keys theirs, is for whoever uses them.
 * @throws EncryptionError `KEY_RECORD_DAMAGED`
 */
export function decodeRing(bytes: Bytes): StoredRing {
  const start = 1 + SECRET_LENGTH;
  if (bytes[0] !== VERSION || bytes.length < start) throw damaged();
  return { deviceSecret: bytes.subarray(1, start), keys: decodeKeys(bytes.subarray(start)) };
}

/** What the bytes of some keys are put together of; the secrets are those of `keys`. */
export function keyParts(keys: readonly StoredKeys[]): readonly Uint8Array[] {
  return keys.flatMap(({ secrets, card }) => [secrets, lengthPrefixed(LENGTH_BYTES, utf8(card))]);
}

/**
 * Reads {@link keyParts} of at least one card; the secrets are views of `bytes`.
 * @throws EncryptionError `KEY_RECORD_DAMAGED`
 */
export function decodeKeys(bytes: Bytes): readonly StoredKeys[] {
  const keys: StoredKeys[] = [];
  // Not by a reader, whose copies of the secrets nobody would wipe.
  for (let rest = bytes; rest.length > 0 || keys.length === 0;) {
    const start = SECRETS_LENGTH + LENGTH_BYTES;
    const [high = 0, low = 0] = rest.subarray(SECRETS_LENGTH, start);
    const end = start + high * 256 + low;
    const card = utf8Text(rest.subarray(start, end));
    if (rest.length < end || card === null) throw damaged();
    keys.push({ secrets: rest.subarray(0, SECRETS_LENGTH), card });
    rest = rest.subarray(end);
  }
  return keys;
}

/** The same keys in memory of their own, to be wiped after use. */
export function copyKeys(keys: readonly StoredKeys[]): readonly StoredKeys[] {
  return keys.map(({ secrets, card }) => ({ secrets: secrets.slice(), card }));
}

/**
 * Symmetric cryptography, hashing and key derivation. Only this file and `curves*.ts` import a
 * cryptographic library; everything here is synchronous.
 */
import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { SHA256 } from '@stablelib/sha256';

import { loaded } from '../loading.ts';
import { nativeArgon2id, type PasswordCost } from './native-argon2.ts';

export type { PasswordCost } from './native-argon2.ts';
export { base32, base64, base64url, hex } from './encodings.ts';

/** Bytes in memory of their own, as WebCrypto and IndexedDB want them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Gives `length` unpredictable bytes; passed in, so that tests can repeat a run. */
export type RandomSource = (length: number) => Bytes;

const PREFIX = 'twilio-chat-encryption/v1/';

/**
 * Every purpose that a key is derived, a hash taken or a signature made for. One union, so that a
 * new purpose is a new name: a value made for one is useless for any other.
 */
export type Label =
  | 'card'
  | 'card-signature'
  | 'card-revocation'
  | 'log-identity'
  | 'log-detail'
  | 'log-history'
  | 'log-head'
  | 'map-leaf'
  | 'map-node'
  | 'hint'
  | 'slot'
  | 'header'
  | 'message'
  | 'session'
  | 'recipients'
  | 'media'
  | 'key'
  | 'envelope'
  | 'sealed'
  | 'sealed-chunk'
  | 'record'
  | 'record-check'
  | 'record-key'
  | 'state-key'
  | 'state-scope'
  | 'state'
  | 'login-salt'
  | 'login-auth'
  | 'safety-number'
  | 'safety-number-identity';

const labels = new Map<Label, Bytes>();

/**
 * `L(x)` of the specification: ASCII prefix, label, one zero byte. No label is another's prefix. The
 * same bytes each time: not to be changed.
 */
export function label(name: Label): Bytes {
  const known = labels.get(name);
  if (known) return known;
  const made = utf8(`${PREFIX}${name}\0`);
  labels.set(name, made);
  return made;
}

// To make one costs a browser more than to use it.
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The UTF-8 bytes of `text`, which must be well-formed (a lone surrogate would become U+FFFD). */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** The text of UTF-8 bytes, or null when they are not UTF-8. A byte-order mark is kept. */
export function utf8Text(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** The concatenation of `parts`. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

// To make one takes longer than to hash a block. It is erased after each use, and nothing waits in between.
const hasher = new SHA256();

function digest(...parts: readonly Uint8Array[]): Bytes {
  try {
    for (const part of parts) hasher.update(checked(part));
    const bytes = new Uint8Array(32);
    hasher.finish(bytes);
    return bytes;
  } finally {
    hasher.clean();
  }
}

// The library would hash anything that has a length. Of another realm bytes are bytes, too.
function checked(part: Uint8Array): Uint8Array {
  if (part instanceof Uint8Array) return part;
  if (Object.prototype.toString.call(part) === '[object Uint8Array]') return part;
  throw new TypeError('Only bytes can be hashed.');
}

/** SHA-256 (FIPS 180-4) of a label and then `parts`: 32 bytes. */
export function hash(name: Label, ...parts: readonly Uint8Array[]): Bytes {
  return digest(label(name), ...parts);
}

/** A hash that is fed piece by piece. */
export interface Hashing {
  update(bytes: Uint8Array): void;
  /** SHA-256 of the label and all that was fed: 32 bytes. Ends it. */
  digest(): Bytes;
}

/** {@link hash} of what does not fit into memory. */
export function hashing(name: Label): Hashing {
  const own = new SHA256().update(label(name));
  return {
    update: (bytes) => void own.update(checked(bytes)),
    digest: () => new Uint8Array(own.digest()),
  };
}

/** SHA-256 of what is long and goes into something labelled: 32 bytes. Else use {@link hash}. */
export function sha256(bytes: Uint8Array): Bytes {
  return digest(bytes);
}

// Between them the page can draw: half a millisecond each on a desktop, some on an old phone.
const ROUNDS_AT_ONCE = 650;

/**
 * Many rounds of SHA-512 (FIPS 180-4), so that each guess costs as many: the first over `first`, each
 * later one over the result of the one before and `each`. Lets the page go on now and then.
 * @param each at most 47 bytes fit into one block with the result
 * @returns 64 bytes
 * @throws EncryptionError `CODE_UNAVAILABLE`
 */
export async function hashRounds(
  first: Uint8Array,
  each: Uint8Array,
  rounds: number,
): Promise<Bytes> {
  const { sha512 } = await loaded(() => import('@noble/hashes/sha2.js'));
  let result = sha512(first);
  const input = concat(result, each);
  for (let round = 1; round < rounds; round += 1) {
    input.set(result);
    result = sha512(input);
    // A promise alone would not do: the page draws between tasks, not between microtasks.
    if (round % ROUNDS_AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  return new Uint8Array(result);
}

const BLOCK = 64;
const block = new Uint8Array(BLOCK);

/** HMAC-SHA-256 (RFC 2104): 32 bytes. Throws `RangeError` for a key of over 64 bytes. */
function hmac(key: Uint8Array, parts: readonly Uint8Array[]): Bytes {
  try {
    block.set(key);
    for (let at = 0; at < BLOCK; at += 1) block[at] = (block[at] ?? 0) ^ 0x36;
    const inner = digest(block, ...parts);
    for (let at = 0; at < BLOCK; at += 1) block[at] = (block[at] ?? 0) ^ 0x36 ^ 0x5c;
    return digest(block, inner);
  } finally {
    // What is left of the key: also for the next one, which may be shorter.
    block.fill(0);
  }
}

/** HKDF-Extract (RFC 5869 §2.2) with SHA-256 and the label as salt: a 32-byte pseudorandom key. */
export function extractKey(name: Label, inputKey: Uint8Array): Bytes {
  return hmac(label(name), [inputKey]);
}

/** HKDF-Expand (RFC 5869 §2.3) with SHA-256 and the label leading the info: `length` bytes. */
export function expandKey(
  pseudorandomKey: Uint8Array,
  name: Label,
  info: readonly Uint8Array[],
  length: number,
): Bytes {
  const bytes = new Uint8Array(length);
  let previous = new Uint8Array();
  for (let [at, count] = [0, 1]; at < length; at += 32, count += 1) {
    const parts = [previous, label(name), ...info, Uint8Array.of(count)];
    previous = hmac(pseudorandomKey, parts);
    bytes.set(previous.subarray(0, length - at), at);
  }
  return bytes;
}

const ZERO_NONCE = new Uint8Array(12);

/**
 * ChaCha20-Poly1305 (RFC 8439) under a 32-byte key that is used for this one message, hence with
 * a zero nonce. Gives the ciphertext and its 16-byte tag.
 */
export function encryptOnce(key: Uint8Array, plaintext: Uint8Array, associated: Uint8Array): Bytes {
  return chacha20poly1305(key, ZERO_NONCE, associated).encrypt(plaintext);
}

/** The reverse of {@link encryptOnce}; null when the tag does not match. */
export function decryptOnce(
  key: Uint8Array,
  ciphertext: Uint8Array,
  associated: Uint8Array,
): Bytes | null {
  return orNull(() => chacha20poly1305(key, ZERO_NONCE, associated).decrypt(ciphertext));
}

/**
 * One chunk of STREAM over ChaCha20-Poly1305 ("Online Authenticated-Encryption and its Nonce-Reuse
 * Misuse-Resistance", Hoang et al., 2015): chunks cannot be left out, moved or cut off.
 * @param key 32 bytes, of this one stream
 * @param index counts the stream's chunks, from 0
 * @returns the ciphertext and its 16-byte tag
 */
export function encryptChunk(
  key: Uint8Array,
  index: number,
  last: boolean,
  plaintext: Uint8Array,
): Bytes {
  return chacha20poly1305(key, chunkNonce(index, last)).encrypt(plaintext);
}

/** The reverse of {@link encryptChunk}; null when it is not this chunk of this stream. */
export function decryptChunk(
  key: Uint8Array,
  index: number,
  last: boolean,
  ciphertext: Uint8Array,
): Bytes | null {
  return orNull(() => chacha20poly1305(key, chunkNonce(index, last)).decrypt(ciphertext));
}

/** The index, big-endian in 11 bytes, and then 1 for the last chunk, 0 for all others. */
function chunkNonce(index: number, last: boolean): Bytes {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(3, BigInt(index));
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) with a 24-byte random nonce, for data at rest. */
export function encryptAtRest(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  associated: Uint8Array,
): Bytes {
  return xchacha20poly1305(key, nonce, associated).encrypt(plaintext);
}

/** The reverse of {@link encryptAtRest}; null when the tag does not match. */
export function decryptAtRest(
  key: Uint8Array,
  nonce: Uint8Array,
  ciphertext: Uint8Array,
  associated: Uint8Array,
): Bytes | null {
  return orNull(() => xchacha20poly1305(key, nonce, associated).decrypt(ciphertext));
}

function orNull(decrypt: () => Bytes): Bytes | null {
  try {
    return decrypt();
  } catch {
    return null;
  }
}

/**
 * Argon2id version 1.3 (RFC 9106): 32 bytes. The password is taken in Unicode form NFC, so that
 * the same password typed on two keyboards gives the same key. Native where it can be; else it lets the
 * page go on every ten milliseconds.
 * @throws EncryptionError `CODE_UNAVAILABLE`
 */
export async function stretchPassword(
  password: string,
  salt: Uint8Array,
  cost: PasswordCost,
): Promise<Bytes> {
  const message = utf8(password.normalize('NFC'));
  const native = await nativeArgon2id(message, salt, cost).catch(() => null);
  if (native) return new Uint8Array(native);
  const { argon2idAsync } = await loaded(() => import('@noble/hashes/argon2.js'));
  const key = await argon2idAsync(message, salt, {
    m: cost.memory,
    t: cost.passes,
    p: cost.lanes,
    dkLen: 32,
  });
  return new Uint8Array(key);
}

/** Whether two byte strings are equal, in a time that depends only on their lengths. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let index = 0; index < a.length; index += 1) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0;
}

/** `a XOR b`, of `a`'s length. */
export function xor(a: Uint8Array, b: Uint8Array): Bytes {
  const result = new Uint8Array(a);
  for (let index = 0; index < b.length; index += 1)
    result[index] = (result[index] ?? 0) ^ (b[index] ?? 0);
  return result;
}

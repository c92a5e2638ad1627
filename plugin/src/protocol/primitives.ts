/**
 * Symmetric cryptography, hashing, key derivation and encodings. Only this file and `curves*.ts`
 * import a cryptographic library; everything here is synchronous.
 */
import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { argon2idAsync } from '@noble/hashes/argon2.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 as nobleSha256, sha512 as nobleSha512 } from '@noble/hashes/sha2.js';
import { base32nopad, base64 as base64Coder, base64urlnopad, hex as hexCoder } from '@scure/base';

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

/** `L(x)` of the specification: ASCII prefix, label, one zero byte. No label is another's prefix. */
export function label(name: Label): Bytes {
  return utf8(`${PREFIX}${name}\0`);
}

/** The UTF-8 bytes of `text`, which must be well-formed (a lone surrogate would become U+FFFD). */
export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

/** The text of UTF-8 bytes, or null when they are not UTF-8. A byte-order mark is kept. */
export function utf8Text(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
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

/** SHA-256 (FIPS 180-4) of a label and then `parts`: 32 bytes. */
export function hash(name: Label, ...parts: readonly Uint8Array[]): Bytes {
  return new Uint8Array(nobleSha256(concat(label(name), ...parts)));
}

/** A hash that is fed piece by piece. */
export interface Hashing {
  update(bytes: Uint8Array): void;
  /** SHA-256 of the label and all that was fed: 32 bytes. Ends it. */
  digest(): Bytes;
}

/** {@link hash} of what does not fit into memory. */
export function hashing(name: Label): Hashing {
  const hasher = nobleSha256.create().update(label(name));
  return {
    update: (bytes) => void hasher.update(bytes),
    digest: () => new Uint8Array(hasher.digest()),
  };
}

/** SHA-256 of what is long and goes into something labelled: 32 bytes. Else use {@link hash}. */
export function sha256(bytes: Uint8Array): Bytes {
  return new Uint8Array(nobleSha256(bytes));
}

// Between them the page can draw: half a millisecond each on a desktop, some on an old phone.
const ROUNDS_AT_ONCE = 650;

/**
 * Many rounds of SHA-512 (FIPS 180-4), so that each guess costs as many: the first over `first`, each
 * later one over the result of the one before and `each`. Lets the page go on now and then.
 * @param each at most 47 bytes fit into one block with the result
 * @returns 64 bytes
 */
export async function hashRounds(
  first: Uint8Array,
  each: Uint8Array,
  rounds: number,
): Promise<Bytes> {
  let result = nobleSha512(first);
  const input = concat(result, each);
  for (let round = 1; round < rounds; round += 1) {
    input.set(result);
    result = nobleSha512(input);
    // A promise alone would not do: the page draws between tasks, not between microtasks.
    if (round % ROUNDS_AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  return new Uint8Array(result);
}

/** HKDF-Extract (RFC 5869 §2.2) with SHA-256 and the label as salt: a 32-byte pseudorandom key. */
export function extractKey(name: Label, inputKey: Uint8Array): Bytes {
  return new Uint8Array(extract(nobleSha256, inputKey, label(name)));
}

/** HKDF-Expand (RFC 5869 §2.3) with SHA-256 and the label leading the info: `length` bytes. */
export function expandKey(
  pseudorandomKey: Uint8Array,
  name: Label,
  info: readonly Uint8Array[],
  length: number,
): Bytes {
  const bytes = expand(nobleSha256, pseudorandomKey, concat(label(name), ...info), length);
  return new Uint8Array(bytes);
}

const ZERO_NONCE = new Uint8Array(12);

/**
 * ChaCha20-Poly1305 (RFC 8439) under a 32-byte key that is used for this one message, hence with
 * a zero nonce. Gives the ciphertext and its 16-byte tag.
 */
export function encryptOnce(key: Uint8Array, plaintext: Uint8Array, associated: Uint8Array): Bytes {
  return new Uint8Array(chacha20poly1305(key, ZERO_NONCE, associated).encrypt(plaintext));
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
  return new Uint8Array(chacha20poly1305(key, chunkNonce(index, last)).encrypt(plaintext));
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
  return new Uint8Array(xchacha20poly1305(key, nonce, associated).encrypt(plaintext));
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

function orNull(decrypt: () => Uint8Array): Bytes | null {
  try {
    return new Uint8Array(decrypt());
  } catch {
    return null;
  }
}

/** What Argon2id costs: memory in KiB, passes over it, and lanes. */
export interface PasswordCost {
  readonly memory: number;
  readonly passes: number;
  readonly lanes: number;
}

/**
 * Argon2id version 1.3 (RFC 9106): 32 bytes. The password is taken in Unicode form NFC, so that
 * the same password typed on two keyboards gives the same key. Yields to the event loop as it
 * works.
 */
export async function stretchPassword(
  password: string,
  salt: Uint8Array,
  cost: PasswordCost,
): Promise<Bytes> {
  const key = await argon2idAsync(utf8(password.normalize('NFC')), salt, {
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
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0);
  return difference === 0;
}

/** `a XOR b`, of `a`'s length. */
export function xor(a: Uint8Array, b: Uint8Array): Bytes {
  return Uint8Array.from(a, (byte, index) => byte ^ (b[index] ?? 0));
}

/** Unpadded base64url (RFC 4648 §5); `decode` gives null for all but the one canonical form. */
export const base64url = {
  encode: (bytes: Uint8Array): string => base64urlnopad.encode(bytes),
  decode: (text: string): Bytes | null => canonical(base64urlnopad, text),
} as const;

/** Padded base64 (RFC 4648 §4); `decode` gives null for all but the one canonical form. */
export const base64 = {
  encode: (bytes: Uint8Array): string => base64Coder.encode(bytes),
  decode: (text: string): Bytes | null => canonical(base64Coder, text),
} as const;

/**
 * Upper-case base32 (RFC 4648 §6) without padding; `decode` gives null for all but the one canonical
 * form. In a QR code it takes 5.5 bits a character, where lower case takes eight.
 */
export const base32 = {
  encode: (bytes: Uint8Array): string => base32nopad.encode(bytes),
  decode: (text: string): Bytes | null => canonical(base32nopad, text),
} as const;

/** Lower-case hexadecimal; `decode` gives null for anything else. */
export const hex = {
  encode: (bytes: Uint8Array): string => hexCoder.encode(bytes),
  decode: (text: string): Bytes | null => canonical(hexCoder, text),
} as const;

function canonical(
  coder: { encode: (bytes: Uint8Array) => string; decode: (text: string) => Uint8Array },
  text: string,
): Bytes | null {
  try {
    const bytes = new Uint8Array(coder.decode(text));
    return coder.encode(bytes) === text ? bytes : null;
  } catch {
    return null;
  }
}

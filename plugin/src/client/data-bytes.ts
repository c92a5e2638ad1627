/** Bytes of the low-level API, with the one method that their users look for. */
import { base64, type Bytes } from '../protocol/primitives.ts';

/** Sealed data. */
export interface SealedBytes extends Bytes {
  /** The bytes in base64 (RFC 4648 §4), as `decryptThenVerify` takes them. */
  toBase64(): string;
}

/**
 * Data that was decrypted and verified. Parts and copies of it (`slice`, `subarray`, `new Uint8Array`)
 * are bytes like any others, whose `toString` gives numbers.
 */
export interface OpenedBytes extends Bytes {
  /** The text of these UTF-8 bytes; what is not UTF-8 becomes U+FFFD. */
  text(): string;
  /** The same text. */
  toString(): string;
}

/**
 * The same bytes with `toBase64`. Newer runtimes have it on all bytes; elsewhere a property of these
 * bytes alone adds it, without touching anybody's prototype.
 */
export function sealedBytes(bytes: Bytes): SealedBytes {
  if (hasBase64(bytes)) return bytes;
  // Of a view that has no such property: encoders use the method where they find it.
  const toBase64 = (): string => base64.encode(bytes.subarray());
  return hidden(Object.assign(bytes, { toBase64 }), 'toBase64');
}

function hasBase64(bytes: Bytes): bytes is SealedBytes {
  return 'toBase64' in bytes;
}

/** The same bytes with `text`, and a `toString` that gives the text in the place of numbers. */
export function openedBytes(bytes: Bytes): OpenedBytes {
  const text = (): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  return hidden(Object.assign(bytes, { text, toString: text }), 'text', 'toString');
}

// Enumerable, it would make two equal byte strings differ to whoever compares their members.
function hidden<T extends object>(object: T, ...names: readonly (keyof T)[]): T {
  for (const name of names) Object.defineProperty(object, name, { enumerable: false });
  return object;
}

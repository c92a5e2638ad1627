/** Bytes, encodings, hashes and keys derived: page README.md, "Notation" and "Primitives". */
import { createHash, createHmac } from 'node:crypto';

/** Something is refused, with the code that the specification gives it. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** Throws {@link Refused} with this code unless `condition` holds. */
export function require(condition: boolean, code: string): asserts condition {
  if (!condition) throw new Refused(code);
}

/** Reads big-endian structures from the start; past the end it is refused with `code`. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #code: string;
  offset = 0;

  constructor(bytes: Uint8Array, code = 'MALFORMED') {
    this.#bytes = bytes;
    this.#code = code;
  }

  take(length: number): Buffer {
    require(length <= this.#bytes.length - this.offset, this.#code);
    this.offset += length;
    return Buffer.from(this.#bytes.subarray(this.offset - length, this.offset));
  }

  /** An unsigned integer of `width` bytes, at most 2^53 − 1. */
  uint(width: number): number {
    const value = this.take(width).reduce((sum, byte) => sum * 256 + byte, 0);
    require(Number.isSafeInteger(value), this.#code);
    return value;
  }

  isAtEnd(): boolean {
    return this.offset === this.#bytes.length;
  }

  rest(): Buffer {
    return this.take(this.#bytes.length - this.offset);
  }
}

/** A big-endian integer. */
export function uint(value: number, width: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * width, '0'), 'hex');
}

/** `lp8`, `lp16`, `lp32`: bytes behind their length. */
export function lp(width: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([uint(bytes.length, width), bytes]);
}

/** `L(x)`. */
export function L(name: string): Buffer {
  return Buffer.from(`twilio-chat-encryption/v1/${name}\0`);
}

export function sha256(...parts: readonly Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

/** HKDF-Extract with the label as salt. */
export function extract(name: string, key: Uint8Array): Buffer {
  return createHmac('sha256', L(name)).update(key).digest();
}

/** HKDF-Expand with the label leading the info. */
export function expand(
  key: Uint8Array,
  name: string,
  info: readonly Uint8Array[],
  length: number,
): Buffer {
  const blocks: Buffer[] = [];
  for (let have = 0; have < length; have += 32) {
    const counter = Uint8Array.of(blocks.length + 1);
    const previous = blocks.at(-1) ?? Buffer.alloc(0);
    const input = Buffer.concat([previous, L(name), ...info, counter]);
    blocks.push(createHmac('sha256', key).update(input).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}

export function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));
}

/** The bytes of base64url without padding, in its one canonical form; null for anything else. */
export function base64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

export function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

/** The text in UTF-8 bytes; null when they are not UTF-8. A byte-order mark is a character. */
export function utf8(bytes: Uint8Array): string | null {
  const text = Buffer.from(bytes).toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : null;
}

/** The larger of the next multiple of 256 and the next Padmé size. */
export function paddedLength(length: number): number {
  const block = Math.ceil(length / 256) * 256;
  if (length < 2) return block;
  const exponent = Math.floor(Math.log2(length));
  const kept = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** Math.max(0, exponent - kept);
  return Math.max(block, Math.ceil(length / step) * step);
}

/** Whether `bytes` are their first `length`, padded with zeros. */
export function isPadded(bytes: Uint8Array, length: number): boolean {
  return (
    bytes.length === paddedLength(length) && bytes.subarray(length).every((byte) => byte === 0)
  );
}

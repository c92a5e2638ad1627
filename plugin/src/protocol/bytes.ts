/** Reading and writing of big-endian structures. */
import { concat, type Bytes } from './primitives.ts';

/** An unsigned integer of `width` bytes, big-endian. `value` must be a safe integer that fits. */
export function uint(value: number, width: 1 | 2 | 4 | 8): Bytes {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** (8 * width)) {
    throw new RangeError(`Not an unsigned integer of ${width} bytes.`);
  }
  const bytes = new Uint8Array(width);
  // Not by shifts: those are of 32 bits.
  for (let [at, left] = [width - 1, value]; at >= 0; at -= 1, left = Math.floor(left / 256)) {
    bytes[at] = left % 256;
  }
  return bytes;
}

/** `lp8`, `lp16` and `lp32` of the specification: the bytes behind their length. */
export function lengthPrefixed(width: 1 | 2 | 4, bytes: Uint8Array): Bytes {
  return concat(uint(bytes.length, width), bytes);
}

/** Reads a structure from its start; every method throws `RangeError` past the end. */
export interface ByteReader {
  /** The next `length` bytes. */
  take(length: number): Bytes;
  /** The next big-endian integer; throws `RangeError` above 2^53 − 1. */
  uint(width: 1 | 2 | 4 | 8): number;
  /** All that is left. */
  rest(): Bytes;
  /** How many bytes were read. */
  readonly offset: number;
}

/** A reader of `source`. */
export function byteReader(source: Bytes): ByteReader {
  let offset = 0;
  const take = (length: number): Bytes => {
    if (length > source.length - offset) throw new RangeError('The bytes end early.');
    offset += length;
    return source.slice(offset - length, offset);
  };
  return {
    take,
    uint(width) {
      const value = take(width).reduce((sum, byte) => sum * 256 + byte, 0);
      if (!Number.isSafeInteger(value)) throw new RangeError('The integer is too large.');
      return value;
    },
    rest: () => take(source.length - offset),
    get offset() {
      return offset;
    },
  };
}

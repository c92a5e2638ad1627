/** Padding: lengths tell a lot, so only a few lengths occur. Never compress (CRIME, 2012). */

const BLOCK = 256;

/**
 * The padded length of `length` bytes: the larger of the next multiple of 256 and the next Padmé
 * size, which leaks O(log log n) bits ("Reducing Metadata Leakage from Encrypted Files and
 * Communication with PURBs", Nikitin et al., 2019, §4). At most 12 % over 4 KiB.
 */
export function paddedLength(length: number): number {
  return Math.max(Math.ceil(length / BLOCK) * BLOCK, padme(length));
}

function padme(length: number): number {
  if (length < 2) return length;
  const exponent = Math.floor(Math.log2(length));
  const significant = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** Math.max(exponent - significant, 0);
  return Math.ceil(length / step) * step;
}

/** The concatenation of `parts`, and zeros up to {@link paddedLength}. */
export function pad(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(paddedLength(parts.reduce((sum, part) => sum + part.length, 0)));
  let offset = 0;
  for (const part of parts) {
    padded.set(part, offset);
    offset += part.length;
  }
  return padded;
}

/**
 * Whether `padded`, behind `before` other bytes, is what {@link pad} makes of both up to `length`.
 */
export function isPadded(padded: Uint8Array, length: number, before = 0): boolean {
  if (before + padded.length !== paddedLength(before + length)) return false;
  for (let at = length; at < padded.length; at += 1) if (padded[at] !== 0) return false;
  return true;
}

import type { Bytes } from '../protocol/primitives.ts';

/** Bytes of the platform's random generator. */
export function random(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

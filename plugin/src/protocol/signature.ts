import type { SigningKey, VerifyingKey } from './curves.ts';
import { concat, label, type Bytes } from './primitives.ts';

/**
 * What a signature can be for. A signature made for one purpose verifies for no other, because the
 * label is part of the signed bytes; nothing else in this library signs.
 */
export type SignaturePurpose =
  'card-signature' | 'card-revocation' | 'message' | 'log-head' | 'sealed' | 'sealed-chunk';

/** The Ed25519 signature, 64 bytes, on `L(purpose)` and then `parts`. */
export function sign(
  key: SigningKey,
  purpose: SignaturePurpose,
  ...parts: readonly Uint8Array[]
): Promise<Bytes> {
  return key.sign(concat(label(purpose), ...parts));
}

/** Whether `signature` is one on `L(purpose)` and then `parts`. */
export function verify(
  key: VerifyingKey,
  purpose: SignaturePurpose,
  signature: Bytes,
  ...parts: readonly Uint8Array[]
): Promise<boolean> {
  return key.verify(signature, concat(label(purpose), ...parts));
}

/** Key encapsulation as suite 2 needs it, and which of its public keys are taken. */
import { EncryptionError } from '../errors.ts';
import { checkAgreementPublicKey } from './curve-checks.ts';
import type { Bytes, RandomSource } from './primitives.ts';

/** A private key of a key encapsulation. */
export interface KemKey {
  /** X-Wing: ML-KEM-768 encapsulation key | X25519 public key, 1216 bytes. ML-KEM-768: 1184. */
  readonly publicKey: Bytes;
  /**
   * The shared secret in a ciphertext, 32 bytes. Of a changed ciphertext it is another secret, not
   * an error (FIPS 203 §6.3), so something else has to tell. X-Wing: 1120 bytes, ML-KEM-768: 1088;
   * throws `INVALID_KEY` for other lengths and for an X25519 half not canonical or of low order.
   */
  decapsulate(ciphertext: Bytes): Promise<Bytes>;
}

/** A shared secret, and how its recipient gets it. */
export interface Encapsulation {
  /** For {@link KemKey.decapsulate}. */
  readonly ciphertext: Bytes;
  /** 32 bytes. */
  readonly sharedSecret: Bytes;
}

/** A key encapsulation: X-Wing, or the ML-KEM-768 inside it. */
export interface Kem {
  /** Where ML-KEM is computed. */
  readonly name: 'webcrypto' | 'noble';
  /** From a seed: of 32 bytes for X-Wing, d | z of 64 for ML-KEM-768; else throws `INVALID_KEY`. */
  importKey(seed: Bytes): Promise<KemKey>;
  /**
   * A fresh shared secret for a public key. WebCrypto's ML-KEM has randomness of its own and leaves
   * `random` to X25519. Throws `INVALID_KEY` for a public key that is none.
   */
  encapsulate(publicKey: Bytes, random: RandomSource): Promise<Encapsulation>;
}

// FIPS 203 §8: ML-KEM-768. Its key is 3 polynomials of 256 coefficients in 12 bits, and 32 bytes.
const MODULUS = 3329;
const COEFFICIENT_BYTES = 1152;
/** How long a public key of ML-KEM-768 is, in bytes. */
export const ML_KEM_PUBLIC_KEY = 1184;

/**
 * Throws `INVALID_KEY` unless these are 1216 bytes whose ML-KEM half passes the check of FIPS 203
 * §7.2, and whose X25519 half that of {@link checkAgreementPublicKey}. Needs no library of ML-KEM.
 */
export function checkXWingPublicKey(publicKey: Uint8Array): void {
  checkEncapsulationKey(publicKey.subarray(0, ML_KEM_PUBLIC_KEY));
  checkAgreementPublicKey(publicKey.subarray(ML_KEM_PUBLIC_KEY));
}

/**
 * FIPS 203 §7.2: throws `INVALID_KEY` unless the length is right, and there is no coefficient that decoding
 * would reduce.
 */
export function checkEncapsulationKey(publicKey: Uint8Array): void {
  checkLength(publicKey, ML_KEM_PUBLIC_KEY, 'an ML-KEM-768 public key');
  for (let at = 0; at < COEFFICIENT_BYTES; at += 3) {
    const [low = 0, middle = 0, high = 0] = publicKey.subarray(at, at + 3);
    if ((low | ((middle & 15) << 8)) >= MODULUS || ((middle >> 4) | (high << 4)) >= MODULUS) {
      throw new EncryptionError('INVALID_KEY', 'A coefficient of the ML-KEM-768 key is too large.');
    }
  }
}

/** Throws `INVALID_KEY` unless there are so many bytes. */
export function checkLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length === length) return;
  throw new EncryptionError('INVALID_KEY', `Expected ${what} of ${length} bytes.`);
}

/** What the back ends of the curves give. */
import type { Bytes } from './primitives.ts';

/** A private signing key. WebCrypto's is not extractable. */
export interface SigningKey {
  /** The Ed25519 public key, 32 bytes. */
  readonly publicKey: Bytes;
  /** The Ed25519 signature (RFC 8032), 64 bytes. Use `sign` of `signature.ts`, which labels. */
  sign(message: Bytes): Promise<Bytes>;
}

/** A public signing key that was checked when it was imported. */
export interface VerifyingKey {
  /** The Ed25519 public key, 32 bytes. */
  readonly publicKey: Bytes;
  /**
   * Whether `signature` is one on `message`: without the cofactor, that is iff encode([S]B − [k]A)
   * equals R byte for byte and S is below the group order ("Taming the many EdDSAs", 2020, §3),
   * and R is not of small order (W3C "Web Cryptography Level 2", Ed25519, verify).
   */
  verify(signature: Bytes, message: Bytes): Promise<boolean>;
}

/** A private key-agreement key. */
export interface AgreementKey {
  /** The X25519 public key, 32 bytes. */
  readonly publicKey: Bytes;
  /** X25519 (RFC 7748 §6.1) with another's public key: 32 bytes. Throws `INVALID_KEY` on zero. */
  agree(publicKey: Bytes): Promise<Bytes>;
}

/** The curve operations; both back ends pass the same tests. */
export interface Curves {
  readonly name: 'webcrypto' | 'noble';
  /** From a 32-byte seed (RFC 8032 §5.1.5). */
  importSigningKey(seed: Bytes): Promise<SigningKey>;
  /** From a 32-byte public key; throws `INVALID_KEY` for one that is none. */
  importVerifyingKey(publicKey: Bytes): Promise<VerifyingKey>;
  /** From a 32-byte secret (RFC 7748 §5). */
  importAgreementKey(secret: Bytes): Promise<AgreementKey>;
}

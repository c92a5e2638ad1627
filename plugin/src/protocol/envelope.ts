/**
 * The core that all types of envelopes share: a message key, the header it belongs to, and a
 * signed plaintext under both.
 */
import type { SigningKey, VerifyingKey } from './curves.ts';
import { hashHeader, rejected, type Envelope } from './header.ts';
import { pad } from './padding.ts';
import {
  concat,
  decryptOnce,
  encryptOnce,
  equal,
  expandKey,
  extractKey,
  type Bytes,
} from './primitives.ts';
import { sign, verify } from './signature.ts';

/** What is in an envelope: a chat's message, or data of the low-level API. Keys differ by it. */
export type EnvelopePurpose = 'message';

const SIGNATURE_LENGTH = 64;

/**
 * Signs, pads and encrypts.
 * @param messageKey 32 bytes: fresh, or of a session
 * @returns the bytes of the envelope
 */
export async function sealEnvelope(
  purpose: EnvelopePurpose,
  header: Bytes,
  messageKey: Bytes,
  signingKey: SigningKey,
  toBeSigned: Bytes,
): Promise<Bytes> {
  const headerHash = hashHeader(header);
  // The signature covers the header, hence every slot: nobody can sign for other recipients.
  const signature = await sign(signingKey, purpose, headerHash, toBeSigned);
  const { key, commitment } = deriveKeys(purpose, messageKey, headerHash);
  const associated = concat(headerHash, commitment);
  const ciphertext = encryptOnce(key, pad(concat(signature, toBeSigned)), associated);
  return concat(header, commitment, ciphertext);
}

// The commitment makes the message key the only one that opens the envelope: without it one
// ciphertext can open to two plaintexts ("Partitioning Oracle Attacks", Len et al., 2021).
function deriveKeys(
  purpose: EnvelopePurpose,
  messageKey: Bytes,
  headerHash: Bytes,
): { key: Bytes; commitment: Bytes } {
  const both = expandKey(extractKey(purpose, messageKey), 'key', [headerHash], 64);
  return { key: both.slice(0, 32), commitment: both.slice(32) };
}

/** A decrypted envelope whose signature is still to be checked: nothing of it may be shown. */
export interface Unverified {
  /** The message key that it was encrypted under. */
  readonly messageKey: Bytes;
  /** What follows the signature: the signed bytes and the padding. */
  readonly padded: Bytes;
  /**
   * Whether the holder of `key` signed the first `length` bytes of {@link padded}, for exactly this
   * header.
   */
  isSignedBy(key: VerifyingKey, length: number): Promise<boolean>;
}

/**
 * Decrypts with the one of these message keys that the envelope commits to.
 * @throws EncryptionError `COMMITMENT_MISMATCH`, `DECRYPTION_FAILED`
 */
export function openEnvelope(
  purpose: EnvelopePurpose,
  { headerHash, commitment, ciphertext }: Envelope,
  messageKeys: readonly Bytes[],
): Unverified {
  for (const messageKey of messageKeys) {
    const derived = deriveKeys(purpose, messageKey, headerHash);
    if (!equal(derived.commitment, commitment)) continue;
    const plaintext = decryptOnce(derived.key, ciphertext, concat(headerHash, commitment));
    if (!plaintext) throw rejected('DECRYPTION_FAILED', 'its ciphertext was changed');
    const signature = plaintext.slice(0, SIGNATURE_LENGTH);
    const padded = plaintext.slice(SIGNATURE_LENGTH);
    return {
      messageKey,
      padded,
      isSignedBy: (key, length) =>
        verify(key, purpose, signature, headerHash, padded.slice(0, length)),
    };
  }
  throw rejected('COMMITMENT_MISMATCH', 'its header, a slot or commitment was changed');
}

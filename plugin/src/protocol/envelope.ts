/**
 * The core that all types of envelopes share: a message key, the header it belongs to, and a
 * signed plaintext under both.
 */
import { isEncryptionError } from '../errors.ts';
import type { Soon } from '../soon.ts';
import type { SigningKey, VerifyingKey } from './curves.ts';
import {
  encodeHeader,
  hashHeader,
  rejected,
  type Envelope,
  type EnvelopeType,
  type Slots,
} from './header.ts';
import { isPadded, pad, paddedLength } from './padding.ts';
import {
  concat,
  decryptOnce,
  encryptOnce,
  equal,
  expandKey,
  extractKey,
  type Bytes,
  type RandomSource,
} from './primitives.ts';
import { sign, verify } from './signature.ts';
import { openSlots, type SlotCandidates, type SlotOpener } from './slot.ts';
import type { SlotSealer } from './slot-parts.ts';

/** What is in an envelope: a chat's message, or data of the low-level API. Keys differ by it. */
export type EnvelopePurpose = 'message' | 'sealed';

const SIGNATURE_LENGTH = 64;
const COMMITMENT_LENGTH = 32;
const TAG_LENGTH = 16;

/** How many bytes an envelope has, of a header and signed bytes of these lengths. */
export function envelopeLength(header: number, signed: number): number {
  return header + COMMITMENT_LENGTH + paddedLength(SIGNATURE_LENGTH + signed) + TAG_LENGTH;
}

/**
 * A header for recipients, and the fresh message key that its slots bring them.
 * @param random gives the message key and the nonce
 * @throws EncryptionError what the slots throw
 */
export async function freshHeader(
  type: Exclude<EnvelopeType, 'follower'>,
  slots: SlotSealer,
  random: RandomSource,
): Promise<{ readonly header: Bytes; readonly messageKey: Bytes }> {
  const messageKey = random(32);
  const nonce = random(16);
  const rest = await slots.seal(messageKey, nonce);
  return { header: encodeHeader(type, slots.suite, nonce, rest), messageKey };
}

/**
 * The message keys that an envelope's slots may hold for this reader; null when none is marked as
 * theirs.
 * @throws EncryptionError `MALFORMED` when an ephemeral key in it is not valid
 */
export function openOwnSlots(slots: Slots, opener: SlotOpener): Soon<SlotCandidates | null> {
  const opened = openSlots(slots, opener);
  if (!(opened instanceof Promise)) return opened;
  return opened.catch((cause: unknown) => {
    // Anything else is the platform's, and no verdict about the envelope.
    if (!isEncryptionError(cause, 'INVALID_KEY')) throw cause;
    throw rejected('MALFORMED', 'its ephemeral key is not valid', cause);
  });
}

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
  const signing = sign(signingKey, purpose, headerHash, toBeSigned);
  // While another thread signs.
  const { key, commitment } = deriveKeys(purpose, messageKey, headerHash);
  const associated = concat(headerHash, commitment);
  const ciphertext = encryptOnce(key, pad(await signing, toBeSigned), associated);
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
  /** Whether the padding is right when the signed bytes are the first `length` of {@link padded}. */
  endsAt(length: number): boolean;
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
      // The signature in front is padded along.
      endsAt: (length) => isPadded(padded, length, SIGNATURE_LENGTH),
      isSignedBy: (key, length) =>
        verify(key, purpose, signature, headerHash, padded.slice(0, length)),
    };
  }
  throw rejected('COMMITMENT_MISMATCH', 'its header, a slot or commitment was changed');
}

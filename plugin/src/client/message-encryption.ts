import { EncryptionError, type RejectionCode } from '../errors.ts';
import type { CardId, Identity, MessageId } from '../protocol/identifiers.ts';
import type { Trust } from './pins.ts';

/** Something odd about a message that is nevertheless verified. */
export interface Anomaly {
  /**
   * `CLOCK_SKEW`: the sender's clock and Twilio's differ by more than five minutes, or Twilio
   * gives no valid time.
   */
  readonly code: 'CLOCK_SKEW';
}

/**
 * Why a message cannot be read here. By what Twilio says of its date, so it is no proof.
 * - `SENT_BEFORE_JOIN` sent before this person was a member
 * - `SENT_BEFORE_DEVICE` sent before this device had a card
 * - `NOT_ADDRESSED` its sender did not encrypt it for this device
 */
export type UnavailableCode = 'SENT_BEFORE_JOIN' | 'SENT_BEFORE_DEVICE' | 'NOT_ADDRESSED';

/** What is known of a message. Only a `verified` one shows its sender's words. */
export type MessageEncryption =
  | {
      readonly status: 'verified';
      readonly sender: {
        readonly identity: Identity;
        readonly cardId: CardId;
        readonly device?: string;
      };
      readonly trust: Trust;
      /** By the sender's clock. */
      readonly sentAt: Date;
      readonly messageId: MessageId;
      readonly anomalies: readonly Anomaly[];
    }
  /**
   * Not decided yet; tried again by itself. `CARD_PENDING`: the sender's card could not be fetched;
   * `STORE_PENDING`: the key store could not be read or written.
   */
  | { readonly status: 'pending'; readonly code: 'CARD_PENDING' | 'STORE_PENDING' }
  | { readonly status: 'unavailable'; readonly code: UnavailableCode }
  | { readonly status: 'rejected'; readonly code: RejectionCode };

/**
 * What an error says about the message that was opened when it occurred: a verdict about its bytes,
 * or that this device could not decide yet. Never an exception: no message may be lost to one.
 */
export function outcomeOf(error: unknown): MessageEncryption {
  const code = error instanceof EncryptionError ? error.code : undefined;
  switch (code) {
    case 'PLAINTEXT':
    case 'UNSUPPORTED_VERSION':
    case 'MALFORMED':
    case 'COMMITMENT_MISMATCH':
    case 'DECRYPTION_FAILED':
    case 'BAD_SIGNATURE':
    case 'WRONG_CHANNEL':
    case 'WRONG_AUTHOR':
    case 'REPLAYED':
    case 'CARD_INVALID':
    case 'CARD_REVOKED':
      return { status: 'rejected', code };
    case 'DIRECTORY_UNREACHABLE':
    case 'DIRECTORY_REFUSED':
    case 'UNAUTHORIZED':
      return { status: 'pending', code: 'CARD_PENDING' };
    default:
      return { status: 'pending', code: 'STORE_PENDING' };
  }
}

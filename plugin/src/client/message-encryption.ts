import { isEncryptionError, type RejectionCode } from '../errors.ts';
import type { CardId, Identity, MessageId } from '../protocol/identifiers.ts';
import type { RevocationReason } from '../protocol/revocation.ts';
import type { Trust } from './pins.ts';

/**
 * Something odd about a message that is nevertheless verified.
 * - `CLOCK_SKEW` the sender's clock and Twilio's differ by more than five minutes, or Twilio gives no
 *   valid time
 * - `GAP` the sender's messages with the numbers `from` to `to` should stand next to this one and do
 *   not: Twilio withheld them, or they never got there
 * - `OUT_OF_ORDER` it stands before or behind another message of its sender that it should not
 * - `FORK` its sender gave its number to another message as well
 * - `ROLLED_BACK` a later version of it was here already
 * - `FILES_MISSING` Twilio does not have `count` of the files that its sender attached
 * - `UNKNOWN_RECIPIENTS` its sender encrypted it for `count` cards that are nobody's here
 */
export type Anomaly =
  | { readonly code: 'CLOCK_SKEW' | 'OUT_OF_ORDER' | 'FORK' | 'ROLLED_BACK' }
  | { readonly code: 'GAP'; readonly from: number; readonly to: number }
  | { readonly code: 'FILES_MISSING' | 'UNKNOWN_RECIPIENTS'; readonly count: number };

/**
 * Why a message cannot be read here. By what Twilio says of its date, so it is no proof.
 * - `SENT_BEFORE_JOIN` sent before this person was a member
 * - `SENT_BEFORE_DEVICE` sent before this device had a card
 * - `NOT_ADDRESSED` its sender did not encrypt it for this device
 * - `KEY_MISSING` the key message that it needs is not in the channel
 * - `KEY_DELETED` sent when this device had a key that it deleted since, see `keepKeysDays`
 */
export type UnavailableCode =
  'SENT_BEFORE_JOIN' | 'SENT_BEFORE_DEVICE' | 'NOT_ADDRESSED' | 'KEY_MISSING' | 'KEY_DELETED';

/**
 * Why a message is not decided yet.
 * - `CARD_PENDING` the sender's card could not be fetched
 * - `KEY_PENDING` the key message that it needs could not be fetched, or is still to come
 * - `STORE_PENDING` the key store could not be read or written
 */
export type PendingCode = 'CARD_PENDING' | 'KEY_PENDING' | 'STORE_PENDING';

/**
 * What is known of a message. Only a `verified` one shows its sender's words. Minor versions may add
 * codes and anomalies: a `switch` over them needs a `default`.
 */
export type MessageEncryption =
  | {
      readonly status: 'verified';
      readonly sender: {
        readonly identity: Identity;
        readonly cardId: CardId;
        readonly device?: string;
        /** Why its card was revoked since, as far as this device knows: the message was there before. */
        readonly revoked?: RevocationReason;
      };
      /**
       * How far that card is trusted. `'changed'`: the words are its holder's, and nobody confirmed that
       * this is `identity`. An application that shows a name says so beside it.
       */
      readonly trust: Trust;
      /** By the sender's clock; of an edited message, when it was edited. */
      readonly sentAt: Date;
      /** How often it was edited: 0 for an original. Edits that were overtaken may be skipped. */
      readonly revision: number;
      readonly messageId: MessageId;
      readonly anomalies: readonly Anomaly[];
    }
  /** Not decided yet; tried again by itself. */
  | { readonly status: 'pending'; readonly code: PendingCode }
  | { readonly status: 'unavailable'; readonly code: UnavailableCode }
  /** In a channel that the application leaves as it is: whatever Twilio says. */
  | { readonly status: 'clear'; readonly code: 'CHANNEL_NOT_ENCRYPTED' }
  | { readonly status: 'rejected'; readonly code: RejectionCode };

/**
 * What an error says about the message that was opened when it occurred: a verdict about its bytes,
 * or that this device could not decide yet. Never an exception: no message may be lost to one.
 */
export function outcomeOf(error: unknown): MessageEncryption {
  const code = isEncryptionError(error) ? error.code : undefined;
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
    // It names a card that there is not: nobody's. To ask again would change nothing.
    case 'CARD_NOT_FOUND':
      return { status: 'rejected', code: 'CARD_INVALID' };
    case 'DIRECTORY_UNREACHABLE':
    case 'DIRECTORY_REFUSED':
    case 'UNAUTHORIZED':
    case 'LOG_KEY_UNKNOWN':
    case 'LOG_CHANGED':
    case 'LOG_INVALID':
    case 'LOG_STALE':
    case 'SPLIT_VIEW':
      return { status: 'pending', code: 'CARD_PENDING' };
    default:
      return { status: 'pending', code: 'STORE_PENDING' };
  }
}

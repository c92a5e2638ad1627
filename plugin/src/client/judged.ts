import type { Card } from '../protocol/card.ts';
import type { Content } from '../protocol/content.ts';
import type { VerifiedMessage } from '../protocol/message-envelope.ts';
import type { ProvenHistory } from './card-log.ts';
import type { DeliveredMessage } from './delivered.ts';
import type { MessageName } from './ledger.ts';
import type { MessageEncryption } from './message-encryption.ts';

/** A message whose bytes were judged, by themselves. */
export type JudgedMessage =
  { readonly delivered: DeliveredMessage; readonly outcome: MessageEncryption } | JudgedVerified;

/** A message that was verified. */
export interface JudgedVerified {
  readonly delivered: DeliveredMessage;
  readonly verified: VerifiedMessage;
  /** All cards of a sender who was never seen before, to be pinned with the sender's. */
  readonly cards: readonly Card[];
  /** What the log says of the sender; null of this very card. */
  readonly history: ProvenHistory | null;
  /** How many slots are for cards that nobody here has. */
  readonly unknownRecipients: number;
}

/** A message as it is shown. */
export interface ReceivedMessage {
  readonly encryption: MessageEncryption;
  /** Empty unless `verified`. */
  readonly content: Content;
  /** To be hidden: a verified key message, or the very bytes of a message that stands elsewhere. */
  readonly hidden: boolean;
  /**
   * Of a `verified` message: what an edit of it names, which revision it comes after, and the envelope
   * that stands there now.
   */
  readonly editable?: {
    readonly name: MessageName;
    readonly latestRevision: number;
    readonly text: string;
  };
}

/** Channels as a sender needs them, and what is sent there. */
import type { MediaDescriptor } from '../protocol/content.ts';
import type { ChannelSid, Identity } from '../protocol/identifiers.ts';
import type { MessageName } from './ledger.ts';
import type { OwnEdit } from './own-edits.ts';

/** How an envelope gets into a channel. */
export interface Delivery {
  /** The longest envelope of a message, in characters. */
  readonly limit: number;
  /**
   * Posts an envelope as a message.
   * @returns the message's index
   * @throws EncryptionError `DELIVERY_UNKNOWN` when it may have arrived; any other error says that
   * it did not
   */
  post(text: string): Promise<number>;
  /**
   * Looks for a message that was posted before.
   * @returns its index, or null when it is not among the latest
   * @throws EncryptionError `DELIVERY_UNKNOWN` when it could not look
   */
  find(text: string): Promise<number | null>;
}

/** A channel as a sender needs it. A key message that is longer than the limit is posted as a file. */
export interface Outlet extends Delivery {
  readonly channelSid: ChannelSid;
  members(): Promise<readonly Identity[]>;
}

/** What the application wants to say. */
export interface OutgoingContent {
  readonly body?: string;
  readonly attributes?: unknown;
  readonly subject?: string;
  readonly media?: readonly MediaDescriptor[];
}

/** An edit of a message of this person's. */
export interface OutgoingEdit {
  readonly name: MessageName;
  /**
   * What is to take the message's place, asked when it is the edit's turn.
   * @param latest the last edit that this device made of it, in whatever tab
   */
  readonly prepare: (latest: OwnEdit | null) => Promise<Replacement>;
}

/** What takes the place of a message. */
export interface Replacement {
  /** Counts the edits of the message, from 1. */
  readonly revision: number;
  readonly content: OutgoingContent;
  /** The longest envelope that the place holds, in characters. */
  readonly limit: number;
  /** Posts the envelope there; rejects unless Twilio said that it is there. */
  readonly replace: (text: string) => Promise<void>;
}

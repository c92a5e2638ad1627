/** Channels as a sender needs them, and what is sent there. */
import type { MediaDescriptor } from '../protocol/content.ts';
import type { ChannelSid, Identity } from '../protocol/identifiers.ts';

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

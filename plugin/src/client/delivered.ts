import type { ChannelSid, Identity } from '../protocol/identifiers.ts';

/** A message as Twilio delivers it; every part is Twilio's claim. */
export interface DeliveredMessage {
  readonly channelSid: ChannelSid;
  readonly messageSid: string;
  /** Its place in the channel. */
  readonly index: number;
  readonly author: string;
  /** Empty for a message with a file. */
  readonly body: string;
  /** A file that may be a key message, which some are too long for a body. */
  readonly file: {
    /** Whether its attributes say so: a hint, to load it at once. */
    readonly isKey: boolean;
    /** Rejects when it cannot be loaded, or is longer than any key message. */
    load(): Promise<string>;
  } | null;
  /** Bytes of each file that Twilio has of it. */
  readonly fileSizes: readonly number[];
  /** May be an invalid date. */
  readonly createdAt: Date;
  /** As {@link createdAt}: when it was last edited, if it was. */
  readonly updatedAt: Date;
  /** Whether it was just sent, so that what is known of the members now applies to it. */
  readonly isLive: boolean;
  /** How often it was tried before in vain, because the key message that it needs was missing. */
  readonly attempts: number;
  /** When this person became a member, if Twilio says so. Asked only for what cannot be read. */
  joinedAt(): Promise<Date | null>;
  /** The members now, or null when Twilio does not say. */
  members(): Promise<readonly Identity[] | null>;
  /** Has `told` called whenever somebody becomes a member; the result ends it. */
  watchJoins(told: () => void): () => void;
  /** The messages with indexes up to `radius` from this one. Rejects when Twilio cannot be asked. */
  around(index: number, radius: number): Promise<readonly DeliveredMessage[]>;
}

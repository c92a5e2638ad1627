import type { Identity } from '../protocol/identifiers.ts';

/** What a log answers about identities. All bytes are in base64url. */
export interface LogAnswer {
  /** The log's newest head, 112 bytes. */
  readonly head: string;
  /**
   * Everything about these identities in the order in which they were asked for: the JSON that
   * `lookupToJson` of `twilio-chat-encryption/protocol` makes.
   */
  readonly lookup: unknown;
  /** Shows that the log of the head grew out of the one that was named; empty when it has not grown. */
  readonly consistency: readonly string[];
}

/** Where the transparency log is asked. It is not trusted: whatever it answers is checked. */
export interface LogSource {
  /**
   * Everything that the log has about these identities, at most 1000.
   * @param from how many entries the log had when this device last saw it; 0 for the first time
   */
  lookup(identities: readonly Identity[], from: number): Promise<LogAnswer>;
  /**
   * Everything that the log had about an identity when it had `size` entries, in JSON as
   * {@link LogAnswer.lookup}.
   */
  lookupAt(identity: Identity, size: number): Promise<unknown>;
  /** Shows that the log of `to` entries grew out of the one of `from`. */
  consistency(from: number, to: number): Promise<readonly string[]>;
}

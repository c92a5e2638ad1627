/**
 * Sessions: in a large channel the message key is brought once, by a key message, and the messages
 * that follow are encrypted under it without slots.
 */
import type { CardId, ChannelSid } from './identifiers.ts';
import { idBytes } from './identifiers.ts';
import type { Suite } from './header.ts';
import { expandKey, extractKey, type Bytes } from './primitives.ts';

/** What a verified key message opens. Belongs to this channel and this sender's card only. */
export interface Session {
  readonly channelSid: ChannelSid;
  readonly senderCardId: CardId;
  /** 16 bytes. */
  readonly sessionId: Bytes;
  /** 32 bytes: whoever has it reads every follower. */
  readonly messageKey: Bytes;
  /** How the key message brought the key. */
  readonly suite: Suite;
}

/**
 * The session that a key message opens. Its id is bound to message key, key message and sender: two
 * key messages never share one, not even when they bring the same key.
 */
export function deriveSession(
  channelSid: ChannelSid,
  senderCardId: CardId,
  suite: Suite,
  messageKey: Bytes,
  headerHash: Bytes,
): Session {
  const key = extractKey('session', messageKey);
  const sessionId = expandKey(key, 'session', [headerHash, idBytes(senderCardId)], 16);
  return { channelSid, senderCardId, sessionId, messageKey, suite };
}

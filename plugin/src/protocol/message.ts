/** What is signed about a message, besides its header: the `tbs` structure. */
import { byteReader, lengthPrefixed, uint } from './bytes.ts';
import {
  cardIdOf,
  idBytes,
  messageIdOf,
  parseChannelSid,
  type CardId,
  type ChannelSid,
  type MessageId,
} from './identifiers.ts';
import { concat, utf8, utf8Text, type Bytes } from './primitives.ts';

/** A message as its sender signs it. */
export interface SignedMessage {
  readonly channelSid: ChannelSid;
  readonly senderCardId: CardId;
  /** Random, chosen by the sender: names the message to those who can read it. */
  readonly messageId: MessageId;
  /** Counts the card's messages in this channel, from 1. */
  readonly sequence: number;
  /** By the sender's clock: milliseconds since 1970-01-01 UTC. */
  readonly sentAt: number;
  /** The bytes of the content, see `content.ts`. */
  readonly content: Bytes;
}

const KIND_MESSAGE = 1;
/** The last millisecond that a `Date` can hold (ECMA-262 §21.4.1.1). */
export const LAST_TIME = 8.64e15;
// The sender's latest head of the card log. There is no log yet: 112 zero bytes, nothing else.
const NO_LOG_HEAD = new Uint8Array(112);

/** The bytes of a message. */
export function encodeMessage(message: SignedMessage): Bytes {
  return concat(
    lengthPrefixed(1, utf8(message.channelSid)),
    idBytes(message.senderCardId),
    idBytes(message.messageId),
    uint(KIND_MESSAGE, 1),
    uint(message.sequence, 8),
    uint(message.sentAt, 8),
    NO_LOG_HEAD,
    lengthPrefixed(4, message.content),
  );
}

/** The message at the start of `bytes` and how many bytes it takes; null when there is none. */
export function decodeMessage(
  bytes: Bytes,
): { readonly message: SignedMessage; readonly length: number } | null {
  try {
    const reader = byteReader(bytes);
    const channelSid = parseChannelSid(utf8Text(reader.take(reader.uint(1))));
    const senderCardId = cardIdOf(reader.take(32));
    const messageId = messageIdOf(reader.take(16));
    const kind = reader.uint(1);
    const sequence = reader.uint(8);
    const sentAt = reader.uint(8);
    const head = reader.take(NO_LOG_HEAD.length);
    const content = reader.take(reader.uint(4));
    if (kind !== KIND_MESSAGE || sequence === 0 || head.some(Boolean)) return null;
    if (sentAt > LAST_TIME) return null;
    const message = { channelSid, senderCardId, messageId, sequence, sentAt, content };
    return { message, length: reader.offset };
  } catch {
    return null;
  }
}

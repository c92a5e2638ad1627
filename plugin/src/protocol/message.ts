/** What is signed about a message, besides its header: the `tbs` structure. */
import { byteReader, lengthPrefixed, uint, type ByteReader } from './bytes.ts';
import {
  cardIdOf,
  idBytes,
  messageIdOf,
  parseChannelSid,
  type CardId,
  type ChannelSid,
  type MessageId,
} from './identifiers.ts';
import { decodeHead, encodeHead, HEAD_LENGTH, type LogHead } from './log/head.ts';
import { concat, utf8, utf8Text, type Bytes } from './primitives.ts';
import { isTime } from './time.ts';

/** What an edit replaces. */
export interface EditTarget {
  /** The card that signed the original. */
  readonly cardId: CardId;
  readonly messageId: MessageId;
  /** The original's sequence. */
  readonly sequence: number;
  /** Counts the edits of this message, from 1. */
  readonly revision: number;
}

/** A message as its sender signs it. */
export type SignedMessage = {
  readonly channelSid: ChannelSid;
  readonly senderCardId: CardId;
  /** Random, chosen by the sender: names the message to those who can read it. */
  readonly messageId: MessageId;
  /** By the sender's clock: milliseconds since 1970-01-01 UTC. */
  readonly sentAt: number;
  /** The newest head of the log that the sender's device saw. */
  readonly head: LogHead;
  /** The bytes of the content, see `content.ts`. Empty in a key message. */
  readonly content: Bytes;
} & (
  | {
      /** `key`: carries no content but opens a session. */
      readonly kind: 'message' | 'key';
      /** Counts the card's messages in this channel, key messages included, from 1. */
      readonly sequence: number;
    }
  | { readonly kind: 'edit'; readonly target: EditTarget }
);

const KINDS = { message: 1, edit: 2, key: 3 } as const;

// Card, message id, kind, sequence, time, log head, and the length of the content.
const FIXED_LENGTH = 32 + 16 + 1 + 8 + 8 + HEAD_LENGTH + 4;
const TARGET_LENGTH = 32 + 16 + 8 + 4;

/** What the length of a message depends on. */
export type MessageMeasures = Pick<SignedMessage, 'channelSid' | 'kind' | 'content'>;

/** How many bytes {@link encodeMessage} makes of such a message. */
export function messageLength({ channelSid, kind, content }: MessageMeasures): number {
  const target = kind === 'edit' ? TARGET_LENGTH : 0;
  return 1 + channelSid.length + FIXED_LENGTH + target + content.length;
}

/** The bytes of a message. */
export function encodeMessage(message: SignedMessage): Bytes {
  return concat(
    lengthPrefixed(1, utf8(message.channelSid)),
    idBytes(message.senderCardId),
    idBytes(message.messageId),
    uint(KINDS[message.kind], 1),
    message.kind === 'edit' ? encodeTarget(message.target) : new Uint8Array(),
    // An edit takes no number of its own: it stands in the place of its target.
    uint(message.kind === 'edit' ? 0 : message.sequence, 8),
    uint(message.sentAt, 8),
    encodeHead(message.head),
    lengthPrefixed(4, message.content),
  );
}

function encodeTarget({ cardId, messageId, sequence, revision }: EditTarget): Bytes {
  return concat(idBytes(cardId), idBytes(messageId), uint(sequence, 8), uint(revision, 4));
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
    const target = kind === KINDS.edit ? decodeTarget(reader) : null;
    const sequence = reader.uint(8);
    const sentAt = reader.uint(8);
    const head = decodeHead(reader.take(HEAD_LENGTH));
    const content = reader.take(reader.uint(4));
    if (!head || !isTime(sentAt)) return null;
    const common = { channelSid, senderCardId, messageId, sentAt, head, content };
    const { offset: length } = reader;
    if (target)
      return sequence === 0 ? { message: { ...common, kind: 'edit', target }, length } : null;
    if (sequence === 0) return null;
    if (kind === KINDS.message)
      return { message: { ...common, kind: 'message', sequence }, length };
    if (kind !== KINDS.key || content.length > 0) return null;
    return { message: { ...common, kind: 'key', sequence }, length };
  } catch {
    return null;
  }
}

function decodeTarget(reader: ByteReader): EditTarget {
  const target = {
    cardId: cardIdOf(reader.take(32)),
    messageId: messageIdOf(reader.take(16)),
    sequence: reader.uint(8),
    revision: reader.uint(4),
  };
  if (target.sequence === 0 || target.revision === 0) throw new RangeError();
  return target;
}

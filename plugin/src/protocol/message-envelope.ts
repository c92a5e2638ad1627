/** A chat's messages as envelopes: sealed for recipients, or as followers of a session. */
import type { Soon } from '../soon.ts';
import type { Card } from './card.ts';
import { decodeContent, type Content } from './content.ts';
import type { SigningKey } from './curves.ts';
import {
  envelopeLength,
  freshHeader,
  openEnvelope,
  openOwnSlots,
  sealEnvelope,
  type Unverified,
} from './envelope.ts';
import {
  encodeHeader,
  encodeReference,
  envelopeText,
  hashHeader,
  headerLength,
  rejected,
  textLength,
  type Envelope,
  type Suite,
} from './header.ts';
import type { CardId, ChannelSid, Identity } from './identifiers.ts';
import {
  decodeMessage,
  encodeMessage,
  messageLength,
  type MessageMeasures,
  type SignedMessage,
} from './message.ts';
import { hash, hex, type Bytes, type RandomSource } from './primitives.ts';
import { deriveSession, type Session } from './session.ts';
import type { SlotCandidates, SlotOpener } from './slot.ts';
import type { SlotSealer } from './slot-parts.ts';

/** An envelope made of a message. */
export interface SealedMessage {
  readonly bytes: Bytes;
  /** `bytes` as the body of a Twilio message. */
  readonly text: string;
}

/**
 * Signs a message and encrypts it for recipients, under a fresh message key: a carrier, or a key
 * message when that is the message's kind.
 * @param random gives the message key and the nonce
 * @returns the envelope, and the session that a key message opens
 * @throws EncryptionError `INVALID_ARGUMENT`, `TOO_MANY_RECIPIENTS`
 */
export async function sealMessage(
  message: SignedMessage,
  signingKey: SigningKey,
  slots: SlotSealer,
  random: RandomSource,
): Promise<SealedMessage & { readonly session?: Session }> {
  const type = message.kind === 'key' ? 'key' : 'carrier';
  const { header, messageKey } = await freshHeader(type, slots, random);
  const sealed = await sealUnder(message, signingKey, header, messageKey);
  if (message.kind !== 'key') return sealed;
  const { channelSid, senderCardId } = message;
  const headerHash = hashHeader(header);
  const session = deriveSession(channelSid, senderCardId, slots.suite, messageKey, headerHash);
  return { ...sealed, session };
}

/**
 * Signs a message and encrypts it under the key of an open session: 40 bytes of header, however
 * many recipients.
 * @param keyMessageIndex where Twilio put the key message
 */
export function sealFollower(
  message: SignedMessage,
  signingKey: SigningKey,
  { sessionId, messageKey, suite }: Session,
  keyMessageIndex: number,
  random: RandomSource,
): Promise<SealedMessage> {
  // The nonce makes the header, and by it the encryption key, another one for each follower.
  const reference = encodeReference({ sessionId, keyMessageIndex });
  const header = encodeHeader('follower', suite, random(16), reference);
  return sealUnder(message, signingKey, header, messageKey);
}

/**
 * How long the text of a message's envelope will be, to the character.
 * @param slots how many slots {@link sealMessage} gives it; 0 for {@link sealFollower}
 */
export function sealedLength(message: MessageMeasures, suite: Suite, slots: number): number {
  return textLength(envelopeLength(headerLength(suite, slots), messageLength(message)));
}

async function sealUnder(
  message: SignedMessage,
  signingKey: SigningKey,
  header: Bytes,
  messageKey: Bytes,
): Promise<SealedMessage> {
  const toBeSigned = encodeMessage(message);
  const bytes = await sealEnvelope('message', header, messageKey, signingKey, toBeSigned);
  return { bytes, text: envelopeText(bytes) };
}

/** Who reads, and what Twilio claims about the message. */
export interface MessageReader {
  /** The channel that Twilio delivered the message in. */
  readonly channelSid: ChannelSid;
  /** The author that Twilio names. */
  readonly author: string;
  readonly opener: SlotOpener;
  /** The session that a follower names, if the reader has it. */
  readonly session?: Session;
  /** The checked and approved card of this id. Its error is passed on. */
  findCard(id: CardId): Soon<Card>;
}

/** A message whose every check passed. */
export interface VerifiedMessage {
  readonly sender: Card;
  readonly message: SignedMessage;
  /** Empty for a key message. */
  readonly content: Content;
  /** How its message key reached its readers. */
  readonly suite: Suite;
  /** A hash of all the envelope's bytes, hexadecimal: tells a copy from another envelope. */
  readonly digest: string;
  /** Of a key message: the session that it opens. */
  readonly session?: Session;
  /** What slots of suite 1 were opened with. To be kept in the reader's opener. */
  readonly slotKey?: { readonly ephemeralKey: string; readonly key: Bytes };
}

/**
 * Opens a message and verifies it; nothing comes out before everything is checked.
 * @returns null when no slot is for this reader, or the reader has no session for a follower
 * @throws EncryptionError with a {@link RejectionCode}, or what `findCard` throws
 */
export async function openMessage(
  envelope: Envelope,
  reader: MessageReader,
): Promise<VerifiedMessage | null> {
  const found = messageKeys(envelope, reader);
  const keys = found instanceof Promise ? await found : found;
  if (!keys) return null;
  const opened = openEnvelope('message', envelope, keys.candidates);
  const { message, length } = readPlaintext(opened);
  const card = reader.findCard(message.senderCardId);
  const sender = card instanceof Promise ? await card : card;
  const verifying = opened.isSignedBy(sender.signingKey, length);
  // While another thread verifies.
  const digest = hex.encode(hash('envelope', envelope.bytes));
  if (!(await verifying)) {
    throw rejected('BAD_SIGNATURE', 'the card it names did not sign it for these recipients');
  }
  checkContext(envelope, message, sender.identity, reader);
  const content = message.kind === 'key' ? {} : decodeContent(message.content);
  if (!content) throw rejected('MALFORMED', 'its content is not canonical');
  const { slotKey } = keys;
  const session = message.kind === 'key' ? sessionOf(envelope, message, opened) : undefined;
  return {
    sender,
    message,
    content,
    suite: envelope.suite,
    digest,
    ...(slotKey && { slotKey }),
    ...(session && { session }),
  };
}

interface MessageKeys {
  readonly candidates: readonly Bytes[];
  readonly slotKey?: VerifiedMessage['slotKey'];
}

function messageKeys(
  envelope: Envelope,
  { session, opener }: MessageReader,
): Soon<MessageKeys | null> {
  if (envelope.type === 'follower') return session ? { candidates: [session.messageKey] } : null;
  const { slots } = envelope;
  const keysOf = (opened: SlotCandidates | null): MessageKeys | null => {
    if (!opened) return null;
    const { messageKeys: candidates, slotKey: key } = opened;
    const ephemeralKey = hex.encode(slots.ephemeralKey);
    return { candidates, ...(key && { slotKey: { ephemeralKey, key } }) };
  };
  const opened = openOwnSlots(slots, opener);
  return opened instanceof Promise ? opened.then(keysOf) : keysOf(opened);
}

function readPlaintext(opened: Unverified): { message: SignedMessage; length: number } {
  const decoded = decodeMessage(opened.padded);
  if (!decoded || !opened.endsAt(decoded.length)) {
    throw rejected('MALFORMED', 'its plaintext is malformed');
  }
  return decoded;
}

function checkContext(
  envelope: Envelope,
  message: SignedMessage,
  sender: Identity,
  reader: MessageReader,
): void {
  if (message.channelSid !== reader.channelSid) {
    throw rejected('WRONG_CHANNEL', 'it was written for another channel');
  }
  if (sender !== reader.author) {
    throw rejected('WRONG_AUTHOR', "Twilio's author is not the identity that signed it");
  }
  const isKey = message.kind === 'key';
  if (envelope.type === 'sealed' || isKey !== (envelope.type === 'key')) {
    throw rejected('MALFORMED', 'its type is not that of what it contains');
  }
  if (envelope.type !== 'follower') return;
  // A member who knows a session's key could write its followers otherwise, under his own card or
  // for another channel; his signature says who he is, but the session is not his.
  const { session } = reader;
  if (session?.senderCardId !== message.senderCardId) {
    throw rejected('BAD_SIGNATURE', "it was written under somebody else's session");
  }
  if (session.channelSid !== message.channelSid || session.suite !== envelope.suite) {
    throw rejected('MALFORMED', 'its header is not that of its session');
  }
}

function sessionOf(
  envelope: Envelope,
  message: SignedMessage,
  { messageKey }: Unverified,
): Session {
  const { channelSid, senderCardId } = message;
  return deriveSession(channelSid, senderCardId, envelope.suite, messageKey, envelope.headerHash);
}

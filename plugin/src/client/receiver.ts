import type { Card } from '../protocol/card.ts';
import type { Content } from '../protocol/content.ts';
import { parseEnvelope } from '../protocol/header.ts';
import { openMessage, type VerifiedMessage } from '../protocol/message-envelope.ts';
import type { ChannelSid } from '../protocol/identifiers.ts';
import type { Bytes } from '../protocol/primitives.ts';
import type { CardBook } from './card-book.ts';
import type { KeyStore } from './key-store.ts';
import { outcomeOf, type MessageEncryption, type UnavailableCode } from './message-encryption.ts';
import type { OwnCard } from './own-card.ts';
import type { Pins, Trust } from './pins.ts';
import { updateState, type StateType } from './state.ts';

/** A message as Twilio delivers it; every part is Twilio's claim. */
export interface DeliveredMessage {
  readonly channelSid: ChannelSid;
  readonly messageSid: string;
  /** Its place in the channel. */
  readonly index: number;
  readonly author: string;
  readonly body: string;
  /** May be an invalid date. */
  readonly createdAt: Date;
  /** When this person became a member, if Twilio says so. Asked only for what cannot be read. */
  joinedAt(): Promise<Date | null>;
}

/** A message whose bytes were judged, by themselves. */
export type JudgedMessage =
  | { readonly delivered: DeliveredMessage; readonly outcome: MessageEncryption }
  | {
      readonly delivered: DeliveredMessage;
      readonly verified: VerifiedMessage;
      /** All cards of a sender who was never seen before, to be pinned with the sender's. */
      readonly cards: readonly Card[];
    };

/** A message as it is shown. */
export interface ReceivedMessage {
  readonly encryption: MessageEncryption;
  /** Empty unless `verified`. */
  readonly content: Content;
  /** The very bytes of a message that stands in the channel already: to be hidden. */
  readonly copy: boolean;
}

/** Decrypts and verifies messages, in two steps. Whatever is wrong is in the result. */
export interface Receiver {
  /** Opens and verifies one message. May ask the directory; any number at a time. */
  judge(delivered: DeliveredMessage): Promise<JudgedMessage>;
  /**
   * Compares the message with what this device remembers, and remembers it. One after the other,
   * in the channel's order: of a message and its copy, the first is the message.
   */
  accept(judged: JudgedMessage): Promise<ReceivedMessage>;
}

/** What a receiver works with. */
export interface ReceiverContext {
  readonly own: OwnCard;
  readonly keyStore: KeyStore;
  readonly cards: CardBook;
  readonly pins: Pins;
}

const CLOCK_SKEW_MILLISECONDS = 5 * 60_000;
// One entry is an ephemeral key that one sender uses in one channel for up to an hour.
const MAX_SLOT_KEYS = 4096;

/** The receiver of one device. */
export function receiver(context: ReceiverContext): Receiver {
  const slotKeys = new Map<string, Bytes>();
  return {
    async judge(delivered) {
      try {
        const verified = await verify(delivered, slotKeys, context);
        if (!verified) {
          const code = await whyUnavailable(delivered, context.own);
          return { delivered, outcome: { status: 'unavailable', code } };
        }
        const { slotKey } = verified;
        if (slotKey) keepBounded(slotKeys, slotKey.ephemeralKey, slotKey.key);
        return { delivered, verified, cards: await cardsToPin(verified, context) };
      } catch (error) {
        return { delivered, outcome: outcomeOf(error) };
      }
    },

    async accept(judged) {
      if ('outcome' in judged) return notShown(judged.outcome);
      try {
        return await compare(judged, context);
      } catch (error) {
        return notShown(outcomeOf(error));
      }
    },
  };
}

function keepBounded(map: Map<string, Bytes>, key: string, value: Bytes): void {
  if (map.size >= MAX_SLOT_KEYS) map.delete(map.keys().next().value ?? '');
  map.set(key, value);
}

async function verify(
  { body, channelSid, author }: DeliveredMessage,
  slotKeys: ReadonlyMap<string, Bytes>,
  { own, cards }: ReceiverContext,
): Promise<VerifiedMessage | null> {
  return openMessage(parseEnvelope(body), {
    channelSid,
    author,
    opener: { key: own.encryptionKey, slotKeys },
    findCard: (id) => (id === own.card.id ? Promise.resolve(own.card) : cards.get(id)),
  });
}

async function whyUnavailable(delivered: DeliveredMessage, own: OwnCard): Promise<UnavailableCode> {
  const { createdAt } = delivered;
  const joinedAt = await delivered.joinedAt();
  if (joinedAt && createdAt < joinedAt) return 'SENT_BEFORE_JOIN';
  if (createdAt.getTime() < own.card.createdAt) return 'SENT_BEFORE_DEVICE';
  return 'NOT_ADDRESSED';
}

function notShown(encryption: MessageEncryption, copy = false): ReceivedMessage {
  return { encryption, content: {}, copy };
}

// The directory is asked here, not in `accept`: what waits for the network must not hold up others.
async function cardsToPin(
  { sender: { identity } }: VerifiedMessage,
  { cards, pins }: ReceiverContext,
): Promise<readonly Card[]> {
  if (await pins.knows(identity)) return [];
  return (await cards.find([identity])).get(identity)?.cards ?? [];
}

async function compare(
  { delivered, verified, cards }: Exclude<JudgedMessage, { outcome: MessageEncryption }>,
  context: ReceiverContext,
): Promise<ReceivedMessage> {
  const { sender, message, content } = verified;
  const first = await firstSight(delivered, verified, context);
  if (first !== 'match') {
    return notShown({ status: 'rejected', code: 'REPLAYED' }, first === 'copy');
  }
  const skew = Math.abs(message.sentAt - delivered.createdAt.getTime());
  const { device } = sender;
  const encryption: MessageEncryption = {
    status: 'verified',
    sender: {
      identity: sender.identity,
      cardId: sender.id,
      ...(device !== undefined && { device }),
    },
    trust: await trustOf(sender, cards, context),
    sentAt: new Date(message.sentAt),
    messageId: message.messageId,
    // An invalid date gives NaN, which is not within any limit.
    anomalies: skew <= CLOCK_SKEW_MILLISECONDS ? [] : [{ code: 'CLOCK_SKEW' }],
  };
  return { encryption, content, copy: false };
}

async function trustOf(
  sender: Card,
  cards: readonly Card[],
  { own, cards: book, pins }: ReceiverContext,
): Promise<Trust> {
  if (sender.id === own.card.id) return 'pinned';
  const others = cards.filter(({ id }) => id !== sender.id);
  const trust = await pins.check(sender.identity, [...others, sender]);
  const trusted = trust.get(sender.id) ?? 'changed';
  // A card that was not there when the identity's cards were asked for: ask again before sending.
  if (trusted === 'changed') book.refresh(sender.identity);
  return trusted;
}

interface FirstSight {
  readonly place: string;
  readonly digest: string;
}

const FIRST_SIGHT: StateType<FirstSight> = {
  initial: { place: '', digest: '' },
  isValid: (value): value is FirstSight =>
    typeof value === 'object' &&
    value !== null &&
    'place' in value &&
    'digest' in value &&
    typeof value.place === 'string' &&
    typeof value.digest === 'string',
};

const PLACE: StateType<string> = {
  initial: '',
  isValid: (value): value is string => typeof value === 'string',
};

/**
 * What this device remembers of the place where Twilio shows the message, and of the message. The
 * first message seen at a place stays the message of that place, and the first place of a message
 * its place: Twilio can neither show another message there nor the same one elsewhere.
 */
async function firstSight(
  { channelSid, messageSid, index }: DeliveredMessage,
  { message, digest }: VerifiedMessage,
  { own, keyStore }: ReceiverContext,
): Promise<'match' | 'copy' | 'conflict'> {
  // Sid and index: a copy may carry the very sid of the original.
  const place = `${messageSid}/${index}`;
  const channel = `${own.card.id}/${channelSid}`;
  const { after: here } = await updateState(
    keyStore,
    `place/${channel}/${place}`,
    PLACE,
    (first) => first || digest,
  );
  const { after: seen } = await updateState(
    keyStore,
    `seen/${channel}/${message.senderCardId}/${message.messageId}`,
    FIRST_SIGHT,
    (first) => (first.place === '' ? { place, digest } : first),
  );
  if (here !== digest || seen.digest !== digest) return 'conflict';
  return seen.place === place ? 'match' : 'copy';
}

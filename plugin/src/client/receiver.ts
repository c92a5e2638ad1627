import type { Card } from '../protocol/card.ts';
import type { Content } from '../protocol/content.ts';
import type { Envelope } from '../protocol/header.ts';
import { rejected } from '../protocol/header.ts';
import type { CardId, ChannelSid } from '../protocol/identifiers.ts';
import { openMessage, type VerifiedMessage } from '../protocol/message-envelope.ts';
import { hex, type Bytes } from '../protocol/primitives.ts';
import type { Session } from '../protocol/session.ts';
import type { CardBook } from './card-book.ts';
import { channelOrder, type ChannelOrder } from './channel-order.ts';
import type { DeliveredMessage } from './delivered.ts';
import type { EncryptedChannels } from './encrypted-channels.ts';
import type { IncomingSessions } from './incoming-sessions.ts';
import { envelopeOf, keyMessages } from './key-messages.ts';
import type { KeyStore } from './key-store.ts';
import { ledger, nameOf, type MessageName } from './ledger.ts';
import {
  outcomeOf,
  type Anomaly,
  type MessageEncryption,
  type UnavailableCode,
} from './message-encryption.ts';
import type { OwnCard } from './own-card.ts';
import type { Pins, Trust } from './pins.ts';
import { unknownRecipients } from './unknown-recipients.ts';

/** A message whose bytes were judged, by themselves. */
export type JudgedMessage =
  | { readonly delivered: DeliveredMessage; readonly outcome: MessageEncryption }
  | {
      readonly delivered: DeliveredMessage;
      readonly verified: VerifiedMessage;
      /** All cards of a sender who was never seen before, to be pinned with the sender's. */
      readonly cards: readonly Card[];
      /** How many slots are for cards that nobody here has. */
      readonly unknownRecipients: number;
    };

/** A message as it is shown. */
export interface ReceivedMessage {
  readonly encryption: MessageEncryption;
  /** Empty unless `verified`. */
  readonly content: Content;
  /** To be hidden: a verified key message, or the very bytes of a message that stands elsewhere. */
  readonly hidden: boolean;
  /** Of a `verified` message: what an edit of it names. */
  readonly name?: MessageName;
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
  readonly sessions: IncomingSessions;
  readonly encrypted: EncryptedChannels;
  readonly now: () => number;
  /** Is told of messages of this very card. */
  readonly sawOwn: (channelSid: ChannelSid, sequence: number) => Promise<void>;
}

const CLOCK_SKEW_MILLISECONDS = 5 * 60_000;
// One entry is an ephemeral key that one sender uses in one channel for up to an hour.
const MAX_SLOT_KEYS = 4096;
const MAX_COUNTED_SESSIONS = 1000;
// After 1, 3, 7 and 15 seconds: a key message that is still to come is there then.
const MAX_KEY_ATTEMPTS = 4;

/** The receiver of one device. */
export function receiver(context: ReceiverContext): Receiver {
  const { own, cards, sessions } = context;
  const opened = opener(context);
  const recorded = ledger(context.keyStore, own.card.id);
  const orders = new Map<ChannelSid, ChannelOrder>();
  const findSession = keyMessages(opened);
  const countUnknown = unknownRecipients(own, cards, context.now);
  // What was counted in a session's key message holds for its followers.
  const unknownOf = new Map<string, number>();

  function orderOf(channelSid: ChannelSid): ChannelOrder {
    const order = orders.get(channelSid) ?? channelOrder();
    orders.set(channelSid, order);
    return order;
  }

  async function sessionOf(
    delivered: DeliveredMessage,
    envelope: Envelope,
  ): Promise<Session | UnavailableCode | null> {
    if (envelope.type !== 'follower') return null;
    const { session } = envelope;
    const kept = await sessions.find(delivered.channelSid, session.sessionId);
    const found = kept ?? (await findSession(delivered, session));
    if (found === 'foreign') return whyUnavailable(delivered, own);
    return found === 'missing' ? 'KEY_MISSING' : found;
  }

  async function unknownIn(
    delivered: DeliveredMessage,
    envelope: Envelope,
    { session }: VerifiedMessage,
  ) {
    if (envelope.type === 'follower') {
      return unknownOf.get(hex.encode(envelope.session.sessionId)) ?? 0;
    }
    const count = await countUnknown(delivered, envelope.slots);
    if (session) keepBounded(unknownOf, hex.encode(session.sessionId), count, MAX_COUNTED_SESSIONS);
    return count;
  }

  async function judge(delivered: DeliveredMessage): Promise<JudgedMessage> {
    const envelope = await envelopeOf(delivered);
    const session = await sessionOf(delivered, envelope);
    if (session === 'KEY_MISSING' && delivered.attempts < MAX_KEY_ATTEMPTS) {
      return { delivered, outcome: { status: 'pending', code: 'KEY_PENDING' } };
    }
    if (typeof session === 'string') {
      return { delivered, outcome: { status: 'unavailable', code: session } };
    }
    const verified = await opened(delivered, envelope, session ?? undefined);
    if (!verified) {
      const code = await whyUnavailable(delivered, own);
      return { delivered, outcome: { status: 'unavailable', code } };
    }
    await checkEdit(verified, cards);
    return {
      delivered,
      verified,
      cards: await cardsToPin(verified, context),
      unknownRecipients:
        verified.sender.id === own.card.id ? 0 : await unknownIn(delivered, envelope, verified),
    };
  }

  return {
    async judge(delivered) {
      const judged = await judge(delivered).catch((error: unknown) => ({
        delivered,
        outcome: outcomeOf(error),
      }));
      const pending = 'outcome' in judged && judged.outcome.status === 'pending';
      if (!pending) orderOf(delivered.channelSid).loaded(delivered.index);
      return judged;
    },

    async accept(judged) {
      if ('outcome' in judged) return notShown(judged.outcome);
      try {
        const { delivered, verified } = judged;
        const { channelSid, messageSid, index } = delivered;
        const { message, digest } = verified;
        const name = nameOf(message);
        const revision = message.kind === 'edit' ? message.target.revision : 0;
        const verdict = await recorded({ channelSid, messageSid, index, name, revision, digest });
        if (verdict.is !== 'known') {
          return notShown({ status: 'rejected', code: 'REPLAYED' }, verdict.is === 'copy');
        }
        if (name.cardId === own.card.id) await context.sawOwn(channelSid, name.sequence);
        await context.encrypted.add(channelSid, verified.suite);
        const order = orderOf(channelSid).place(name.cardId, name.sequence, index);
        return await shown(judged, { name, revision, ...verdict, order }, context);
      } catch (error) {
        return notShown(outcomeOf(error));
      }
    },
  };
}

/** Opens envelopes; keeps what opens the next ones, once they are verified. */
function opener({ own, cards, sessions }: ReceiverContext) {
  const slotKeys = new Map<string, Bytes>();
  const { encryptionKey: key, pqEncryptionKey: pqKey } = own;
  const slotOpener = { key, slotKeys, ...(pqKey && { pqKey }) };
  const findCard = (id: CardId): Promise<Card> =>
    id === own.card.id ? Promise.resolve(own.card) : cards.get(id);
  return async (
    { channelSid, author }: DeliveredMessage,
    envelope: Envelope,
    session?: Session,
  ): Promise<VerifiedMessage | null> => {
    const verified = await openMessage(envelope, {
      channelSid,
      author,
      opener: slotOpener,
      ...(session && { session }),
      findCard,
    });
    if (verified?.session) await sessions.keep(verified.session);
    const slotKey = verified?.slotKey;
    if (slotKey) keepBounded(slotKeys, slotKey.ephemeralKey, slotKey.key, MAX_SLOT_KEYS);
    return verified;
  };
}

function keepBounded<T>(map: Map<string, T>, key: string, value: T, limit: number): void {
  if (map.size >= limit) map.delete(map.keys().next().value ?? '');
  map.set(key, value);
}

/** Only the person who wrote a message may edit it, with whatever card. */
async function checkEdit({ message, sender }: VerifiedMessage, cards: CardBook): Promise<void> {
  if (message.kind !== 'edit' || message.target.cardId === sender.id) return;
  const original = await cards.get(message.target.cardId);
  if (original.identity !== sender.identity) {
    throw rejected('WRONG_AUTHOR', 'somebody else edited it');
  }
}

async function whyUnavailable(delivered: DeliveredMessage, own: OwnCard): Promise<UnavailableCode> {
  const { createdAt } = delivered;
  const joinedAt = await delivered.joinedAt();
  if (joinedAt && createdAt < joinedAt) return 'SENT_BEFORE_JOIN';
  if (createdAt.getTime() < own.card.createdAt) return 'SENT_BEFORE_DEVICE';
  return 'NOT_ADDRESSED';
}

function notShown(encryption: MessageEncryption, hidden = false): ReceivedMessage {
  return { encryption, content: {}, hidden };
}

// The directory is asked here, not in `accept`: what waits for the network must not hold up others.
async function cardsToPin(
  { sender: { identity } }: VerifiedMessage,
  { cards, pins }: ReceiverContext,
): Promise<readonly Card[]> {
  if (await pins.knows(identity)) return [];
  return (await cards.find([identity])).get(identity)?.cards ?? [];
}

interface Remembered {
  readonly name: MessageName;
  readonly revision: number;
  readonly fork: boolean;
  readonly rolledBack: boolean;
  readonly order: readonly Anomaly[];
}

async function shown(
  judged: Exclude<JudgedMessage, { outcome: MessageEncryption }>,
  { name, revision, fork, rolledBack, order }: Remembered,
  context: ReceiverContext,
): Promise<ReceivedMessage> {
  const { delivered, verified, cards, unknownRecipients: count } = judged;
  const { sender, message, content } = verified;
  const { device } = sender;
  const anomalies: readonly Anomaly[] = [
    ...(isSkewed(message.sentAt, delivered, revision) ? [{ code: 'CLOCK_SKEW' } as const] : []),
    ...order,
    ...(fork ? [{ code: 'FORK' } as const] : []),
    ...(rolledBack ? [{ code: 'ROLLED_BACK' } as const] : []),
    ...(count > 0 ? [{ code: 'UNKNOWN_RECIPIENTS', count } as const] : []),
  ];
  const encryption: MessageEncryption = {
    status: 'verified',
    sender: {
      identity: sender.identity,
      cardId: sender.id,
      ...(device !== undefined && { device }),
    },
    trust: await trustOf(sender, cards, context),
    sentAt: new Date(message.sentAt),
    revision,
    messageId: name.messageId,
    anomalies,
  };
  return { encryption, content, hidden: message.kind === 'key', name };
}

function isSkewed(
  sentAt: number,
  { createdAt, updatedAt }: DeliveredMessage,
  revision: number,
): boolean {
  const skew = Math.abs(sentAt - (revision === 0 ? createdAt : updatedAt).getTime());
  // An invalid date gives NaN, which is not within any limit.
  return !(skew <= CLOCK_SKEW_MILLISECONDS);
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

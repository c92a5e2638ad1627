import { EncryptionError, type RejectionCode } from '../errors.ts';
import type { Content } from '../protocol/content.ts';
import { openMessage, type VerifiedMessage } from '../protocol/envelope.ts';
import type { CardId, ChannelSid, Identity, MessageId } from '../protocol/identifiers.ts';
import type { Bytes } from '../protocol/primitives.ts';
import type { CardBook } from './card-book.ts';
import type { KeyStore } from './key-store.ts';
import type { OwnCard } from './own-card.ts';
import type { Pins, Trust } from './pins.ts';
import { updateState, type StateType } from './state.ts';

/** Something odd about a message that is nevertheless verified. */
export interface Anomaly {
  /** `CLOCK_SKEW`: the sender's clock and Twilio's differ by more than five minutes. */
  readonly code: 'CLOCK_SKEW';
}

/**
 * Why a message cannot be read here. By what Twilio says of its date, so it is no proof.
 * - `SENT_BEFORE_JOIN` sent before this person was a member
 * - `SENT_BEFORE_DEVICE` sent before this device had a card
 * - `NOT_ADDRESSED` its sender did not encrypt it for this device
 */
export type UnavailableCode = 'SENT_BEFORE_JOIN' | 'SENT_BEFORE_DEVICE' | 'NOT_ADDRESSED';

/** What is known of a message. Only a `verified` one shows its sender's words. */
export type MessageEncryption =
  | {
      readonly status: 'verified';
      readonly sender: {
        readonly identity: Identity;
        readonly cardId: CardId;
        readonly device?: string;
      };
      readonly trust: Trust;
      /** By the sender's clock. */
      readonly sentAt: Date;
      readonly messageId: MessageId;
      readonly anomalies: readonly Anomaly[];
    }
  /**
   * Not decided yet; tried again by itself. `CARD_PENDING`: the sender's card could not be fetched;
   * `STORE_PENDING`: the key store could not be read or written.
   */
  | { readonly status: 'pending'; readonly code: 'CARD_PENDING' | 'STORE_PENDING' }
  | { readonly status: 'unavailable'; readonly code: UnavailableCode }
  | { readonly status: 'rejected'; readonly code: RejectionCode };

/** A message as Twilio delivers it; every part is Twilio's claim. */
export interface DeliveredMessage {
  readonly channelSid: ChannelSid;
  readonly messageSid: string;
  /** Its place in the channel. */
  readonly index: number;
  readonly author: string;
  readonly body: string;
  readonly createdAt: Date;
  /** When this person became a member, if Twilio says so. Asked only for what cannot be read. */
  joinedAt(): Promise<Date | null>;
}

/** A message after opening. */
export interface ReceivedMessage {
  readonly encryption: MessageEncryption;
  /** Empty unless `verified`. */
  readonly content: Content;
  /** The very bytes of a message that stands in the channel already: to be hidden. */
  readonly copy: boolean;
}

/** Decrypts and verifies messages. */
export interface Receiver {
  /**
   * Opens one message. Whatever is wrong is in the result.
   */
  open(delivered: DeliveredMessage): Promise<ReceivedMessage>;
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
    async open(delivered) {
      try {
        const opened = await openVerified(delivered, slotKeys, context);
        if ('status' in opened) return notShown(opened);
        keepBounded(slotKeys, opened.ephemeralKey, opened.slotKey);
        return await judge(delivered, opened, context);
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

async function openVerified(
  delivered: DeliveredMessage,
  slotKeys: ReadonlyMap<string, Bytes>,
  { own, cards }: ReceiverContext,
): Promise<VerifiedMessage | MessageEncryption> {
  const opened = await openMessage(delivered.body, {
    channelSid: delivered.channelSid,
    author: delivered.author,
    opener: { key: own.encryptionKey, slotKeys },
    findCard: (id) => (id === own.card.id ? Promise.resolve(own.card) : cards.get(id)),
  });
  return opened ?? { status: 'unavailable', code: await whyUnavailable(delivered, own) };
}

function notShown(encryption: MessageEncryption, copy = false): ReceivedMessage {
  return { encryption, content: {}, copy };
}

async function whyUnavailable(delivered: DeliveredMessage, own: OwnCard): Promise<UnavailableCode> {
  const { createdAt } = delivered;
  const joinedAt = await delivered.joinedAt();
  if (joinedAt && createdAt < joinedAt) return 'SENT_BEFORE_JOIN';
  if (createdAt.getTime() < own.card.createdAt) return 'SENT_BEFORE_DEVICE';
  return 'NOT_ADDRESSED';
}

function outcomeOf(error: unknown): MessageEncryption {
  if (!(error instanceof EncryptionError)) throw error;
  switch (error.code) {
    case 'PLAINTEXT':
    case 'UNSUPPORTED_VERSION':
    case 'MALFORMED':
    case 'COMMITMENT_MISMATCH':
    case 'DECRYPTION_FAILED':
    case 'BAD_SIGNATURE':
    case 'WRONG_CHANNEL':
    case 'WRONG_AUTHOR':
    case 'REPLAYED':
    case 'CARD_INVALID':
    case 'CARD_REVOKED':
      return { status: 'rejected', code: error.code };
    case 'DIRECTORY_UNREACHABLE':
    case 'DIRECTORY_REFUSED':
    case 'UNAUTHORIZED':
      return { status: 'pending', code: 'CARD_PENDING' };
    case 'KEY_STORE_UNAVAILABLE':
    case 'KEY_RECORD_DAMAGED':
      return { status: 'pending', code: 'STORE_PENDING' };
    default:
      throw error;
  }
}

async function judge(
  delivered: DeliveredMessage,
  opened: VerifiedMessage,
  context: ReceiverContext,
): Promise<ReceivedMessage> {
  const { sender, message, content } = opened;
  const trust = await trustOf(opened, context);
  const first = await firstSight(delivered, opened, context);
  const sameBytes = first.digest === opened.digest;
  if (!sameBytes || first.place !== placeOf(delivered)) {
    return notShown({ status: 'rejected', code: 'REPLAYED' }, sameBytes);
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
    trust,
    sentAt: new Date(message.sentAt),
    messageId: message.messageId,
    anomalies: skew > CLOCK_SKEW_MILLISECONDS ? [{ code: 'CLOCK_SKEW' }] : [],
  };
  return { encryption, content, copy: false };
}

async function trustOf(
  { sender }: VerifiedMessage,
  { own, cards, pins }: ReceiverContext,
): Promise<Trust> {
  if (sender.id === own.card.id) return 'pinned';
  const { identity } = sender;
  const all = (await pins.knows(identity))
    ? []
    : ((await cards.find([identity])).get(identity)?.cards ?? []);
  const others = all.filter(({ id }) => id !== sender.id);
  const trust = await pins.check(identity, [...others, sender]);
  return trust.get(sender.id) ?? 'changed';
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

// Sid and index: a copy may carry the very sid of the original.
function placeOf({ messageSid, index }: DeliveredMessage): string {
  return `${messageSid}/${index}`;
}

/** Where this message id was seen first: the place and the bytes that it is bound to. */
async function firstSight(
  delivered: DeliveredMessage,
  { message, digest }: VerifiedMessage,
  { own, keyStore }: ReceiverContext,
): Promise<FirstSight> {
  const parts = [own.card.id, delivered.channelSid, message.senderCardId, message.messageId];
  const { after } = await updateState(keyStore, `seen/${parts.join('/')}`, FIRST_SIGHT, (first) =>
    first.place === '' ? { place: placeOf(delivered), digest } : first,
  );
  return after;
}

import { acceptor, untrustedAtFirstSight, type AcceptorContext } from './acceptor.ts';
import { isEncryptionError } from '../errors.ts';
import { pace } from '../pace.ts';
import type { Card } from '../protocol/card.ts';
import { rejected, type Envelope } from '../protocol/header.ts';
import type { CardId, Identity } from '../protocol/identifiers.ts';
import { openMessage, type VerifiedMessage } from '../protocol/message-envelope.ts';
import { hex, type Bytes } from '../protocol/primitives.ts';
import type { Session } from '../protocol/session.ts';
import type { SlotOpener } from '../protocol/slot.ts';
import type { Soon } from '../soon.ts';
import type { CardLog } from './card-log.ts';
import type { DeliveredMessage } from './delivered.ts';
import type { DeletedKeys } from './deleted-keys.ts';
import type { IncomingSessions } from './incoming-sessions.ts';
import type { JudgedMessage, ReceivedMessage } from './judged.ts';
import { envelopeOf, fileLoader, keyMessages } from './key-messages.ts';
import { outcomeOf, type MessageEncryption, type UnavailableCode } from './message-encryption.ts';
import type { OwnCard } from './own-card.ts';
import { countedByRoster } from './roster-lag.ts';
import { shared } from './shared.ts';
import { countedSoon, unknownRecipients } from './unknown-recipients.ts';

/** Decrypts and verifies messages, in two steps. Whatever is wrong is in the result. */
export interface Receiver {
  /** Opens and verifies one message. May ask the directory; any number at a time. */
  judge(delivered: DeliveredMessage): Promise<JudgedMessage>;
  /**
   * Compares messages with what this device remembers, and remembers them. One call after the other,
   * in the channel's order: of a message and its copy, the first is the message. What arrives
   * together is given together: what is missing beside one of them may be another of them.
   */
  accept(judged: readonly JudgedMessage[]): Promise<readonly ReceivedMessage[]>;
}

/** What a receiver works with. */
export interface ReceiverContext extends AcceptorContext {
  readonly log: Pick<CardLog, 'isSigned' | 'witness'>;
  readonly sessions: IncomingSessions;
  readonly deleted: DeletedKeys;
  readonly now: () => number;
}

// One entry is an ephemeral key that one sender uses in one channel for up to an hour.
const MAX_SLOT_KEYS = 4096;
const MAX_COUNTED_SESSIONS = 1000;
// What was under way when a card was revoked or replaced, by two servers' clocks.
const GRACE_MILLISECONDS = 5 * 60_000;
// After 1, 3, 7 and 15 seconds: a key message that is still to come is there then.
const MAX_KEY_ATTEMPTS = 4;

/** The receiver of one device. */
export function receiver(context: ReceiverContext): Receiver {
  const { keys, cards, log, sessions } = context;
  // Only of that one nobody else has the keys: those of a backup are other devices', stolen ones perhaps.
  const isCurrent = (id: CardId): boolean => keys.current().card.id === id;
  const open = opener(context);
  const countUnknown = unknownRecipients(keys, cards, context.now);
  // What is counted in a session's key message holds for its followers.
  const unknownOf = new Map<string, Promise<number>>();
  const opened: Opener = async (delivered, envelope, session) => {
    const verified = await open(delivered, envelope, session);
    if (!verified?.session) return verified;
    const name = hex.encode(verified.session.sessionId);
    // Counted by whoever comes first: the key message itself, or the follower that looked for it.
    if (!unknownOf.has(name)) {
      const counting = countIn(delivered, envelope, verified);
      keepBounded(unknownOf, name, counting, MAX_COUNTED_SESSIONS);
    }
    return verified;
  };
  const isKnown = shared(
    (identity: Identity) => identity,
    (identity) => context.pins.knows(identity),
  );
  const load = fileLoader();
  const findSession = keyMessages(opened, load);

  async function sessionOf(
    delivered: DeliveredMessage,
    envelope: Envelope,
  ): Promise<Session | UnavailableCode | null> {
    if (envelope.type !== 'follower') return null;
    const { session } = envelope;
    const kept = await sessions.find(delivered.channelSid, session.sessionId);
    const found = kept ?? (await findSession(delivered, session));
    if (found === 'foreign') return whyUnavailable(delivered, context);
    return found === 'missing' ? 'KEY_MISSING' : found;
  }

  async function countIn(
    delivered: DeliveredMessage,
    envelope: Envelope,
    { sender }: VerifiedMessage,
  ): Promise<number> {
    if (envelope.type === 'follower' || isCurrent(sender.id)) return 0;
    const { slots } = envelope;
    return countedByRoster(delivered, () => countUnknown(delivered, slots, sender));
  }

  // Of a large channel it may take longer than one message waits: then the next ones tell.
  async function unknownIn(
    delivered: DeliveredMessage,
    envelope: Envelope,
    verified: VerifiedMessage,
  ): Promise<number> {
    const sessionId =
      envelope.type === 'follower' ? envelope.session.sessionId : verified.session?.sessionId;
    const ofSession = sessionId && unknownOf.get(hex.encode(sessionId));
    return countedSoon(ofSession ?? countIn(delivered, envelope, verified));
  }

  async function judge(delivered: DeliveredMessage): Promise<JudgedMessage> {
    await pace();
    const envelope = await envelopeOf(delivered, load);
    if (!envelope) return { delivered, outcome: keyOutcome(delivered) };
    const session = await sessionOf(delivered, envelope);
    if (session === 'KEY_MISSING') return { delivered, outcome: keyOutcome(delivered) };
    if (typeof session === 'string') {
      return { delivered, outcome: { status: 'unavailable', code: session } };
    }
    const verified = await opened(delivered, envelope, session ?? undefined);
    await pace();
    if (verified) await checkSender(verified, delivered);
    if (!verified) {
      const code = await whyUnavailable(delivered, context);
      return { delivered, outcome: { status: 'unavailable', code } };
    }
    const toPin = isCurrent(verified.sender.id) ? [] : await cardsToPin(verified);
    await checkEdit(verified, toPin, context);
    return {
      delivered,
      verified,
      cards: toPin,
      history: cards.historyOf(verified.sender.identity),
      unknownRecipients: await unknownIn(delivered, envelope, verified),
    };
  }

  /**
   * What the log says of a sender's card counts, and what the sender saw of the log: whoever shows
   * different people different logs is found out by what they send one another.
   */
  async function checkSender(
    { message, sender }: VerifiedMessage,
    delivered: DeliveredMessage,
  ): Promise<void> {
    if (!(await log.isSigned(message.head))) {
      throw rejected('MALFORMED', 'its head of the log is not one');
    }
    if (!isCurrent(sender.id)) void log.witness(message.head, sender.id);
    // Asked again now and then, for the next message: this one waits for nobody.
    if (delivered.isLive) cards.find([sender.identity]).catch(() => undefined);
    const claimed = message.kind === 'edit' ? delivered.updatedAt : delivered.createdAt;
    const ended = endOf(sender);
    if (ended !== null && !(claimed.getTime() <= ended + GRACE_MILLISECONDS)) {
      throw rejected('CARD_REVOKED', 'its card was revoked or replaced before');
    }
  }

  // The directory is asked here, not in `accept`: what waits for the network must not hold up others.
  async function cardsToPin({ sender: { identity } }: VerifiedMessage): Promise<readonly Card[]> {
    if (await isKnown(identity)) return [];
    return (await cards.find([identity])).get(identity)?.cards ?? [];
  }

  /** When a card ended, by the log; not later than the log was seen, whatever it says. */
  function endOf({ id, identity }: Card): number | null {
    const { endedAt } = cards.stateOf(id) ?? {};
    const seenAt = cards.historyOf(identity)?.signedAt ?? Infinity;
    return endedAt === undefined ? null : Math.min(endedAt, seenAt);
  }

  return {
    judge: (delivered) =>
      judge(delivered).catch((error: unknown) => ({ delivered, outcome: outcomeOf(error) })),
    accept: acceptor(context),
  };
}

type Opener = (
  delivered: DeliveredMessage,
  envelope: Envelope,
  session?: Session,
) => Promise<VerifiedMessage | null>;

/** One that slot keys can be added to. */
interface KeepingOpener extends SlotOpener {
  readonly slotKeys: Map<string, Bytes>;
}

/** Opens envelopes; keeps what opens the next ones, once they are verified. */
function opener({ keys, cards, sessions }: ReceiverContext): Opener {
  // By key pair: an ephemeral key gives another slot key with each.
  const openers = new WeakMap<OwnCard, KeepingOpener>();

  function openerOf(own: OwnCard): KeepingOpener {
    const { encryptionKey, pqEncryptionKey: pqKey } = own;
    const known = openers.get(own);
    if (known) return known;
    const { publicKey } = encryptionKey;
    const agree = shared(hex.encode, (other: Bytes) => encryptionKey.agree(other));
    const opener: KeepingOpener = {
      key: { publicKey, agree },
      slotKeys: new Map(),
      ...(pqKey && { pqKey }),
    };
    openers.set(own, opener);
    return opener;
  }

  const findCard = (id: CardId): Soon<Card> => {
    const { card } = keys.current();
    return card.id === id ? card : (cards.stateOf(id)?.card ?? cards.get(id));
  };

  async function openWith(
    own: OwnCard,
    { channelSid, author }: DeliveredMessage,
    envelope: Envelope,
    session: Session | undefined,
  ): Promise<VerifiedMessage | null> {
    const slotOpener = openerOf(own);
    // Right before: of many that are opened side by side, one after the other comes here in the same task.
    const turn = pace();
    if (turn) await turn;
    const verified = await openMessage(envelope, {
      channelSid,
      author,
      opener: slotOpener,
      ...(session && { session }),
      findCard,
    });
    if (verified?.session) await sessions.keep(verified.session, own);
    const slotKey = verified?.slotKey;
    if (slotKey) keepBounded(slotOpener.slotKeys, slotKey.ephemeralKey, slotKey.key, MAX_SLOT_KEYS);
    return verified;
  }

  return async (delivered, envelope, session) => {
    const failures: unknown[] = [];
    for (const own of keys.all()) {
      try {
        const verified = await openWith(own, delivered, envelope, session);
        if (verified) return verified;
      } catch (error) {
        // A slot for another key may look like one for this key.
        if (!isEncryptionError(error, 'COMMITMENT_MISMATCH')) throw error;
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return null;
  };
}

function keepBounded<T>(map: Map<string, T>, key: string, value: T, limit: number): void {
  if (map.size >= limit) map.delete(map.keys().next().value ?? '');
  map.set(key, value);
}

/**
 * Only the person who wrote a message may edit it: with the card that signed it, or with another one
 * of theirs, if both are trusted. What a card names that nobody acknowledged is not even remembered.
 */
async function checkEdit(
  { message, sender }: VerifiedMessage,
  toPin: readonly Card[],
  { keys, cards, pins }: ReceiverContext,
): Promise<void> {
  if (message.kind !== 'edit' || message.target.cardId === sender.id) return;
  const { cardId } = message.target;
  const { card: own } = keys.current();
  const original = cardId === own.id ? own : await cards.get(cardId);
  if (original.identity !== sender.identity) {
    throw rejected('WRONG_AUTHOR', 'somebody else edited it');
  }
  const history = cards.historyOf(sender.identity);
  const trust = await pins
    .check(sender.identity, [...toPin, original, sender], history)
    .catch(untrustedAtFirstSight);
  if (trust.size === 0 || [...trust.values()].includes('changed')) {
    throw rejected('WRONG_AUTHOR', 'a card that nobody acknowledged edited it');
  }
}

/** What a missing key is, sooner and later. */
function keyOutcome({ attempts }: DeliveredMessage): MessageEncryption {
  return attempts < MAX_KEY_ATTEMPTS
    ? { status: 'pending', code: 'KEY_PENDING' }
    : { status: 'unavailable', code: 'KEY_MISSING' };
}

async function whyUnavailable(
  delivered: DeliveredMessage,
  { keys, deleted }: ReceiverContext,
): Promise<UnavailableCode> {
  const { createdAt } = delivered;
  const joinedAt = await delivered.joinedAt();
  if (joinedAt && createdAt < joinedAt) return 'SENT_BEFORE_JOIN';
  const at = createdAt.getTime();
  if (await deleted.wasUsed(at)) return 'KEY_DELETED';
  if (at < Math.min(...keys.all().map(({ card }) => card.createdAt))) return 'SENT_BEFORE_DEVICE';
  return 'NOT_ADDRESSED';
}

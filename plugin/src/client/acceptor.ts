/** The second step of receiving: a verified message against what this device remembers. */
import { isEncryptionError } from '../errors.ts';
import type { CardId, ChannelSid } from '../protocol/identifiers.ts';
import type { CardBook } from './card-book.ts';
import { channelOrder, type ChannelOrder, type Placed } from './channel-order.ts';
import type { DeliveredMessage } from './delivered.ts';
import type { DeviceKeys } from './device-keys.ts';
import type { EncryptedChannels } from './encrypted-channels.ts';
import type { JudgedMessage, JudgedVerified, ReceivedMessage } from './judged.ts';
import { matchingFiles } from './matching-files.ts';
import {
  ledger,
  nameOf,
  type Ledger,
  type MessageName,
  type Sight,
  type Verdict,
} from './ledger.ts';
import { outcomeOf, type Anomaly, type MessageEncryption } from './message-encryption.ts';
import type { Pins, Trust } from './pins.ts';
import type { Records } from './state.ts';

/** What accepting works with. */
export interface AcceptorContext {
  readonly keys: DeviceKeys;
  readonly records: Records;
  readonly cards: CardBook;
  readonly pins: Pins;
  readonly encrypted: EncryptedChannels;
  /** Is told of messages of this very card. */
  readonly sawOwn: (channelSid: ChannelSid, sequence: number) => Promise<void>;
}

/** Compares messages with what is remembered, and remembers them. See `Receiver`. */
export type Acceptor = (judged: readonly JudgedMessage[]) => Promise<readonly ReceivedMessage[]>;

/** A message that belongs where it stands. */
interface Recorded {
  readonly judged: JudgedVerified;
  readonly name: MessageName;
  readonly revision: number;
  readonly fork: boolean;
  readonly latestRevision: number;
  readonly placed: Placed;
}

const CLOCK_SKEW_MILLISECONDS = 5 * 60_000;

/** The acceptor of one device. */
export function acceptor(context: AcceptorContext): Acceptor {
  const recordSight = ledger(context.records);
  const orders = new Map<ChannelSid, ChannelOrder>();

  function orderOf(channelSid: ChannelSid): ChannelOrder {
    const order = orders.get(channelSid) ?? channelOrder();
    orders.set(channelSid, order);
    return order;
  }

  async function enter(
    judged: JudgedMessage,
    verdictOn: VerdictOn,
  ): Promise<Recorded | ReceivedMessage> {
    const { channelSid, index } = judged.delivered;
    const order = orderOf(channelSid);
    const entered = await record(judged, verdictOn, context).catch((error: unknown) =>
      notShown(outcomeOf(error)),
    );
    if ('placed' in entered) order.place(entered.placed);
    // What is still pending may be the very message that seems to be missing.
    if (!('encryption' in entered && entered.encryption.status === 'pending')) order.loaded(index);
    return entered;
  }

  return async (judged) => {
    const verdictOn = await verdicts(judged, recordSight);
    const entered: (Recorded | ReceivedMessage)[] = [];
    for (const one of judged) entered.push(await enter(one, verdictOn));
    // Only now: what is missing beside one message may be another of them.
    const trustOf = trusts(context);
    const received: ReceivedMessage[] = [];
    for (const one of entered) {
      if (!('placed' in one)) {
        received.push(one);
        continue;
      }
      const order = orderOf(one.judged.delivered.channelSid).anomalies(one.placed);
      received.push(
        await shown(one, order, trustOf, context).catch((error: unknown) =>
          notShown(outcomeOf(error)),
        ),
      );
    }
    return received;
  };
}

/** What the ledger says of a message. Errors are the ledger's. */
type VerdictOn = (judged: JudgedVerified) => Promise<Verdict | undefined>;

/** The verdicts on messages: on all at once, or if that fails, on each by itself when it is asked for. */
async function verdicts(judged: readonly JudgedMessage[], recordSight: Ledger): Promise<VerdictOn> {
  const verified = judged.filter((one) => 'verified' in one);
  // Of one that cannot be remembered, the others know nothing.
  const all = await recordSight(verified.map(sightOf)).catch(() => []);
  const known = new Map(verified.map((one, at) => [one, all[at]]));
  return async (one) => known.get(one) ?? (await recordSight([sightOf(one)])).at(0);
}

function sightOf({ delivered, verified: { message, digest } }: JudgedVerified): Sight {
  const { channelSid, messageSid, index } = delivered;
  const revision = message.kind === 'edit' ? message.target.revision : 0;
  return { channelSid, messageSid, index, name: nameOf(message), revision, digest };
}

async function record(
  judged: JudgedMessage,
  verdictOn: VerdictOn,
  { keys, encrypted, sawOwn }: AcceptorContext,
): Promise<Recorded | ReceivedMessage> {
  if ('outcome' in judged) return notShown(judged.outcome);
  const { channelSid, index, name, revision } = sightOf(judged);
  const { message, suite } = judged.verified;
  const verdict = await verdictOn(judged);
  if (verdict?.is !== 'known') {
    return notShown({ status: 'rejected', code: 'REPLAYED' }, verdict?.is === 'copy');
  }
  // Of what this very card signed as its own: what an edit names is what somebody else may claim.
  if (message.kind !== 'edit' && name.cardId === keys.current().card.id) {
    await sawOwn(channelSid, name.sequence);
  }
  await encrypted.add(channelSid, suite);
  const { fork, latestRevision } = verdict;
  const { cardId, sequence } = name;
  const placed = { cardId, sequence, index, hidden: message.kind === 'key' };
  return { judged, name, revision, fork, latestRevision, placed };
}

function notShown(encryption: MessageEncryption, hidden = false): ReceivedMessage {
  return { encryption: Object.freeze(encryption), content: {}, hidden };
}

async function shown(
  { judged, name, revision, fork, latestRevision, placed: { hidden } }: Recorded,
  order: readonly Anomaly[],
  trustOf: TrustOf,
  context: AcceptorContext,
): Promise<ReceivedMessage> {
  const { delivered, verified, unknownRecipients: count } = judged;
  const { sender, message, content } = verified;
  const { device } = sender;
  const revoked = context.cards.stateOf(sender.id)?.reason;
  const files = matchingFiles(content.media ?? [], delivered.fileSizes);
  const missing = files.filter((at) => at === null).length;
  const anomalies: readonly Anomaly[] = [
    ...(isSkewed(message.sentAt, delivered, revision) ? [{ code: 'CLOCK_SKEW' } as const] : []),
    ...order,
    ...(fork ? [{ code: 'FORK' } as const] : []),
    ...(latestRevision > revision ? [{ code: 'ROLLED_BACK' } as const] : []),
    ...(missing > 0 ? [{ code: 'FILES_MISSING', count: missing } as const] : []),
    ...(count > 0 ? [{ code: 'UNKNOWN_RECIPIENTS', count } as const] : []),
  ];
  const encryption: MessageEncryption = {
    status: 'verified',
    sender: Object.freeze({
      identity: sender.identity,
      cardId: sender.id,
      ...(device !== undefined && { device }),
      ...(revoked && { revoked }),
    }),
    trust: await trustOf(judged),
    sentAt: new Date(message.sentAt),
    revision,
    messageId: name.messageId,
    anomalies: Object.freeze(anomalies.map((one) => Object.freeze(one))),
  };
  // Nothing of the application may make a verified message of what is none.
  Object.freeze(encryption);
  return { encryption, content, hidden, editable: { name, latestRevision, text: delivered.body } };
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

type TrustOf = (judged: JudgedVerified) => Promise<Trust>;

/** How far the senders of some messages are trusted: each is asked about once. */
function trusts(context: AcceptorContext): TrustOf {
  const known = new Map<string, Pick<JudgedVerified, 'history'> & { readonly trust: Trust }>();
  return async (judged) => {
    const { history, cards, verified } = judged;
    const name = [verified.sender, ...cards].map(({ id }) => id).join();
    const found = known.get(name);
    if (found && found.history === history) return found.trust;
    const trust = await trustIn(judged, context);
    // Who was new with the first message is pinned with the next.
    known.set(name, { history, trust: trust === 'new' ? 'pinned' : trust });
    return trust;
  };
}

async function trustIn(
  { verified: { sender }, cards, history }: JudgedVerified,
  { keys, cards: book, pins }: AcceptorContext,
): Promise<Trust> {
  if (sender.id === keys.current().card.id) return 'pinned';
  const others = cards.filter(({ id }) => id !== sender.id);
  const trust = await pins
    .check(sender.identity, [...others, sender], history)
    .catch(untrustedAtFirstSight);
  const trusted = trust.get(sender.id) ?? 'changed';
  // A card that was not there when the identity's cards were asked for: ask again before sending.
  if (trusted === 'changed') book.refresh(sender.identity);
  return trusted;
}

/** Whoever may not be trusted at first sight is shown as somebody whom nobody confirmed. */
export function untrustedAtFirstSight(error: unknown): ReadonlyMap<CardId, Trust> {
  if (isEncryptionError(error, 'SPLIT_VIEW') || isEncryptionError(error, 'LOG_STALE')) {
    return new Map();
  }
  throw error;
}

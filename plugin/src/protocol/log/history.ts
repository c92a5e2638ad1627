/** An identity's history in the log: all its cards and revocations, and what they come to. */
import { isEncryptionError } from '../../errors.ts';
import { pace } from '../../pace.ts';
import { checkApproval, importCard, type Card } from '../card.ts';
import { verifyEndorsement, verifySuccession } from '../card-links.ts';
import type { VerifyingKey } from '../curves.ts';
import type { CardId, Identity } from '../identifiers.ts';
import { equal, hex, type Bytes } from '../primitives.ts';
import {
  parseRevocation,
  saysMore,
  verifyRevocation,
  type Revocation,
  type RevocationReason,
} from '../revocation.ts';
import {
  decodeEntry,
  detailOf,
  EMPTY_HISTORY,
  extendHistory,
  identityHash,
  type LogEntry,
} from './entry.ts';

/** An entry of the log with what it is about. */
export interface EntryWithContent {
  /** 105 bytes. */
  readonly entry: Bytes;
  /** The approved card or the revocation, exported. */
  readonly content: string;
}

/** A card as the log has it. */
export interface LoggedCard {
  /** As it was logged last: whoever vouches for it adds to the signatures that are on it. */
  readonly card: Card;
  /** The number of its first entry in the identity's history, from 0. */
  readonly position: number;
  /** When the log took it first, by the log's clock: milliseconds since 1970-01-01 UTC. */
  readonly loggedAt: number;
  /** `superseded` by a card that follows it. */
  readonly status: 'live' | 'revoked' | 'superseded';
  /** When it stopped being live, by the log's clock. */
  readonly endedAt?: number;
  /** Why it was revoked. */
  readonly reason?: RevocationReason;
  /**
   * The cards of the identity that vouched for it and may still be believed, in the order in which they
   * did; first of all the one that it replaces. Each is worth what it is worth itself: who asks why a card
   * is trusted follows them to one that they knew.
   */
  readonly vouchers: readonly CardId[];
}

/** What an identity's entries say. */
export interface IdentityHistory {
  /** How many entries there are. */
  readonly count: number;
  /** The hash of them all, 32 bytes. */
  readonly hash: Bytes;
  /** The hashes up to each of them, the last one included: each state that the history was in. */
  readonly hashes: readonly Bytes[];
  /** When each of them was logged, by the log's clock: milliseconds since 1970-01-01 UTC. */
  readonly times: readonly number[];
  /** Every card that checks, in the order of the log. */
  readonly cards: readonly LoggedCard[];
  /** How many entries added nothing when they were read: they do not check, or say nothing new. */
  readonly invalid: number;
}

/** What a history is read with. */
export interface HistoryContext {
  readonly identity: Identity;
  /** The log's public key, 32 bytes. */
  readonly logKey: Uint8Array;
  /** The pinned keys of the application. */
  readonly appKeys: readonly VerifyingKey[];
  /** Gives a card that was accepted; {@link acceptCard}, for somebody who has seen it before. */
  readonly accept?: AcceptCard;
}

/** The card that was exported, if it checks and a pinned key approved it; null otherwise. */
export type AcceptCard = (
  exported: string,
  appKeys: readonly VerifyingKey[],
) => Promise<Card | null>;

/** Who vouched for a card, by which entry. */
interface Voucher {
  readonly id: CardId;
  readonly position: number;
}

/** A card while its history is read. */
interface Draft {
  card: Card;
  readonly position: number;
  readonly loggedAt: number;
  status: LoggedCard['status'];
  endedAt?: number;
  /** The one that says most. */
  revocation?: Revocation;
  /** All that vouched for it and may still be believed, in the order in which they count. */
  vouchers: readonly Voucher[];
}

/** What was read so far. */
interface Reading {
  readonly drafts: Draft[];
  /** The keys of all cards that were taken, in hexadecimal. */
  readonly keys: Set<string>;
  /** Cards that were revoked before they were accepted, and never are. */
  readonly refused: Set<CardId>;
  /** What cards that were not accepted yet say of themselves: checked when they are. */
  readonly ofThemselves: Revocation[];
}

/**
 * Reads the entries of an identity in their order, and checks all that they prove by themselves. That
 * they are all is for the map's proof of `count` and `hash`.
 * @returns null when bytes and entries do not belong together
 */
export async function readHistory(
  entries: readonly EntryWithContent[],
  context: HistoryContext,
): Promise<IdentityHistory | null> {
  const ownHash = identityHash(context.logKey, context.identity);
  const reading: Reading = { drafts: [], keys: new Set(), refused: new Set(), ofThemselves: [] };
  const hashes: Bytes[] = [];
  const times: number[] = [];
  let invalid = 0;
  for (const [position, { entry: bytes, content }] of entries.entries()) {
    const entry = decodeEntry(bytes);
    if (!entry || !equal(entry.identityHash, ownHash)) return null;
    if (!equal(detailOf(content), entry.detail)) return null;
    hashes.push(extendHistory(hashes.at(-1) ?? EMPTY_HISTORY, bytes));
    times.push(entry.time);
    const isTaken =
      entry.operation === 'approve'
        ? await takeCard({ entry, content, position }, reading, context)
        : await takeRevocation({ entry, content }, reading, context);
    if (!isTaken) invalid += 1;
    // A server decides how many there are.
    await pace();
  }
  return {
    count: entries.length,
    hash: hashes.at(-1) ?? EMPTY_HISTORY,
    hashes,
    times,
    cards: reading.drafts.map(loggedCard),
    invalid,
  };
}

function loggedCard({ card, position, loggedAt, status, vouchers, ...more }: Draft): LoggedCard {
  const { endedAt, revocation } = more;
  return {
    card,
    position,
    loggedAt,
    status,
    ...(endedAt !== undefined && { endedAt }),
    ...(revocation && { reason: revocation.reason }),
    vouchers: vouchers.map(({ id }) => id),
  };
}

interface Step {
  readonly entry: LogEntry;
  readonly content: string;
  readonly position: number;
}

async function takeCard(
  { entry, content, position }: Step,
  { drafts, keys, refused, ofThemselves }: Reading,
  { identity, appKeys, accept = acceptCard }: HistoryContext,
): Promise<boolean> {
  const card = await accept(content, appKeys);
  if (card?.identity !== identity || card.id !== entry.cardId) return false;
  const known = drafts.find((earlier) => earlier.card.id === card.id);
  if (known) return takeEndorsements(known, { card, position }, drafts);
  if (refused.has(card.id) || (await revokedItself(card, ofThemselves))) return false;
  const ownKeys = keysOf(card).map(hex.encode);
  if (ownKeys.some((key) => keys.has(key))) return false;
  for (const key of ownKeys) keys.add(key);
  const predecessor = await predecessorOf(card, drafts);
  const endorsers = await endorsersOf(card, drafts);
  if (predecessor) end(predecessor, 'superseded', entry.time);
  const vouchers = new Set([...(predecessor ? [predecessor] : []), ...endorsers]);
  drafts.push({
    card,
    position,
    loggedAt: entry.time,
    status: 'live',
    vouchers: vouchersBy([...vouchers], position),
  });
  return true;
}

/** A card that was taken before: what this entry adds is who vouches for it only now. */
async function takeEndorsements(
  known: Draft,
  { card, position }: Pick<Step, 'position'> & { readonly card: Card },
  drafts: readonly Draft[],
): Promise<boolean> {
  if (known.status !== 'live') return false;
  const before = new Set(known.vouchers.map(({ id }) => id));
  const others = drafts.filter((earlier) => !before.has(earlier.card.id));
  const endorsers = await endorsersOf(card, others);
  if (endorsers.length === 0) return false;
  known.card = card;
  known.vouchers = [...known.vouchers, ...vouchersBy(endorsers, position)];
  return true;
}

function vouchersBy(drafts: readonly Draft[], position: number): readonly Voucher[] {
  return drafts.map(({ card: { id } }) => ({ id, position }));
}

async function takeRevocation(
  { entry, content }: Omit<Step, 'position'>,
  reading: Reading,
  context: HistoryContext,
): Promise<boolean> {
  const revocation = parsedRevocation(content);
  if (revocation?.cardId !== entry.cardId) return false;
  const { cardId, reason, since = 0, signer } = revocation;
  const revoked = reading.drafts.find(({ card }) => card.id === cardId);
  if (!revoked && signer === cardId) {
    reading.ofThemselves.push(revocation);
    return false;
  }
  if (!(await isSigned(revocation, reading.drafts, context))) return false;
  if (!revoked) {
    // An approval under another key may be logged later: it must not bring the card back.
    const isNew = !reading.refused.has(cardId);
    reading.refused.add(cardId);
    return isNew;
  }
  if (revoked.revocation && !saysMore(revocation, revoked.revocation)) return false;
  end(revoked, 'revoked', entry.time);
  revoked.revocation = revocation;
  if (reason === 'compromised') distrust(cardId, since, reading.drafts);
  return true;
}

function end(draft: Draft, status: LoggedCard['status'], at: number): void {
  draft.status = status;
  draft.endedAt ??= at;
}

/**
 * Nobody is vouched for any more by what a compromised card said from an entry on. Whom they vouched for
 * in turn they go on vouching for: that is worth what they are worth, which is less now.
 */
function distrust(compromised: CardId, since: number, drafts: readonly Draft[]): void {
  for (const draft of drafts) {
    draft.vouchers = draft.vouchers.filter(
      ({ id, position }) => id !== compromised || position < since,
    );
  }
}

async function predecessorOf(card: Card, drafts: readonly Draft[]): Promise<Draft | null> {
  const earlier = drafts.find((draft) => draft.card.id === card.previousCardId);
  if (earlier?.status !== 'live') return null;
  return (await verifySuccession(card, earlier.card)) ? earlier : null;
}

async function endorsersOf(card: Card, drafts: readonly Draft[]): Promise<readonly Draft[]> {
  const endorsers: Draft[] = [];
  for (const earlier of drafts) {
    if (earlier.status !== 'live') continue;
    if (await verifyEndorsement(card, earlier.card)) endorsers.push(earlier);
  }
  return endorsers;
}

async function isSigned(
  revocation: Revocation,
  drafts: readonly Draft[],
  { appKeys }: HistoryContext,
): Promise<boolean> {
  const { signer, cardId } = revocation;
  if (signer === 'app') {
    for (const key of appKeys) if (await verifyRevocation(revocation, key)) return true;
    return false;
  }
  const device = drafts.find(({ card }) => card.id === signer);
  // A card may always say that it ended, or that its end was worse; of others only live ones may.
  const mayRevoke = device && (signer === cardId || device.status === 'live');
  return mayRevoke ? verifyRevocation(revocation, device.card.signingKey) : false;
}

async function revokedItself(card: Card, revocations: readonly Revocation[]): Promise<boolean> {
  for (const revocation of revocations) {
    if (revocation.cardId !== card.id) continue;
    if (await verifyRevocation(revocation, card.signingKey)) return true;
  }
  return false;
}

/** See {@link AcceptCard}. */
export async function acceptCard(
  exported: string,
  appKeys: readonly VerifyingKey[],
): Promise<Card | null> {
  try {
    const card = await importCard(exported);
    await checkApproval(card, appKeys);
    return card;
  } catch (error) {
    if (isEncryptionError(error, 'CARD_INVALID')) return null;
    throw error;
  }
}

function parsedRevocation(exported: string): Revocation | null {
  try {
    return parseRevocation(exported);
  } catch {
    return null;
  }
}

function keysOf({ signingKey, encryptionKey, pqEncryptionKey }: Card): readonly Bytes[] {
  return [signingKey.publicKey, encryptionKey, ...(pqEncryptionKey ? [pqEncryptionKey] : [])];
}

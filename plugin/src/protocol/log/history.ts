/** An identity's history in the log: all its cards and revocations, and what they come to. */
import { isEncryptionError } from '../../errors.ts';
import { checkApproval, importCard, type Card } from '../card.ts';
import { verifyEndorsement, verifySuccession } from '../card-links.ts';
import type { VerifyingKey } from '../curves.ts';
import type { CardId, Identity } from '../identifiers.ts';
import { equal, type Bytes } from '../primitives.ts';
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
  readonly card: Card;
  /** Its number in the identity's history, from 0. */
  readonly position: number;
  /** When the log took it, by the log's clock: milliseconds since 1970-01-01 UTC. */
  readonly loggedAt: number;
  /** `superseded` by a card that follows it. */
  readonly status: 'live' | 'revoked' | 'superseded';
  /** When it stopped being live, by the log's clock. */
  readonly endedAt?: number;
  /** Why it was revoked. */
  readonly reason?: RevocationReason;
  /**
   * The card of the identity that vouched for it when it was logged, and may still be believed. Of
   * several the one that it replaces, else the first in the order of the log.
   */
  readonly voucher: CardId | null;
}

/** What an identity's entries say. */
export interface IdentityHistory {
  /** How many entries there are. */
  readonly count: number;
  /** The hash of them all, 32 bytes. */
  readonly hash: Bytes;
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

/** A card while its history is read. */
interface Draft {
  readonly card: Card;
  readonly position: number;
  readonly loggedAt: number;
  status: LoggedCard['status'];
  endedAt?: number;
  /** The one that says most. */
  revocation?: Revocation;
  /** All that vouched for it and may still be believed, in the order in which they count. */
  vouchers: readonly CardId[];
}

/** What was read so far. */
interface Reading {
  readonly drafts: Draft[];
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
  const reading: Reading = { drafts: [], refused: new Set(), ofThemselves: [] };
  let hash = EMPTY_HISTORY;
  let invalid = 0;
  for (const [position, { entry: bytes, content }] of entries.entries()) {
    const entry = decodeEntry(bytes);
    if (!entry || !equal(entry.identityHash, ownHash)) return null;
    if (!equal(detailOf(content), entry.detail)) return null;
    hash = extendHistory(hash, bytes);
    const isTaken =
      entry.operation === 'approve'
        ? await takeCard({ entry, content, position }, reading, context)
        : await takeRevocation({ entry, content }, reading, context);
    if (!isTaken) invalid += 1;
  }
  return { count: entries.length, hash, cards: reading.drafts.map(loggedCard), invalid };
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
    voucher: vouchers[0] ?? null,
  };
}

interface Step {
  readonly entry: LogEntry;
  readonly content: string;
  readonly position: number;
}

async function takeCard(
  { entry, content, position }: Step,
  { drafts, refused, ofThemselves }: Reading,
  { identity, appKeys, accept = acceptCard }: HistoryContext,
): Promise<boolean> {
  const card = await accept(content, appKeys);
  if (card?.identity !== identity || card.id !== entry.cardId) return false;
  if (refused.has(card.id) || (await revokedItself(card, ofThemselves))) return false;
  if (drafts.some((earlier) => sharesKey(earlier.card, card))) return false;
  const predecessor = await predecessorOf(card, drafts);
  const endorsers = await endorsersOf(card, drafts);
  if (predecessor) end(predecessor, 'superseded', entry.time);
  const vouchers = new Set([...(predecessor ? [predecessor] : []), ...endorsers]);
  drafts.push({
    card,
    position,
    loggedAt: entry.time,
    status: 'live',
    vouchers: [...vouchers].map((earlier) => earlier.card.id),
  });
  return true;
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
 * What a compromised card vouched for from a position on is not vouched for by it, nor by those that
 * nobody else vouched for.
 */
function distrust(compromised: CardId, since: number, drafts: readonly Draft[]): void {
  const doubtful = new Set([compromised]);
  for (const draft of drafts) {
    if (draft.position < since) continue;
    const believed = draft.vouchers.filter((voucher) => !doubtful.has(voucher));
    if (believed.length === draft.vouchers.length) continue;
    draft.vouchers = believed;
    if (believed.length === 0) doubtful.add(draft.card.id);
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

function sharesKey(one: Card, other: Card): boolean {
  return keysOf(one).some((key) => keysOf(other).some((its) => equal(key, its)));
}

function keysOf({ signingKey, encryptionKey, pqEncryptionKey }: Card): readonly Bytes[] {
  return [signingKey.publicKey, encryptionKey, ...(pqEncryptionKey ? [pqEncryptionKey] : [])];
}

/** The transparency log: log.md. */
import type {
  LogEntryVector,
  LogHeadCase,
  LogHistoryVector,
  LoggedCardVector,
} from '../vector-files.ts';
import { base64url, L, Reader, Refused, sha256 } from './bytes.ts';
import { isTime, openCard, verifies, type Card } from './card.ts';
import { isSignature } from './curves.ts';
import { checkInclusion, checkMap, NOTHING, type MapLeaf } from './log-proofs.ts';
import { endorses, openRevocation, signedBy, succeeds, type Revocation } from './revocation.ts';

const WRONG = 'LOG_INVALID';

function check(condition: boolean): asserts condition {
  if (!condition) throw new Refused(WRONG);
}

/** An entry with what it is about. */
export interface Entry {
  readonly entry: Buffer;
  readonly content: string;
}

/** Reads an entry, and checks that it is about the identity and the content. */
export function openEntry(
  { entry, content }: Entry,
  logKey: Buffer,
  identity: string,
): Omit<LogEntryVector, 'history'> {
  check(entry.length === 105);
  const reader = new Reader(entry, WRONG);
  const operation = ({ 1: 'approve', 2: 'revoke' } as const)[reader.uint(1)];
  const time = reader.uint(8);
  check(operation !== undefined && isTime(time));
  const hashOfIdentity = reader.take(32);
  check(hashOfIdentity.equals(identityHash(logKey, identity)));
  const cardId = reader.take(32).toString('hex');
  const detail = reader.rest();
  check(content.isWellFormed());
  check(detail.equals(sha256(L('log-detail'), Buffer.from(content))));
  return {
    operation,
    time,
    identityHash: hashOfIdentity.toString('hex'),
    cardId,
    detail: detail.toString('hex'),
  };
}

export function identityHash(logKey: Buffer, identity: string): Buffer {
  return sha256(L('log-identity'), logKey, Buffer.from(identity));
}

/** The history with one more entry. */
export function extended(history: Buffer, entry: Buffer): Buffer {
  return sha256(L('log-history'), history, entry);
}

interface Head {
  readonly size: number;
  readonly root: Buffer;
  readonly signedAt: number;
}

/** Reads a head that the log's key signed. */
export function openHead(logKey: Buffer, bytes: Buffer): Head {
  check(bytes.length === 112);
  const reader = new Reader(bytes, WRONG);
  const head = { size: reader.uint(8), root: reader.take(32), signedAt: reader.uint(8) };
  check(isTime(head.signedAt));
  const toSign = Buffer.concat([L('log-head'), bytes.subarray(0, 48)]);
  check(isSignature(logKey, reader.rest(), toSign));
  return head;
}

/** A head as the vectors have it. */
export function describeHead({ size, root, signedAt }: Head): LogHeadCase['value'] {
  return { size, root: root.toString('hex'), signedAt };
}

/** A card in a history that is being read. */
interface Logged {
  readonly card: Card;
  readonly position: number;
  readonly loggedAt: number;
  status: 'live' | 'superseded' | 'revoked';
  endedAt: number | null;
  reason: 'retired' | 'compromised' | null;
  /** From where on it is not believed. */
  since: number;
  /** Who vouched for it, and by which entry. */
  readonly vouchers: { readonly by: Logged; readonly position: number }[];
}

/** Reads the entries of an identity as a client does that pinned these keys. */
export function readHistory(
  entries: readonly Entry[],
  logKey: Buffer,
  identity: string,
  appKeys: readonly Buffer[],
): LogHistoryVector {
  const cards: Logged[] = [];
  /** Of cards that are not accepted yet: by others, and as the cards themselves say. */
  const revokedEarly: string[] = [];
  const ofThemselves: Revocation[] = [];
  let hash: Buffer = NOTHING;
  let invalid = 0;
  for (const [position, one] of entries.entries()) {
    const { operation, time, cardId } = openEntry(one, logKey, identity);
    hash = extended(hash, one.entry);
    const counts =
      operation === 'approve'
        ? approve(one.content, cardId, { position, time })
        : revoke(one.content, cardId, time);
    if (!counts) invalid += 1;
  }
  return { count: entries.length, hash: hash.toString('hex'), invalid, cards: cards.map(describe) };

  function approve(
    content: string,
    cardId: string,
    { position, time }: { readonly position: number; readonly time: number },
  ): boolean {
    const card = orNull(() => openCard(content));
    if (card?.id !== cardId || card.identity !== identity) return false;
    const approvals = card.signatures.filter(({ signer }) => signer === 'app');
    const approved = approvals.some((one) =>
      appKeys.some((key) => verifies(key, card.snapshot, one)),
    );
    const revoked =
      revokedEarly.includes(cardId) ||
      ofThemselves.some((one) => one.cardId === cardId && signedBy(card.signingKey, one));
    if (!approved || revoked) return false;
    const live = cards.filter(({ status }) => status === 'live');
    const endorsers = live.filter((other) => endorses(other.card, card));
    const before = cards.find((one) => one.card.id === cardId);
    if (before) {
      const known = before.vouchers.map(({ by }) => by);
      const added = endorsers.filter((one) => !known.includes(one));
      if (before.status !== 'live') return false;
      before.vouchers.push(...added.map((by) => ({ by, position })));
      return added.length > 0;
    }
    const used = cards.flatMap((earlier) => keysOf(earlier.card));
    if (keysOf(card).some((key) => used.includes(key))) return false;
    const replaced = live.find((earlier) => succeeds(card, earlier.card));
    if (replaced) {
      replaced.status = 'superseded';
      replaced.endedAt = time;
    }
    const links = replaced ? [replaced, ...endorsers.filter((one) => one !== replaced)] : endorsers;
    const vouchers = links.map((by) => ({ by, position }));
    const rest = { endedAt: null, reason: null, since: Infinity, vouchers };
    cards.push({ card, position, loggedAt: time, status: 'live', ...rest });
    return true;
  }

  function revoke(content: string, cardId: string, time: number): boolean {
    const revocation = orNull(() => openRevocation(content));
    if (revocation?.cardId !== cardId) return false;
    const card = cards.find((one) => one.card.id === cardId);
    if (!card && revocation.signer === cardId) ofThemselves.push(revocation);
    if (!mayRevoke(revocation)) return false;
    if (!card) return !revokedEarly.includes(cardId) && revokedEarly.push(cardId) > 0;
    const since = revocation.reason === 'compromised' ? (revocation.since ?? 0) : Infinity;
    if (card.status === 'revoked' && since >= card.since) return false;
    card.status = 'revoked';
    card.endedAt ??= time;
    card.reason = revocation.reason;
    card.since = since;
    return true;
  }

  function mayRevoke(revocation: Revocation): boolean {
    const { signer, cardId } = revocation;
    if (signer === 'app') return appKeys.some((key) => signedBy(key, revocation));
    const known = cards.find(({ card }) => card.id === signer);
    if (known?.status !== 'live' && signer !== cardId) return false;
    return known !== undefined && signedBy(known.card.signingKey, revocation);
  }
}

function describe({ card, position, loggedAt, status, ...rest }: Logged): LoggedCardVector {
  return {
    cardId: card.id,
    position,
    loggedAt,
    status,
    ...(rest.endedAt !== null && { endedAt: rest.endedAt }),
    ...(rest.reason && { reason: rest.reason }),
    vouchers: rest.vouchers
      .filter(({ by, position: at }) => at < by.since)
      .map(({ by }) => by.card.id),
  };
}

function keysOf({ signingKey, encryptionKey, pqEncryptionKey }: Card): readonly string[] {
  const keys = [signingKey, encryptionKey, ...(pqEncryptionKey ? [pqEncryptionKey] : [])];
  return keys.map((key) => key.toString('hex'));
}

function orNull<T>(open: () => T): T | null {
  try {
    return open();
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

/** What an answer is for, and whom it is from. */
export interface Question {
  readonly logKey: Buffer;
  readonly appKeys: readonly Buffer[];
  readonly identities: readonly string[];
  readonly head: Buffer;
}

/** The history of each identity, in the order of the question. */
export function openLookup(
  json: unknown,
  { logKey, appKeys, identities, head: signed }: Question,
): readonly LogHistoryVector[] {
  const head = openHead(logKey, signed);
  const { lastLeaf, inclusion, found } = object(json);
  const answers = list(found);
  const mapRoot = mapRootOf(lastLeaf === null ? null : bytes(lastLeaf, 137), list(inclusion), head);
  check(answers.length === identities.length);
  return identities.map((identity, index) => {
    const { entries, siblings, other } = object(answers[index]);
    const history = readHistory(list(entries).map(entryOf), logKey, identity, appKeys);
    const { count } = history;
    const leaf = count === 0 ? null : { count, history: Buffer.from(history.hash, 'hex') };
    checkMap(mapRoot, identityHash(logKey, identity), leaf, {
      siblings: list(siblings).map((hash) => bytes(hash, 32)),
      other: other === null ? null : leafOf(other),
    });
    return history;
  });
}

function mapRootOf(
  lastLeaf: Buffer | null,
  inclusion: readonly unknown[],
  { size, root }: Head,
): Buffer {
  const proof = inclusion.map((hash) => bytes(hash, 32));
  if (size === 0) {
    check(lastLeaf === null && proof.length === 0 && root.equals(sha256()));
    return NOTHING;
  }
  check(lastLeaf !== null);
  const reader = new Reader(lastLeaf, WRONG);
  const [operation, time] = [reader.uint(1), reader.uint(8)];
  check((operation === 1 || operation === 2) && isTime(time));
  checkInclusion(lastLeaf, { index: size - 1, size, root }, proof);
  return lastLeaf.subarray(105);
}

function entryOf(json: unknown): Entry {
  const { entry, content } = object(json);
  check(typeof content === 'string');
  return { entry: bytes(entry, 105), content };
}

function leafOf(json: unknown): MapLeaf {
  const { identityHash: key, count, history } = object(json);
  check(typeof count === 'number');
  return { identityHash: bytes(key, 32), count, history: bytes(history, 32) };
}

function bytes(json: unknown, length: number): Buffer {
  const decoded = typeof json === 'string' ? base64url(json) : null;
  check(decoded?.length === length);
  return decoded;
}

function list(json: unknown): readonly unknown[] {
  check(Array.isArray(json));
  return json;
}

function object(json: unknown): Readonly<Record<string, unknown>> {
  check(typeof json === 'object' && json !== null && !Array.isArray(json));
  return Object.fromEntries(Object.entries(json));
}

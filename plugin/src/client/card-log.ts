/** What this device knows of the transparency log, and what it demands of each answer. */
import { EncryptionError, isEncryptionError } from '../errors.ts';
import type { VerifyingKey } from '../protocol/curves.ts';
import type { Identity } from '../protocol/identifiers.ts';
import { decodeHead, encodeHead, treeOf, verifyHead, type LogHead } from '../protocol/log/head.ts';
import type { IdentityHistory } from '../protocol/log/history.ts';
import { lookupFromJson } from '../protocol/log/lookup-json.ts';
import { verifyLookup } from '../protocol/log/lookup.ts';
import { verifyConsistency } from '../protocol/log/tree.ts';
import { base64url, equal, type Bytes } from '../protocol/primitives.ts';
import { acceptedCards } from './accepted-cards.ts';
import type { LogSource } from './log-source.ts';
import { arrayOf } from './shape.ts';
import { signedHeads } from './signed-heads.ts';
import { readState, type Records, type StateType, updateState } from './state.ts';
import { witness, type FailedAudit, type Witness } from './witness.ts';

/** Two heads that the log's key signed, of which neither can be shown to have become the other. */
export interface SplitView {
  /** What this device had seen before: base64url of 112 bytes. */
  readonly known: string;
  /** What it was shown instead, likewise. */
  readonly other: string;
  /** By this device's clock: milliseconds since 1970-01-01 UTC. */
  readonly foundAt: number;
}

/** What the log says of an identity, and when. */
export interface ProvenHistory extends IdentityHistory {
  /** How many entries the log had then. */
  readonly size: number;
  /** When it said so, by its clock: milliseconds since 1970-01-01 UTC. */
  readonly signedAt: number;
}

/** What was looked up at once. */
export interface ProvenLookup {
  /** Proves all of them. */
  readonly head: LogHead;
  readonly histories: ReadonlyMap<Identity, ProvenHistory>;
}

/** The log as one device sees it. */
export interface CardLog {
  /**
   * All that the log has about these identities, at most 30, proven under a head that follows from
   * each one that this device saw before.
   * @throws EncryptionError `LOG_INVALID`, `LOG_STALE`, `LOG_CHANGED`, `LOG_KEY_UNKNOWN`, `SPLIT_VIEW`, the
   * directory's and the key store's errors
   */
  lookUp(identities: readonly Identity[]): Promise<ProvenLookup>;
  /**
   * Compares a head that somebody's message carried with what this device knows; its signature was
   * checked. Does not reject: see {@link Witness}.
   */
  readonly witness: Witness;
  /** Whether the key of this log signed the head, or that of another one that is pinned. */
  isSigned(head: LogHead): Promise<boolean>;
  /** The evidence that the log showed different people different things, if it did. */
  splitView(): Promise<SplitView | null>;
  /**
   * Throws when nobody may be trusted at first sight: after a split view, and when the log was not
   * seen for a day, in which cards may have been revoked.
   * @throws EncryptionError `SPLIT_VIEW`, `LOG_STALE`, the key store's errors
   */
  checkFirstSight(): Promise<void>;
}

/** What a card log works with. */
export interface CardLogContext {
  readonly directory: LogSource;
  readonly records: Records;
  readonly logKey: VerifyingKey;
  /** Of other logs that are pinned: see `PinnedLogs`. None by default. */
  readonly newerLogKeys?: readonly VerifyingKey[];
  readonly earlierLogKeys?: readonly VerifyingKey[];
  readonly appKeys: readonly VerifyingKey[];
  readonly identity: Identity;
  readonly now: () => number;
  /** Aborted when the device is closed. */
  readonly closed: AbortSignal;
  readonly onSplitView: (evidence: SplitView) => void;
  readonly onAuditFailed: (failure: FailedAudit) => void;
  /**
   * Is told what the log said of this identity when others saw it. Rejects when it is not what this
   * device was told.
   */
  readonly onOwnHistory: (history: ProvenHistory) => Promise<void>;
}

interface LogState {
  readonly head: string | null;
  readonly splitView: SplitView | null;
  /** Found while that one stood. If it turns out to be none, these are still there. */
  readonly otherViews?: readonly SplitView[];
}

const LOG_STATE: StateType<LogState> = {
  initial: { head: null, splitView: null },
  isValid: (value): value is LogState =>
    typeof value === 'object' &&
    value !== null &&
    'head' in value &&
    'splitView' in value &&
    (value.head === null || headOf(value.head) !== null) &&
    (value.splitView === null || isSplitView(value.splitView)) &&
    (!('otherViews' in value) || arrayOf(isSplitView)(value.otherViews)),
};

function isSplitView(value: unknown): value is SplitView {
  if (typeof value !== 'object' || value === null) return false;
  const { known, other, foundAt } = Object.fromEntries(Object.entries(value));
  return headOf(known) !== null && headOf(other) !== null && typeof foundAt === 'number';
}

/** How old a head may be when somebody is trusted at first sight. */
const FRESH_MILLISECONDS = 24 * 3_600_000;
// Whoever shows this many has no more of it believed: there may be others, for which there was no room.
const MAX_VIEWS = 64;
// A log's clock may be ahead of this one's.
const CLOCK_SKEW_MILLISECONDS = 5 * 60_000;

/** The log of one device. */
export function cardLog(context: CardLogContext): CardLog {
  const { directory, records, logKey, appKeys, identity, now } = context;
  const { newerLogKeys = [], earlierLogKeys = [] } = context;
  const name = nameOf(logKey);
  const accept = acceptedCards();
  const isSigned = signedHeads(logKey);
  const state = (): Promise<LogState> => readState(records, name, LOG_STATE);
  // In turn with the device's other tabs, and not at all once it was removed.
  const change = (update: (current: LogState) => LogState) =>
    records.lock(name, () => updateState(records, name, LOG_STATE, update));
  const known = async (): Promise<LogHead | null> => headOf((await state()).head);

  async function signed(text: unknown): Promise<LogHead> {
    const head = headOf(text);
    if (!head) throw invalid('its head is none');
    if (await isSigned(head)) return head;
    if (await isSignedBy(newerLogKeys, head)) throw changed();
    if (await isSignedBy(earlierLogKeys, head)) throw stale('is one that ended');
    throw new EncryptionError(
      'LOG_KEY_UNKNOWN',
      'Another key than the pinned one signed the head of the log: the application needs an update, or another logKey.',
    );
  }

  /** Keeps a head that follows from the known one, or came before it. */
  async function follow(
    head: LogHead,
    prove: (from: LogHead, to: LogHead) => Promise<readonly Bytes[]>,
  ): Promise<void> {
    for (;;) {
      const { head: text } = await state();
      const before = headOf(text);
      if (before) {
        const [from, to] = before.size <= head.size ? [before, head] : [head, before];
        if (!(await follows(from, to, prove))) throw await split(before, head);
      }
      if (before && !isLater(head, before, now() + CLOCK_SKEW_MILLISECONDS)) return;
      const { before: old } = await change((current) =>
        current.head === text ? { ...current, head: textOf(head) } : current,
      );
      // Another answer, in another tab perhaps, was kept meanwhile: it is compared with that one, too.
      if (old.head === text) return;
    }
  }

  async function split(before: LogHead, head: LogHead): Promise<EncryptionError> {
    const evidence = { known: textOf(before), other: textOf(head), foundAt: now() };
    const { before: old } = await change((current) => withEvidence(current, evidence));
    if (!old.splitView) context.onSplitView(evidence);
    return splitError();
  }

  /** What the directory answers, asked in JSON: hashes that lead from one head to another. */
  async function askConsistency(from: LogHead, to: LogHead): Promise<readonly Bytes[]> {
    return hashesOf(await directory.consistency(from.size, to.size));
  }

  async function lookUp(identities: readonly Identity[]): Promise<ProvenLookup> {
    const asked = (await known())?.size ?? 0;
    const answer = await directory.lookup(identities, asked);
    const head = await signed(answer.head);
    const before = await known();
    await follow(head, (from, to) =>
      from.size === asked && to === head
        ? Promise.resolve(hashesOf(answer.consistency))
        : askConsistency(from, to),
    ).catch(async (error: unknown) => {
      const isRefused = isEncryptionError(error, 'DIRECTORY_REFUSED');
      const smaller = before && isRefused ? await shrunkFrom(before) : null;
      throw before && smaller ? await split(before, smaller) : error;
    });
    // What is older than what was seen may hide what came between.
    if (head.size < asked) throw stale('shows an older state than before');
    return { head, histories: await verified(answer.lookup, head, identities) };
  }

  async function verified(
    json: unknown,
    head: LogHead,
    identities: readonly Identity[],
  ): Promise<ReadonlyMap<Identity, ProvenHistory>> {
    const lookup = lookupFromJson(json);
    if (!lookup) throw invalid('it is no lookup in a log');
    const context = { logKey, appKeys, head, identities, accept };
    const histories = await verifyLookup(lookup, context);
    const { size, signedAt } = head;
    return new Map(
      [...histories].map(([identity, history]) => [identity, { ...history, size, signedAt }]),
    );
  }

  /**
   * A log that says it is smaller than it was before shows different people different logs, or lost
   * something. By what it signs now, after it signed the other: whatever its clocks say.
   */
  async function shrunkFrom(head: LogHead): Promise<LogHead | null> {
    const newest = await signed((await directory.lookup([identity], 0)).head);
    return newest.size < head.size ? newest : null;
  }

  async function compare(head: LogHead): Promise<void> {
    await follow(head, askConsistency).catch(async (error: unknown) => {
      const isRefused = isEncryptionError(error, 'DIRECTORY_REFUSED');
      const smaller = isRefused ? await shrunkFrom(head) : null;
      throw smaller ? await split(smaller, head) : error;
    });
    // Also if this device knew the head: others may have been looked up under it, and shown something else.
    const answer = await directory.lookupAt(identity, head.size);
    const own = (await verified(answer, head, [identity])).get(identity);
    if (own) await context.onOwnHistory(own);
  }

  /**
   * Of two heads of different sizes, a wrong proof shows only that the server gave none. If it leads from
   * one to the other after all, there was one log.
   */
  async function isVoid(evidence: SplitView): Promise<boolean> {
    const [known, other] = [headOf(evidence.known), headOf(evidence.other)];
    if (!known || !other || known.size === other.size) return false;
    const [from, to] = known.size < other.size ? [known, other] : [other, known];
    return follows(from, to, askConsistency).catch(() => false);
  }

  async function checkOneView(): Promise<void> {
    for (;;) {
      const [evidence, ...others] = viewsOf(await state());
      if (!evidence) return;
      const isFull = others.length + 1 >= MAX_VIEWS;
      if (isFull || !(await isVoid(evidence))) throw splitError();
      await change((current) => withoutEvidence(current, evidence));
    }
  }

  const compared = witness({
    compare,
    isAnswering: () =>
      directory.lookup([identity], 0).then(
        () => true,
        () => false,
      ),
    now,
    closed: context.closed,
    onFailed: context.onAuditFailed,
  });

  return {
    lookUp,

    isSigned: async (head) =>
      (await isSigned(head)) || isSignedBy([...newerLogKeys, ...earlierLogKeys], head),

    async witness(head, sender) {
      // What another log was is not to be found out from this one; nor may its key make a head that takes
      // the place of one of this log.
      if (await isSigned(head).catch(() => false)) await compared(head, sender);
    },

    splitView: async () => (await state()).splitView,

    async checkFirstSight() {
      await checkOneView();
      const head = await known();
      const age = head ? now() - head.signedAt : Infinity;
      if (age < FRESH_MILLISECONDS && age >= -CLOCK_SKEW_MILLISECONDS) return;
      throw stale('is a day old, or of the future: check the clocks');
    },
  };

  async function follows(
    from: LogHead,
    to: LogHead,
    prove: (from: LogHead, to: LogHead) => Promise<readonly Bytes[]>,
  ): Promise<boolean> {
    if (from.size === to.size) return equal(from.root, to.root);
    return verifyConsistency(from, to, await prove(from, to));
  }
}

const nameOf = ({ publicKey }: VerifyingKey): string => `log/${base64url.encode(publicKey)}`;

/**
 * Whether this device has seen the log with this key.
 * @throws EncryptionError the key store's errors
 */
export async function hasSeenLog(records: Records, logKey: VerifyingKey): Promise<boolean> {
  return (await readState(records, nameOf(logKey), LOG_STATE)).head !== null;
}

function viewsOf({ splitView, otherViews = [] }: LogState): readonly SplitView[] {
  return splitView ? [splitView, ...otherViews] : [];
}

function withViews(state: LogState, views: readonly SplitView[]): LogState {
  const [splitView = null, ...otherViews] = views;
  return { ...state, splitView, otherViews };
}

/** Not the same trees again, whenever they were signed. */
function withEvidence(state: LogState, evidence: SplitView): LogState {
  const views = viewsOf(state);
  const isKnown = views.some((one) => treesOf(one) === treesOf(evidence));
  return isKnown || views.length >= MAX_VIEWS ? state : withViews(state, [...views, evidence]);
}

function withoutEvidence(state: LogState, evidence: SplitView): LogState {
  return withViews(
    state,
    viewsOf(state).filter((one) => treesOf(one) !== treesOf(evidence)),
  );
}

function treesOf({ known, other }: SplitView): string {
  return [headOf(known), headOf(other)].map((head) => head && treeOf(head)).join();
}

/** Whether one of these keys signed a head. */
async function isSignedBy(keys: readonly VerifyingKey[], head: LogHead): Promise<boolean> {
  for (const key of keys) if (await verifyHead(key, head)) return true;
  return false;
}

/**
 * The larger one; of two of one size, the one signed later. A time that has not come yet was a mistake of
 * the log's clock: it may be set right before anything is added.
 */
function isLater(head: LogHead, kept: LogHead, latest: number): boolean {
  if (head.size !== kept.size) return head.size > kept.size;
  return head.signedAt > kept.signedAt || kept.signedAt > latest;
}

function headOf(text: unknown): LogHead | null {
  const bytes = typeof text === 'string' ? base64url.decode(text) : null;
  return bytes && decodeHead(bytes);
}

function textOf(head: LogHead): string {
  return base64url.encode(encodeHead(head));
}

function hashesOf(answer: unknown): readonly Bytes[] {
  const hashes = Array.isArray(answer)
    ? answer.map((text: unknown) => (typeof text === 'string' ? base64url.decode(text) : null))
    : [null];
  if (hashes.every((hash) => hash !== null)) return hashes;
  throw invalid('its proof is not one');
}

function invalid(why: string): EncryptionError {
  return new EncryptionError(
    'LOG_INVALID',
    `The answer of the token server proves nothing: ${why}. Its cards are not used.`,
  );
}

function changed(): EncryptionError {
  return new EncryptionError(
    'LOG_CHANGED',
    'The token server began another log, whose key is pinned too. Open the device again.',
  );
}

function stale(why: string): EncryptionError {
  return new EncryptionError('LOG_STALE', `The log of the token server ${why}.`);
}

function splitError(): EncryptionError {
  return new EncryptionError(
    'SPLIT_VIEW',
    'The token server showed different people different logs: its cards may be forged. Messages go only to cards that were known before. splitView() gives the evidence, for whoever runs the server.',
  );
}

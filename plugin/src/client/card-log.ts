/** What this device knows of the transparency log, and what it demands of each answer. */
import { EncryptionError, isEncryptionError } from '../errors.ts';
import type { VerifyingKey } from '../protocol/curves.ts';
import type { CardId, Identity } from '../protocol/identifiers.ts';
import { decodeHead, encodeHead, verifyHead, type LogHead } from '../protocol/log/head.ts';
import type { IdentityHistory } from '../protocol/log/history.ts';
import { lookupFromJson } from '../protocol/log/lookup-json.ts';
import { verifyLookup } from '../protocol/log/lookup.ts';
import { verifyConsistency } from '../protocol/log/tree.ts';
import { base64url, equal, type Bytes } from '../protocol/primitives.ts';
import { acceptedCards } from './accepted-cards.ts';
import type { LogSource } from './log-source.ts';
import { queues } from './queues.ts';
import { readState, type Records, type StateType, updateState } from './state.ts';

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

/** The log as one device sees it. */
export interface CardLog {
  /**
   * All that the log has about these identities, at most 30, proven under a head that follows from
   * each one that this device saw before.
   * @throws EncryptionError `LOG_INVALID`, `LOG_STALE`, `SPLIT_VIEW`, the directory's and the key
   * store's errors
   */
  lookUp(identities: readonly Identity[]): Promise<ReadonlyMap<Identity, ProvenHistory>>;
  /**
   * The newest head that was checked: what this device's messages carry.
   * @throws EncryptionError `LOG_STALE` before the first lookup of this device, the key store's errors
   */
  head(): Promise<LogHead>;
  /**
   * Compares a head that somebody's message carried with what this device knows; its signature was
   * checked. Does not reject: what cannot be asked now is asked with that card's next message. Heads of one
   * card are compared once in a minute, the latest one in the end.
   */
  witness(head: LogHead, sender: CardId): Promise<void>;
  /** Whether this key signed the head. */
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
  readonly appKeys: readonly VerifyingKey[];
  readonly identity: Identity;
  readonly now: () => number;
  /** Aborted when the device is closed. */
  readonly closed: AbortSignal;
  readonly onSplitView: (evidence: SplitView) => void;
  /** Is told what the log said of this identity when others saw it. */
  readonly onOwnHistory: (history: ProvenHistory) => Promise<void>;
}

interface LogState {
  readonly head: string | null;
  readonly splitView: SplitView | null;
}

const LOG_STATE: StateType<LogState> = {
  initial: { head: null, splitView: null },
  isValid: (value): value is LogState =>
    typeof value === 'object' &&
    value !== null &&
    'head' in value &&
    'splitView' in value &&
    (value.head === null || headOf(value.head) !== null) &&
    (value.splitView === null || isSplitView(value.splitView)),
};

function isSplitView(value: unknown): value is SplitView {
  if (typeof value !== 'object' || value === null) return false;
  const { known, other, foundAt } = Object.fromEntries(Object.entries(value));
  return headOf(known) !== null && headOf(other) !== null && typeof foundAt === 'number';
}

/** How old a head may be when somebody is trusted at first sight. */
const FRESH_MILLISECONDS = 24 * 3_600_000;
// A log's clock may be ahead of this one's.
const CLOCK_SKEW_MILLISECONDS = 5 * 60_000;
// The log grows all the time, so that each message may have another head: a sender's are compared at
// once when the first comes, and then the latest of them now and then.
const WITNESS_MILLISECONDS = 60_000;
const MAX_WITNESSED = 4096;

/** The log of one device. */
export function cardLog(context: CardLogContext): CardLog {
  const { directory, records, logKey, appKeys, identity, now } = context;
  const name = `log/${base64url.encode(logKey.publicKey)}`;
  const accept = acceptedCards();
  // One after the other, and beside what is sent.
  const inTurn = queues();
  const witnessed = new Map<CardId, { readonly head: string; readonly at: number }>();
  const waiting = new Map<CardId, LogHead>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  context.closed.addEventListener('abort', () => {
    clearTimeout(timer);
    waiting.clear();
  });

  // Asked for with each message.
  let latest: LogHead | null = null;
  // The head of somebody's message under which this device asked for its own identity last.
  let ownSeen: LogHead | null = null;

  const state = (): Promise<LogState> => readState(records, name, LOG_STATE);
  // In turn with the device's other tabs, and not at all once it was removed.
  const change = (update: (current: LogState) => LogState) =>
    records.lock(name, () => updateState(records, name, LOG_STATE, update));
  const known = async (): Promise<LogHead | null> => headOf((await state()).head);

  async function signed(text: unknown): Promise<LogHead> {
    const head = headOf(text);
    if (!head) throw invalid('its head is none');
    if (await verifyHead(logKey, head)) return head;
    throw new EncryptionError(
      'LOG_KEY_UNKNOWN',
      'Another key than the pinned one signed the head of the log. Check logKey.',
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
      if (before && !isLater(head, before)) {
        latest = before;
        return;
      }
      const { before: old } = await change((current) =>
        current.head === text ? { ...current, head: textOf(head) } : current,
      );
      // Another answer, in another tab perhaps, was kept meanwhile: it is compared with that one, too.
      if (old.head === text) {
        latest = head;
        return;
      }
    }
  }

  async function split(before: LogHead, head: LogHead): Promise<EncryptionError> {
    const evidence = { known: textOf(before), other: textOf(head), foundAt: now() };
    const { before: old } = await change((current) =>
      current.splitView ? current : { ...current, splitView: evidence },
    );
    if (!old.splitView) context.onSplitView(evidence);
    return splitError();
  }

  /** What the directory answers, asked in JSON: hashes that lead from one head to another. */
  async function askConsistency(from: LogHead, to: LogHead): Promise<readonly Bytes[]> {
    return hashesOf(await directory.consistency(from.size, to.size));
  }

  async function lookUp(
    identities: readonly Identity[],
  ): Promise<ReadonlyMap<Identity, ProvenHistory>> {
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
    return verified(answer.lookup, head, identities);
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
    const now = await signed((await directory.lookup([identity], 0)).head);
    return now.size < head.size ? now : null;
  }

  async function compare(head: LogHead): Promise<void> {
    await follow(head, askConsistency).catch(async (error: unknown) => {
      const isRefused = isEncryptionError(error, 'DIRECTORY_REFUSED');
      const smaller = isRefused ? await shrunkFrom(head) : null;
      throw smaller ? await split(smaller, head) : error;
    });
    // Not if it is merely known: others may have been looked up under it.
    if (ownSeen && isSameTree(ownSeen, head)) return;
    const answer = await directory.lookupAt(identity, head.size);
    const own = (await verified(answer, head, [identity])).get(identity);
    if (own) await context.onOwnHistory(own);
    ownSeen = head;
  }

  async function witness(head: LogHead, sender: CardId): Promise<void> {
    const text = textOf(head);
    const last = witnessed.get(sender);
    if (last?.head === text || context.closed.aborted) return;
    if (last && now() - last.at < WITNESS_MILLISECONDS) {
      witnessLater(head, sender);
      return;
    }
    if (witnessed.size >= MAX_WITNESSED) witnessed.clear();
    witnessed.set(sender, { head: text, at: now() });
    waiting.delete(sender);
    await inTurn('', () => compare(head)).catch((error: unknown) => {
      // A split view was told of. Whatever else kept it from being compared may be over next time.
      if (!isEncryptionError(error, 'SPLIT_VIEW')) witnessed.delete(sender);
    });
  }

  /** The latest head of each sender is compared, also when no other message of theirs comes. */
  function witnessLater(head: LogHead, sender: CardId): void {
    if (waiting.size < MAX_WITNESSED) waiting.set(sender, head);
    timer ??= setTimeout(() => {
      timer = undefined;
      for (const [id, latestHead] of [...waiting]) void witness(latestHead, id);
    }, WITNESS_MILLISECONDS);
  }

  /**
   * Of two heads of different sizes, a wrong proof shows only that the server gave none. If it leads from
   * one to the other after all, there was one log.
   */
  async function isVoid(evidence: SplitView): Promise<boolean> {
    const [known, other] = [headOf(evidence.known), headOf(evidence.other)];
    if (!known || !other || known.size === other.size) return false;
    const [from, to] = known.size < other.size ? [known, other] : [other, known];
    const isOne = await follows(from, to, askConsistency).catch(() => false);
    if (isOne) await change((current) => ({ ...current, splitView: null }));
    return isOne;
  }

  return {
    lookUp,

    async head() {
      latest ??= await known();
      if (latest) return latest;
      throw stale('was never seen by this device');
    },

    isSigned: (head) => verifyHead(logKey, head),

    witness,

    splitView: async () => (await state()).splitView,

    async checkFirstSight() {
      const { head: text, splitView } = await state();
      if (splitView && !(await isVoid(splitView))) throw splitError();
      const head = headOf(text);
      const age = head ? now() - head.signedAt : Infinity;
      if (age < FRESH_MILLISECONDS && age > -CLOCK_SKEW_MILLISECONDS) return;
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

function isSameTree(one: LogHead, other: LogHead): boolean {
  return one.size === other.size && equal(one.root, other.root);
}

/** The larger one; of two of one size, the one signed later. */
function isLater(head: LogHead, kept: LogHead): boolean {
  return head.size > kept.size || (head.size === kept.size && head.signedAt > kept.signedAt);
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

function stale(why: string): EncryptionError {
  return new EncryptionError('LOG_STALE', `The log of the token server ${why}.`);
}

function splitError(): EncryptionError {
  return new EncryptionError(
    'SPLIT_VIEW',
    'The token server showed different people different logs: its cards may be forged. Messages go only to cards that were known before. splitView() gives the evidence, for whoever runs the server.',
  );
}

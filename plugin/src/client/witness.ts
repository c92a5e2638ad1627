/** When the heads that messages carry are compared, and who is told when that fails. */
import { isEncryptionError, type ErrorCode } from '../errors.ts';
import type { CardId } from '../protocol/identifiers.ts';
import { treeOf, type LogHead } from '../protocol/log/head.ts';
import { queues } from './queues.ts';

/**
 * A head under which others were looked up, and under which the token server does not show this person's own
 * cards as this device knows them.
 */
export interface FailedAudit {
  /** How many entries the log had then. */
  readonly size: number;
  /**
   * What came of it: `LOG_INVALID` when what the server shows contradicts what it showed before or
   * proves nothing, `DIRECTORY_REFUSED` when it refuses, `DIRECTORY_UNREACHABLE` when for minutes it
   * answers everything but this; null for an error of the application's own directory.
   */
  readonly code: ErrorCode | null;
}

/**
 * Compares a head that somebody's message carried. Each state of the log is compared once: the first of a sender
 * at once, and those that follow within a minute when it is over. What fails is tried again every minute.
 * Does not reject.
 */
export type Witness = (head: LogHead, sender: CardId) => Promise<void>;

/** What {@link witness} works with. */
export interface WitnessContext {
  /** Rejects with `SPLIT_VIEW` after that was told of. */
  readonly compare: (head: LogHead) => Promise<void>;
  /** Whether the log answers other questions. */
  readonly isAnswering: () => Promise<boolean>;
  readonly now: () => number;
  /** Aborted when the device is closed. */
  readonly closed: AbortSignal;
  /** Is told once of each head. */
  readonly onFailed: (failure: FailedAudit) => void;
}

/** A head that is to be compared. */
interface Waiting {
  readonly head: LogHead;
  /** Whose messages carried it: it goes when it is of none of them any more. */
  readonly senders: Set<CardId>;
  /** When it could not be compared first. */
  readonly failingSince: number | null;
  readonly isTold: boolean;
}

const SPACING_MILLISECONDS = 60_000;
/** A server that is restarted, or limits requests, answers by then. */
const PATIENCE_MILLISECONDS = 10 * 60_000;
const MAX_KEPT = 4096;
// A sender has a new head with each new lookup. Who has more floods: the oldest of them go.
const MAX_WAITING_OF_SENDER = 16;
const MAX_AT_ONCE = 30;

/** The comparing of one device. */
export function witness(context: WitnessContext): Witness {
  const { compare, now, closed } = context;
  // One after the other, and beside what is sent.
  const inTurn = queues();
  const done = new Set<string>();
  const waiting = new Map<string, Waiting>();
  const lastOf = new Map<CardId, number>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  closed.addEventListener('abort', () => {
    clearTimeout(timer);
    waiting.clear();
  });

  async function compareNow(name: string, brought: Waiting): Promise<void> {
    if (done.has(name) || closed.aborted) return;
    // That of another sender may have failed just before.
    const entry = waiting.get(name) ?? brought;
    for (const sender of brought.senders) entry.senders.add(sender);
    try {
      await compare(entry.head);
    } catch (error) {
      // A split view was told of.
      if (!isEncryptionError(error, 'SPLIT_VIEW')) {
        await failed(name, entry, error);
        return;
      }
    }
    waiting.delete(name);
    if (done.size >= MAX_KEPT) done.clear();
    done.add(name);
  }

  async function failed(name: string, entry: Waiting, error: unknown): Promise<void> {
    const failingSince = entry.failingSince ?? now();
    const isTold = entry.isTold || (await mustBeTold(error, failingSince));
    if (closed.aborted) return;
    if (isTold && !entry.isTold) {
      const code = isEncryptionError(error) ? error.code : null;
      context.onFailed({ size: entry.head.size, code });
    }
    compareLater(name, { ...entry, failingSince, isTold });
  }

  async function mustBeTold(error: unknown, failingSince: number): Promise<boolean> {
    if (DEFINITE.some((code) => isEncryptionError(error, code))) return true;
    if (now() - failingSince < PATIENCE_MILLISECONDS) return false;
    return context.isAnswering();
  }

  function compareLater(name: string, entry: Waiting): void {
    const { senders } = entry;
    // What was tried goes behind what was not.
    if (!waiting.delete(name)) for (const sender of senders) makeRoom(sender);
    if (senders.size > 0 && waiting.size < MAX_KEPT) waiting.set(name, entry);
    timer ??= setTimeout(compareWaiting, SPACING_MILLISECONDS);
  }

  /** For one more head of this sender. What others carried, too, stays for them. */
  function makeRoom(sender: CardId): void {
    const ofSender = [...waiting].filter(([, { senders }]) => senders.has(sender));
    const [oldest] = ofSender;
    if (!oldest || ofSender.length < MAX_WAITING_OF_SENDER) return;
    const [name, { senders }] = oldest;
    senders.delete(sender);
    if (senders.size === 0) waiting.delete(name);
  }

  function compareWaiting(): void {
    for (const [name, entry] of [...waiting].slice(0, MAX_AT_ONCE)) {
      void inTurn('', () => compareNow(name, entry));
    }
    void inTurn('', () => {
      timer = waiting.size > 0 ? setTimeout(compareWaiting, SPACING_MILLISECONDS) : undefined;
      return Promise.resolve();
    });
  }

  return async (head, sender) => {
    const name = treeOf(head);
    if (done.has(name) || closed.aborted) return;
    const known = waiting.get(name);
    if (known) {
      if (!known.senders.has(sender)) makeRoom(sender);
      known.senders.add(sender);
      return;
    }
    const entry: Waiting = { head, senders: new Set([sender]), failingSince: null, isTold: false };
    const last = lastOf.get(sender);
    if (last !== undefined && now() - last < SPACING_MILLISECONDS) {
      compareLater(name, entry);
      return;
    }
    if (lastOf.size >= MAX_KEPT) lastOf.clear();
    lastOf.set(sender, now());
    await inTurn('', () => compareNow(name, entry));
  };
}

/** What is not mended by waiting. */
const DEFINITE = ['LOG_INVALID', 'LOG_KEY_UNKNOWN', 'DIRECTORY_REFUSED'] as const;

import { EncryptionError } from '../errors.ts';
import type { Bytes } from '../protocol/primitives.ts';
import { queues } from './queues.ts';

/**
 * Where a device keeps its sealed key and what it remembers: pinned cards, message counters,
 * places of messages. Records are small, and sealed before they get here: the key under the password,
 * all else under the key. Whoever can write to the store can make the device forget, not lie.
 *
 * A store without room throws the `EncryptionError` `KEY_STORE_FULL`, and can still be read. Whatever else
 * it throws, but errors of this library, becomes `KEY_STORE_UNAVAILABLE`. Minor versions may add methods
 * that a store can do without.
 */
export interface KeyStore {
  /** The record of this name, or null when there is none; throws when it cannot be read. */
  get(name: string): Promise<Bytes | null>;
  /**
   * Replaces a record by what `change` makes of it (null: none, or delete). Atomic: of two updates
   * of one name, in whatever tab or process that shares the store, the later sees the earlier's
   * result. When `change` throws, nothing is written and its error is passed on.
   */
  update(name: string, change: RecordChange['change']): Promise<void>;
  /**
   * Makes many updates, in this order: what one writes the next one of its name sees. For stores where
   * each write waits for the disk, which can then wait once for a page of messages. A store may do without
   * it: the updates are made one after the other. After a crash, and when a change throws, some of them
   * may have been made; when it resolves, all are, and last.
   */
  updateAll?(changes: readonly RecordChange[]): Promise<void>;
  /**
   * Runs `work` while nobody else runs any under this name, in whatever tab or process that shares
   * the store; who asks first is first. A lock ends with the tab or process that holds it, however
   * that ends. What `work` throws is passed on.
   * @throws EncryptionError `DEVICE_BUSY` when others held the lock for too long: nothing was run
   */
  lock<T>(name: string, work: () => Promise<T>): Promise<T>;
  /**
   * Deletes all records of this scope, which is what stands before the first slash of a name: as one
   * step, if the store can, and with no update between them. Records without a slash are of no scope.
   * Locks stay with whoever has them.
   */
  clear(scope: string): Promise<void>;
}

/** One update of {@link KeyStore.updateAll}. */
export interface RecordChange {
  readonly name: string;
  /** See {@link KeyStore.update}. */
  readonly change: (current: Bytes | null) => Bytes | null;
}

/**
 * What these changes, in this order, make of records.
 * @param stored the records of all these names
 * @returns those that are not as they were
 */
export function changedRecords(
  stored: ReadonlyMap<string, Bytes | null>,
  changes: readonly RecordChange[],
): ReadonlyMap<string, Bytes | null> {
  const changed = new Map<string, Bytes | null>();
  for (const { name, change } of changes) {
    const current = changed.get(name) ?? (changed.has(name) ? null : (stored.get(name) ?? null));
    const next = change(current);
    if (next !== current) changed.set(name, next);
  }
  return changed;
}

/** What stands before the first slash of a record's name, or null. */
export function scopeOf(name: string): string | null {
  const end = name.indexOf('/');
  return end === -1 ? null : name.slice(0, end);
}

/**
 * How long to wait for a lock of another tab or process. Whoever sends has three tries on the same
 * network; who holds it for longer was most likely suspended by the system.
 */
export const LOCK_PATIENCE_MILLISECONDS = 60_000;

/** The error of a lock that others hold for too long. */
export function busy(): EncryptionError {
  return new EncryptionError(
    'DEVICE_BUSY',
    'Not done: another tab or process of this device is busy sending, or was suspended. Try again.',
  );
}

/** The error of a key store without room. */
export function full(cause: unknown): EncryptionError {
  return new EncryptionError(
    'KEY_STORE_FULL',
    'Nothing was written: the disk, or what the browser gives this page of it, is full. Free some space, and try again.',
    { cause },
  );
}

/**
 * Runs `work` inside `lock`, and keeps what fails in the one apart from what fails in the other: an
 * error of the work is passed on as it is.
 */
export async function lockedApart<T>(
  work: () => Promise<T>,
  lock: (settling: () => Promise<PromiseSettledResult<T>>) => Promise<PromiseSettledResult<T>>,
): Promise<T> {
  const outcome = await lock(async () => {
    const [settled] = await Promise.allSettled([Promise.resolve().then(work)]);
    return settled;
  });
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

/** A key store in memory: gone with the process. For tests, and for devices that keep nothing. */
export class MemoryKeyStore implements KeyStore {
  readonly #records = new Map<string, Bytes>();
  readonly #inTurn = queues();

  /** See {@link KeyStore.get}. */
  get(name: string): Promise<Bytes | null> {
    return Promise.resolve(this.#records.get(name)?.slice() ?? null);
  }

  /** See {@link KeyStore.update}. */
  update(name: string, change: RecordChange['change']): Promise<void> {
    return Promise.resolve().then(() => {
      const next = change(this.#records.get(name)?.slice() ?? null);
      if (next === null) this.#records.delete(name);
      else this.#records.set(name, next.slice());
    });
  }

  /** See {@link KeyStore.updateAll}. */
  async updateAll(changes: readonly RecordChange[]): Promise<void> {
    for (const { name, change } of changes) await this.update(name, change);
  }

  /** See {@link KeyStore.lock}. Who shares this store is in this process, so nobody is given up. */
  lock<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.#inTurn(name, work);
  }

  /** See {@link KeyStore.clear}. */
  clear(scope: string): Promise<void> {
    return Promise.resolve().then(() => {
      for (const name of [...this.#records.keys()]) {
        if (scopeOf(name) === scope) this.#records.delete(name);
      }
    });
  }
}

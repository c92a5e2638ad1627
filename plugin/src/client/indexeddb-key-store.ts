import { EncryptionError } from '../errors.ts';
import type { Bytes } from '../protocol/primitives.ts';
import { abort, endOf, openDatabase, resultOf } from './indexeddb.ts';
import {
  busy,
  changedRecords,
  full,
  LOCK_PATIENCE_MILLISECONDS,
  lockedApart,
  scopeOf,
  type KeyStore,
  type RecordChange,
} from './key-store.ts';

const RECORDS = 'records';

/**
 * A key store in the browser's IndexedDB, shared by all tabs and workers of an origin, which keep out
 * of each other's way by Web Locks. A full disk or quota is `KEY_STORE_FULL`; every other error of the
 * database (a private window) is `KEY_STORE_UNAVAILABLE`, and so is a page without Web Locks: one that
 * came over http. After the first record was written, the browser is asked not to evict what this origin
 * stored: `navigator.storage.persist()`, which workers do not have.
 */
export class IndexedDbKeyStore implements KeyStore {
  readonly #database: string;
  readonly #patience: number;
  #opened: Promise<IDBDatabase> | undefined;
  // The database was there: if it is gone later, so is the device, and nothing of it is made anew.
  #wasThere = false;
  #isGone = false;

  /**
   * @param database the name of the database, to keep several apart on one origin
   * @param patience how many milliseconds to wait for a lock of another tab
   */
  constructor(database = 'twilio-chat-encryption', patience = LOCK_PATIENCE_MILLISECONDS) {
    this.#database = database;
    this.#patience = patience;
  }

  /** See {@link KeyStore.get}. */
  async get(name: string): Promise<Bytes | null> {
    try {
      const records = (await this.#open()).transaction(RECORDS).objectStore(RECORDS);
      return await recordIn(records, name);
    } catch (cause) {
      if (this.#isGone) return null;
      throw unavailable(cause);
    }
  }

  /** See {@link KeyStore.update}. */
  update(name: string, change: RecordChange['change']): Promise<void> {
    return this.updateAll([{ name, change }]);
  }

  /** See {@link KeyStore.updateAll}: one transaction, of which nothing is done if a change throws. */
  async updateAll(changes: readonly RecordChange[]): Promise<void> {
    let refused: { readonly error: unknown } | undefined;
    const names = [...new Set(changes.map(({ name }) => name))];
    const changed = (stored: ReadonlyMap<string, Bytes | null>) => {
      try {
        return changedRecords(stored, changes);
      } catch (error) {
        refused = { error };
        throw error;
      }
    };
    const transaction = await this.#begin();
    try {
      const records = transaction.objectStore(RECORDS);
      // Whether what it wrote is the first record of all.
      const write = async (): Promise<boolean> => {
        // Nothing but its own requests is awaited: the transaction would end.
        const stored = await Promise.all(names.map((name) => recordIn(records, name)));
        const before = new Map(names.map((name, at) => [name, stored[at] ?? null]));
        let isNew = false;
        for (const [name, bytes] of changed(before)) {
          if (bytes === null) records.delete(name);
          else records.put(bytes, name);
          isNew ||= bytes !== null && before.get(name) === null;
        }
        return isNew && (await resultOf(records.getAllKeys(null, 2))).length === 1;
      };
      const writing = write().catch((error: unknown) => {
        abort(transaction);
        throw error;
      });
      const [isFirst] = await Promise.all([writing, endOf(transaction)]);
      if (isFirst) void askToKeep();
    } catch (cause) {
      // Why the browser aborted it, rather than that it did.
      throw refused ? refused.error : unavailable(transaction.error ?? cause);
    }
  }

  /** See {@link KeyStore.lock}. */
  lock<T>(name: string, work: () => Promise<T>): Promise<T> {
    return lockedApart(work, async (settling) => {
      const signal = AbortSignal.timeout(this.#patience);
      try {
        const locks = lockManager();
        return await locks.request(`key-store/${this.#database}/${name}`, { signal }, settling);
      } catch (cause) {
        // The signal ends the waiting only: work that was begun is not cut off.
        throw cause === signal.reason ? busy() : unavailable(cause);
      }
    });
  }

  /** See {@link KeyStore.clear}. */
  async clear(scope: string): Promise<void> {
    const first = `${scope}/`;
    // A slash in it: no record is of such a scope, though the names of some begin with it.
    if (scopeOf(first) !== scope) return;
    const transaction = await this.#begin();
    try {
      // All that begin with the scope and a slash: `0` is the character behind the slash.
      const range = IDBKeyRange.bound(first, `${scope}0`, false, true);
      transaction.objectStore(RECORDS).delete(range);
      await endOf(transaction);
    } catch (cause) {
      throw unavailable(transaction.error ?? cause);
    }
  }

  async #begin(): Promise<IDBTransaction> {
    try {
      const database = await this.#open();
      // An acknowledged message counter must survive a crash: a counter used twice is a fork.
      return database.transaction(RECORDS, 'readwrite', { durability: 'strict' });
    } catch (cause) {
      throw unavailable(cause);
    }
  }

  async #open(): Promise<IDBDatabase> {
    // Without locks two tabs would use one number twice: then better nothing at all, from the start.
    lockManager();
    this.#opened ??= openDatabase(
      this.#database,
      (database) => {
        this.#isGone = this.#wasThere;
        if (this.#isGone) throw new TypeError('The database is gone.');
        database.createObjectStore(RECORDS);
      },
      // The next call opens it again.
      () => (this.#opened = undefined),
    );
    try {
      const database = await this.#opened;
      this.#wasThere = true;
      this.#isGone = false;
      return database;
    } catch (error) {
      // A failed opening is tried again by the next call.
      this.#opened = undefined;
      throw error;
    }
  }
}

async function recordIn(records: IDBObjectStore, name: string): Promise<Bytes | null> {
  const stored = await resultOf<unknown>(records.get(name));
  if (stored === undefined) return null;
  if (stored instanceof Uint8Array) return new Uint8Array(stored);
  // Not as if there were none: the device would begin anew.
  throw new TypeError('A record is not of bytes.');
}

// Of secure contexts only: https://w3c.github.io/web-locks/#api-navigator-mixin
function lockManager(): LockManager {
  if ('locks' in navigator) return navigator.locks;
  throw new TypeError('There are no Web Locks here. Open the page over https, or at localhost.');
}

/**
 * Asks the browser to keep what this origin stored when space runs short: a key that is gone is gone.
 * Firefox asks its user. So nobody is asked before there is something to keep, which is just after the
 * user gave the password of a new key; and not at each opening, in case the answer was no. What is
 * written does not wait for the answer.
 * https://storage.spec.whatwg.org/#dom-storagemanager-persist
 */
async function askToKeep(): Promise<void> {
  try {
    await navigator.storage.persist();
  } catch {
    // Or there is nobody to ask: in workers, and in old browsers. It is not worse than before.
  }
}

function unavailable(cause: unknown): EncryptionError {
  if (cause instanceof DOMException && cause.name === 'QuotaExceededError') return full(cause);
  return new EncryptionError(
    'KEY_STORE_UNAVAILABLE',
    "The browser's storage (IndexedDB, Web Locks) cannot be used. Open the page over https, in a window that is not private, and allow it to store data.",
    { cause },
  );
}

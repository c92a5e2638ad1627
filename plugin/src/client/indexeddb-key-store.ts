import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction } from 'idb';
import { EncryptionError } from '../errors.ts';
import type { Bytes } from '../protocol/primitives.ts';
import {
  busy,
  full,
  LOCK_PATIENCE_MILLISECONDS,
  lockedApart,
  scopeOf,
  type KeyStore,
} from './key-store.ts';

interface Schema extends DBSchema {
  records: { key: string; value: Bytes };
}

type Writing = IDBPTransaction<Schema, ['records'], 'readwrite'>;

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
  #opened: Promise<IDBPDatabase<Schema>> | undefined;
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
      return (await (await this.#open()).get('records', name)) ?? null;
    } catch (cause) {
      if (this.#isGone) return null;
      throw unavailable(cause);
    }
  }

  /** See {@link KeyStore.update}. */
  async update(name: string, change: (current: Bytes | null) => Bytes | null): Promise<void> {
    let refused: { readonly error: unknown } | undefined;
    const transaction = await this.#begin();
    try {
      // Whether what it wrote is the first record of all.
      const write = async (): Promise<boolean> => {
        const current = (await transaction.store.get(name)) ?? null;
        // Nothing is awaited between reading and writing: the transaction would end.
        let next: Bytes | null;
        try {
          next = change(current);
        } catch (error) {
          refused = { error };
          throw error;
        }
        if (next === current) return false;
        if (next === null) {
          await transaction.store.delete(name);
          return false;
        }
        await transaction.store.put(next, name);
        return current === null && (await transaction.store.getAllKeys(null, 2)).length === 1;
      };
      const writing = write().catch((error: unknown) => {
        abort(transaction);
        throw error;
      });
      const [isFirst] = await Promise.all([writing, transaction.done]);
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
      await Promise.all([transaction.store.delete(range), transaction.done]);
    } catch (cause) {
      throw unavailable(transaction.error ?? cause);
    }
  }

  async #begin(): Promise<Writing> {
    try {
      const database = await this.#open();
      // An acknowledged message counter must survive a crash: a counter used twice is a fork.
      return database.transaction(['records'], 'readwrite', { durability: 'strict' });
    } catch (cause) {
      throw unavailable(cause);
    }
  }

  async #open(): Promise<IDBPDatabase<Schema>> {
    // Without locks two tabs would use one number twice: then better nothing at all, from the start.
    lockManager();
    this.#opened ??= openDB<Schema>(this.#database, 1, {
      upgrade: (database, _version, _wanted, transaction) => {
        if (this.#wasThere) {
          this.#isGone = true;
          transaction.done.catch(() => undefined);
          transaction.abort();
        } else {
          database.createObjectStore('records');
        }
      },
      // Somebody deletes the database, or the browser closed it: the next call opens it again.
      blocking: (_version, _wanted, event) => {
        this.#opened = undefined;
        if (event.target instanceof IDBDatabase) event.target.close();
      },
      terminated: () => (this.#opened = undefined),
    });
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

/** Aborts a transaction that an error of its own may have aborted before. */
function abort(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch {
    // It was.
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

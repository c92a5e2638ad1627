import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import { EncryptionError } from '../errors.ts';
import type { Bytes } from '../protocol/primitives.ts';
import type { KeyStore } from './key-store.ts';

interface Schema extends DBSchema {
  records: { key: string; value: Bytes };
}

/**
 * A key store in the browser's IndexedDB, shared by all tabs of an origin. Every error of the
 * database (a private window, a full disk) is `KEY_STORE_UNAVAILABLE`.
 */
export class IndexedDbKeyStore implements KeyStore {
  readonly #database: string;
  #opened: Promise<IDBPDatabase<Schema>> | undefined;

  /** @param database the name of the database, to keep several apart on one origin */
  constructor(database = 'twilio-chat-encryption') {
    this.#database = database;
  }

  /** See {@link KeyStore.get}. */
  async get(name: string): Promise<Bytes | null> {
    try {
      return (await (await this.#open()).get('records', name)) ?? null;
    } catch (cause) {
      throw unavailable(cause);
    }
  }

  /** See {@link KeyStore.update}. */
  async update(name: string, change: (current: Bytes | null) => Bytes | null): Promise<void> {
    let refused: { readonly error: unknown } | undefined;
    try {
      const transaction = (await this.#open()).transaction('records', 'readwrite', {
        // An acknowledged message counter must survive a crash: a counter used twice is a fork.
        durability: 'strict',
      });
      const write = async (): Promise<void> => {
        const current = (await transaction.store.get(name)) ?? null;
        // Nothing is awaited between reading and writing: the transaction would end.
        let next: Bytes | null;
        try {
          next = change(current);
        } catch (error) {
          refused = { error };
          throw error;
        }
        if (next === null) await transaction.store.delete(name);
        else await transaction.store.put(next, name);
      };
      const writing = write().catch((error: unknown) => {
        abort(transaction);
        throw error;
      });
      await Promise.all([writing, transaction.done]);
    } catch (cause) {
      throw refused ? refused.error : unavailable(cause);
    }
  }

  #open(): Promise<IDBPDatabase<Schema>> {
    this.#opened ??= openDB<Schema>(this.#database, 1, {
      upgrade(database) {
        database.createObjectStore('records');
      },
      // Somebody deletes the database, or the browser closed it: the next call opens it again.
      blocking: (_version, _wanted, event) => {
        this.#opened = undefined;
        if (event.target instanceof IDBDatabase) event.target.close();
      },
      terminated: () => (this.#opened = undefined),
    });
    // A failed opening is tried again by the next call.
    this.#opened.catch(() => (this.#opened = undefined));
    return this.#opened;
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
  return new EncryptionError(
    'KEY_STORE_UNAVAILABLE',
    "The browser's storage (IndexedDB) cannot be used. A private window or a full disk may be why.",
    { cause },
  );
}

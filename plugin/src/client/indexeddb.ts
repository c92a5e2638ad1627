/** The few things of IndexedDB that a key store needs, as promises. */

/** What a request gives, at a time when its transaction still takes others. */
export function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(errorOf(request));
    };
  });
}

/** Resolves when a transaction is stored, and rejects when it was aborted. */
export function endOf(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => {
      resolve();
    };
    transaction.onabort = () => {
      reject(errorOf(transaction));
    };
  });
}

function errorOf({ error }: { readonly error: DOMException | null }): DOMException {
  return error ?? new DOMException('The transaction was aborted.', 'AbortError');
}

/** Aborts a transaction that an error of its own may have aborted before. */
export function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It was.
  }
}

/**
 * Opens a database, version 1.
 * @param make makes its content when it is new; when it throws, there is no database
 * @param closed is told when the database was closed: somebody deletes it, or the browser closed it
 */
export function openDatabase(
  name: string,
  make: (database: IDBDatabase) => void,
  closed: () => void,
): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    try {
      make(request.result);
    } catch {
      request.transaction?.abort();
    }
  };
  return resultOf(request).then((database) => {
    database.onversionchange = () => {
      closed();
      database.close();
    };
    database.onclose = closed;
    return database;
  });
}

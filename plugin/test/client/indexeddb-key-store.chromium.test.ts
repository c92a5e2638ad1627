import { afterEach, describe, expect, test, vi } from 'vitest';
import { IndexedDbKeyStore } from '../../src/client/indexeddb-key-store.ts';
import { codeOf, failureOf } from '../outcomes.ts';
import { clearBesideUpdates, countTo, describeKeyStore, lockInTurn } from './key-store-suite.ts';

declare global {
  interface Navigator {
    // https://wicg.github.io/storage-buckets/
    readonly storageBuckets: {
      open(
        name: string,
        options: { readonly quota: number },
      ): Promise<{ readonly indexedDB: IDBFactory }>;
    };
  }
}

let databases = 0;
function newName(): string {
  databases += 1;
  return `key-store-test-${databases}`;
}

const one = (): Uint8Array<ArrayBuffer> => Uint8Array.of(1);

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describeKeyStore('IndexedDbKeyStore', () => Promise.resolve(new IndexedDbKeyStore(newName())));

/** Resolves when the database is gone. */
function deleteDatabase(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => {
      resolve();
    };
    request.onblocked = () => {
      reject(new Error('The store keeps its database from being deleted.'));
    };
  });
}

/** An opening that the browser refuses, as in a private window. */
function refusedOpening(): IDBOpenDBRequest {
  throw new DOMException('A mutation operation was attempted.', 'InvalidStateError');
}

describe('the browser is asked to keep what is stored', () => {
  test('when the first record is written, and only then', async () => {
    const persist = vi.spyOn(navigator.storage, 'persist').mockResolvedValue(true);
    const name = newName();
    const store = new IndexedDbKeyStore(name);
    await store.get('a');
    await store.update('a', () => null);
    await store.clear('a');
    expect(persist).not.toHaveBeenCalled();
    await store.update('a', one);
    expect(persist).toHaveBeenCalledTimes(1);
    await store.update('a', () => Uint8Array.of(2));
    await store.update('b', one);
    await new IndexedDbKeyStore(name).update('c', one);
    expect(persist).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['refuses', () => Promise.resolve(false)],
    ['fails', () => Promise.reject(new TypeError('No.'))],
    [
      'throws',
      () => {
        throw new TypeError('No.');
      },
    ],
    ['never answers', () => new Promise<never>(() => undefined)],
  ])('and nothing waits for one that %s', async (_, answer) => {
    vi.spyOn(navigator.storage, 'persist').mockImplementation(answer);
    const store = new IndexedDbKeyStore(newName());
    await store.update('a', one);
    expect(await store.get('a')).toEqual(one());
  });

  test('but not by a worker, whose key store works all the same', async () => {
    const name = newName();
    const worker = new Worker(new URL('indexeddb-key-store-worker.ts', import.meta.url), {
      type: 'module',
    });
    const answer = new Promise((resolve) => {
      worker.addEventListener('message', ({ data }) => {
        resolve(data);
      });
    });
    worker.postMessage(name);
    expect(await answer).toBe('stored');
    worker.terminate();
    expect(await new IndexedDbKeyStore(name).get('a')).toEqual(one());
  });
});

describe('a full disk is KEY_STORE_FULL, and what was there stays and can be read,', () => {
  const names = ['a/1', 'a/2'];
  const large = () => new Uint8Array(150_000);

  async function expectFull(store: IndexedDbKeyStore, fill: () => Promise<unknown>) {
    await store.update('a/1', one);
    await fill();
    for (const name of names)
      expect(await codeOf(store.update(name, large))).toBe('KEY_STORE_FULL');
    expect(await store.get('a/1')).toEqual(one());
    expect(await store.get('a/2')).toBeNull();
    expect(await store.lock('a/1', () => store.get('a/1'))).toEqual(one());
    await store.update('a/1', (current) => current);
  }

  test('when the quota is used up', async () => {
    const name = newName();
    // Beside the origin's own storage, with a quota of its own.
    const bucket = await navigator.storageBuckets.open(name, { quota: 200_000 });
    vi.stubGlobal('indexedDB', bucket.indexedDB);
    const store = new IndexedDbKeyStore(name);
    await expectFull(store, () => store.update('b', () => new Uint8Array(100_000)));
    // What frees space is done, and there is space then.
    await store.update('b', () => null);
    await store.clear('a');
    expect(await store.get('a/1')).toBeNull();
    await store.update('a/2', () => new Uint8Array(1000));
    expect(await store.get('a/2')).toHaveLength(1000);
  });

  test('when the browser says so of a transaction, and of its requests only that it was aborted', async () => {
    await expectFull(new IndexedDbKeyStore(newName()), () => {
      vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
        throw new DOMException('Aborted.', 'AbortError');
      });
      const error = new DOMException('Quota exceeded.', 'QuotaExceededError');
      vi.spyOn(IDBTransaction.prototype, 'error', 'get').mockReturnValue(error);
      return Promise.resolve();
    });
  });

  test('when the browser says so of a record', async () => {
    await expectFull(new IndexedDbKeyStore(newName()), () => {
      vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
        throw new DOMException('Quota exceeded.', 'QuotaExceededError');
      });
      return Promise.resolve();
    });
  });
});

describe('two stores on one database', () => {
  test('share its records', async () => {
    const name = newName();
    const [first, second] = [new IndexedDbKeyStore(name), new IndexedDbKeyStore(name)];
    await first.update('a', one);
    expect(await second.get('a')).toEqual(one());
    await second.update('a', () => null);
    expect(await first.get('a')).toBeNull();
  });

  test('count exactly', async () => {
    const name = newName();
    await countTo(100, [new IndexedDbKeyStore(name), new IndexedDbKeyStore(name)]);
  });

  test('clear a scope between two updates', async () => {
    const name = newName();
    await clearBesideUpdates([new IndexedDbKeyStore(name), new IndexedDbKeyStore(name)]);
  });

  test('take turns with a lock', async () => {
    const name = newName();
    await lockInTurn(20, [new IndexedDbKeyStore(name), new IndexedDbKeyStore(name)]);
  });

  test('of other names share nothing', async () => {
    const [first, second] = [new IndexedDbKeyStore(newName()), new IndexedDbKeyStore(newName())];
    await first.update('a', one);
    expect(await second.get('a')).toBeNull();
    expect(await first.lock('a', () => second.lock('a', () => Promise.resolve(1)))).toBe(1);
  });

  test('wait for a lock as long as they may, and then do nothing', async () => {
    const name = newName();
    const [first, second] = [new IndexedDbKeyStore(name), new IndexedDbKeyStore(name, 50)];
    let ran = false;
    await first.lock('a', async () => {
      const waiting = second.lock('a', () => {
        ran = true;
        return Promise.resolve();
      });
      expect(await codeOf(waiting)).toBe('DEVICE_BUSY');
    });
    // What was begun in time is not cut off.
    const slow = () => new Promise((resolve) => setTimeout(resolve, 100, 'done'));
    expect(await second.lock('a', slow)).toBe('done');
    expect(ran).toBe(false);
  });
});

describe('a database that cannot be used is KEY_STORE_UNAVAILABLE', () => {
  test('when it does not open, and the next call tries again', async () => {
    const store = new IndexedDbKeyStore(newName());
    vi.spyOn(indexedDB, 'open').mockImplementation(refusedOpening);
    expect(await codeOf(store.get('a'))).toBe('KEY_STORE_UNAVAILABLE');
    expect(await codeOf(store.update('a', one))).toBe('KEY_STORE_UNAVAILABLE');
    expect(await codeOf(store.clear('a'))).toBe('KEY_STORE_UNAVAILABLE');
    expect((await failureOf(store.get('a'))).message).toContain('not private');
    vi.restoreAllMocks();
    await store.update('a', one);
    expect(await store.get('a')).toEqual(one());
  });

  test('when the page has no Web Locks, for reading too', async () => {
    const name = newName();
    const store = new IndexedDbKeyStore(name);
    await store.update('a', one);
    // As of a page that came over http.
    const { locks, ...without } = { locks: navigator.locks };
    vi.stubGlobal('navigator', without);
    for (const call of [
      () => store.get('a'),
      () => store.update('a', one),
      () => store.clear('a'),
      () => store.lock('a', () => Promise.resolve()),
      () => new IndexedDbKeyStore(name).get('a'),
    ]) {
      expect(await codeOf(call())).toBe('KEY_STORE_UNAVAILABLE');
    }
    vi.unstubAllGlobals();
    expect(navigator.locks).toBe(locks);
    expect(await store.get('a')).toEqual(one());
  });

  test('when the browser refuses locks', async () => {
    const store = new IndexedDbKeyStore(newName());
    vi.spyOn(navigator.locks, 'request').mockRejectedValue(
      new DOMException('The request was denied.', 'SecurityError'),
    );
    expect(await codeOf(store.lock('a', () => Promise.resolve()))).toBe('KEY_STORE_UNAVAILABLE');
  });

  test('when it is of a newer version', async () => {
    const name = newName();
    await new Promise((resolve) => {
      const request = indexedDB.open(name, 2);
      request.onsuccess = () => {
        request.result.close();
        resolve(null);
      };
    });
    expect(await codeOf(new IndexedDbKeyStore(name).get('a'))).toBe('KEY_STORE_UNAVAILABLE');
  });
});

test('a database that was deleted is not made anew by a store that used it, but by the next', async () => {
  const name = newName();
  const store = new IndexedDbKeyStore(name);
  await store.update('a', one);
  await deleteDatabase(name);
  expect(await store.get('a')).toBeNull();
  expect(await codeOf(store.update('a', one))).toBe('KEY_STORE_UNAVAILABLE');
  expect(await codeOf(store.clear('a'))).toBe('KEY_STORE_UNAVAILABLE');
  expect(await store.get('a')).toBeNull();
  expect((await indexedDB.databases()).map((database) => database.name)).not.toContain(name);
  await new IndexedDbKeyStore(name).update('a', () => Uint8Array.of(2));
  expect(await store.get('a')).toEqual(Uint8Array.of(2));
});

test('an update that changes nothing writes nothing', async () => {
  const store = new IndexedDbKeyStore(newName());
  await store.update('a', one);
  const put = vi.spyOn(IDBObjectStore.prototype, 'put');
  await store.update('a', (current) => current);
  expect(put).not.toHaveBeenCalled();
});

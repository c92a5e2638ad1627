import { afterEach, describe, expect, test, vi } from 'vitest';
import { IndexedDbKeyStore } from '../../src/client/indexeddb-key-store.ts';
import { codeOf } from '../outcomes.ts';
import { countTo, describeKeyStore } from './key-store-suite.ts';

let databases = 0;
function newName(): string {
  databases += 1;
  return `key-store-test-${databases}`;
}

const one = (): Uint8Array<ArrayBuffer> => Uint8Array.of(1);

afterEach(() => {
  vi.restoreAllMocks();
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

  test('of other names share nothing', async () => {
    await new IndexedDbKeyStore(newName()).update('a', one);
    expect(await new IndexedDbKeyStore(newName()).get('a')).toBeNull();
  });
});

describe('a database that cannot be used is KEY_STORE_UNAVAILABLE', () => {
  test('when it does not open, and the next call tries again', async () => {
    const store = new IndexedDbKeyStore(newName());
    vi.spyOn(indexedDB, 'open').mockImplementation(refusedOpening);
    expect(await codeOf(store.get('a'))).toBe('KEY_STORE_UNAVAILABLE');
    expect(await codeOf(store.update('a', one))).toBe('KEY_STORE_UNAVAILABLE');
    vi.restoreAllMocks();
    await store.update('a', one);
    expect(await store.get('a')).toEqual(one());
  });

  test('when the disk is full', async () => {
    const store = new IndexedDbKeyStore(newName());
    await store.update('a', one);
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('Quota exceeded.', 'QuotaExceededError');
    });
    expect(await codeOf(store.update('a', () => Uint8Array.of(2)))).toBe('KEY_STORE_UNAVAILABLE');
    vi.restoreAllMocks();
    expect(await store.get('a')).toEqual(one());
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

test('a database that is deleted under the store is made anew', async () => {
  const name = newName();
  const store = new IndexedDbKeyStore(name);
  await store.update('a', one);
  await deleteDatabase(name);
  expect(await store.get('a')).toBeNull();
  await store.update('a', () => Uint8Array.of(2));
  expect(await store.get('a')).toEqual(Uint8Array.of(2));
});

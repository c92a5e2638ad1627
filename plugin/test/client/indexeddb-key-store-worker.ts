/** A key store in a worker: writes a record into the database whose name it is told, and tells. */
import { IndexedDbKeyStore } from '../../src/client/indexeddb-key-store.ts';

addEventListener('message', ({ data }) => {
  new IndexedDbKeyStore(String(data))
    .update('a', () => Uint8Array.of(1))
    .then(
      () => {
        postMessage('stored');
      },
      (error: unknown) => {
        postMessage(String(error));
      },
    );
});

/** One of several servers on one database file: adds cards as long as there are fewer than allowed. */
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { openStore } from '../src/store/open.ts';

const Task = z.object({ file: z.string(), name: z.string(), limit: z.int() });
const { file, name, limit } = Task.parse(workerData);

const { store, applied } = await openStore(`sqlite:${file}`);
let added = 0;
for (let index = 0; index < limit; index++) {
  await store.transaction(async (transaction) => {
    if ((await transaction.countLiveCards('alice')) >= limit) return;
    const id = `${name}-${index}`;
    const card = { id, identity: 'alice', exported: id, approvedAt: index, keys: [id] };
    await transaction.addCard(card);
    added++;
  });
}
await store.close();
parentPort?.postMessage({ applied, added });

/**
 * One of several processes on one folder: `node file-key-store-worker.ts <folder> <task> <times>`.
 * Says `ready`. `count`: adds one to a record so many times. `turns`: takes a lock so many times, and
 * tells the time when it has it. `hold`: takes it, tells, and keeps it.
 */
import { FileKeyStore } from 'twilio-chat-encryption/node';

const [folder = '', task = '', times = '1'] = process.argv.slice(2);
const store = new FileKeyStore(folder);
process.send?.('ready');

for (let time = 0; time < Number(times); time += 1) {
  if (task === 'count') {
    await store.update('counter', (current) => {
      const next = new DataView(new ArrayBuffer(4));
      next.setUint32(0, (current ? new DataView(current.buffer).getUint32(0) : 0) + 1);
      return new Uint8Array(next.buffer);
    });
  } else {
    await store.lock('shared', async () => {
      process.send?.(Date.now());
      await new Promise((resolve) => setTimeout(resolve, task === 'hold' ? 60_000 : 3));
    });
  }
}
process.disconnect();

/**
 * One of several processes on one folder: `node file-key-store-worker.ts <folder> <task> <times>`.
 * Says `ready`. `count`: adds one to a record so many times. `turns`: takes a lock so many times, and
 * tells the time when it has it. `hold`: takes it, tells, and keeps it. `replace`: writes a large record
 * of one byte again and again. `clear`: clears a scope so many times. `fill`: writes so many records of a
 * scope, tells, and clears it. `large`: writes a record of so many bytes, and tells how that ended.
 */
import { isEncryptionError } from 'twilio-chat-encryption';
import { FileKeyStore } from 'twilio-chat-encryption/node';

// The modes of files are the store's affair.
process.umask(0);

const [folder = '', task = '', times = '1'] = process.argv.slice(2);
const store = new FileKeyStore(folder);
process.send?.('ready');

if (task === 'fill') {
  for (let time = 0; time < Number(times); time += 1) {
    await store.update(`a/${time}`, () => Uint8Array.of(1));
  }
  process.send?.('filled');
  await store.clear('a');
} else if (task === 'large') {
  const [outcome] = await Promise.allSettled([
    store.update('a/b', () => new Uint8Array(Number(times))),
  ]);
  const reason: unknown = outcome.status === 'rejected' ? outcome.reason : null;
  process.send?.(isEncryptionError(reason) ? reason.code : outcome.status);
} else {
  for (let time = 0; time < Number(times); time += 1) {
    if (task === 'count') {
      await store.update('a/counter', (current) => {
        const next = new DataView(new ArrayBuffer(4));
        next.setUint32(0, (current ? new DataView(current.buffer).getUint32(0) : 0) + 1);
        return new Uint8Array(next.buffer);
      });
    } else if (task === 'clear') {
      await store.update('ab/record', () => Uint8Array.of(1));
      await store.clear('ab');
    } else if (task === 'replace') {
      await store.update('a/large', () => new Uint8Array(300_000).fill(time));
      process.send?.(time);
    } else {
      await store.lock('shared', async () => {
        process.send?.(Date.now());
        await new Promise((resolve) => setTimeout(resolve, task === 'hold' ? 60_000 : 3));
      });
    }
  }
}
process.disconnect();

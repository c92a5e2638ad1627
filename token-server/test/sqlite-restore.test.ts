import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'vitest';
import { busyServer, copyBusily, expectRestored } from './restore.ts';
import { temporaryFolder } from './support.ts';

const execute = promisify(execFile);
const WORKER = fileURLToPath(new URL('./sqlite-backup-worker.ts', import.meta.url));

test.each(['vacuum', 'backup'])(
  'a copy of a live database (%s) has all that was answered before, and can be used elsewhere',
  async (way) => {
    const file = join(temporaryFolder(), 'server.db');
    const busy = await busyServer(`sqlite:${file}`);
    await busy.more(20);
    const folder = temporaryFolder();
    const { before, attempt } = await copyBusily(busy, (count) =>
      execute(process.execPath, [WORKER, file, join(folder, `${count}.db`), way]),
    );
    await busy.more(5);
    await busy.stop();

    const copy = join(folder, `${attempt}.db`);
    chmodSync(copy, 0o600);
    await expectRestored({ ...busy.server.env, DATABASE_URL: `sqlite:${copy}` }, before);
  },
);

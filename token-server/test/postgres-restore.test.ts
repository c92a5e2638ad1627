import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject, test } from 'vitest';
import { createPostgresDatabase, query } from './databases.ts';
import { busyServer, copyBusily, expectRestored } from './restore.ts';
import { temporaryFolder } from './support.ts';

const execute = promisify(execFile);

/** Whether this machine has a pg_dump for the PostgreSQL of this run: none reads a newer one. */
async function hasPgDump(): Promise<boolean> {
  const [row] = await query(inject('postgresUrl'), 'show server_version_num');
  const server = Math.floor(Number(row?.['server_version_num']) / 10_000);
  const { stdout } = await execute('pg_dump', ['--version']).catch(() => ({ stdout: '' }));
  return Number(/\d+/.exec(stdout)?.[0] ?? 0) >= server;
}

test('a dump of a live database has all that was answered before, and can be used elsewhere', async (context) => {
  if (!(await hasPgDump())) context.skip('there is no pg_dump of this version');
  const url = await createPostgresDatabase();
  const busy = await busyServer(url);
  await busy.more(20);
  const folder = temporaryFolder();
  const { before, attempt } = await copyBusily(busy, (count) =>
    execute('pg_dump', [
      '--format=custom',
      `--file=${join(folder, String(count))}`,
      `--dbname=${url}`,
    ]),
  );
  await busy.more(5);
  await busy.stop();

  const elsewhere = await createPostgresDatabase();
  const restore = ['--exit-on-error', '--no-owner', `--dbname=${elsewhere}`];
  await execute('pg_restore', [...restore, join(folder, String(attempt))]);
  await expectRestored({ ...busy.server.env, DATABASE_URL: elsewhere }, before);
});

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createKyselyStore } from '../src/store/kysely-store.ts';
import { migrate } from '../src/store/migrations.ts';
import { openSqlite, SQLITE_TEXT } from '../src/store/sqlite.ts';
import { MAIN } from './command-line.ts';
import { liveCards } from './live-cards.ts';
import {
  afterTest,
  environment,
  makeCard,
  requester,
  secret,
  signUp,
  start,
  temporaryFolder,
  type Harness,
  type Reply,
} from './support.ts';

test('while another process holds the lock, everybody reads, and who writes is told to come again', async () => {
  const file = join(temporaryFolder(), 'server.db');
  const server = await start({ DATABASE_URL: `sqlite:${file}` });
  const { session } = await signUp(server, 'alice');
  const lock = holdLock(file);
  const begun = performance.now();
  const writes = Promise.all([publish(server, session), publish(server, session), joinIn(server)]);
  const delays: number[] = [];
  for (let time = 0; time < 20; time++) {
    const asked = performance.now();
    for (const path of ['/healthz', '/readyz', '/v1/log/head', '/v1/backup']) {
      const { status } = await server.request('GET', path, { session });
      expect(status).toBe(path === '/v1/backup' ? 404 : 200);
    }
    delays.push(performance.now() - asked);
    await sleep(50);
  }
  // All four together: nothing in the process waited for the lock.
  expect(Math.max(...delays)).toBeLessThan(1000);
  for (const reply of await writes) expectUnavailable(reply);
  expect(performance.now() - begun).toBeGreaterThan(4900);
  expect(performance.now() - begun).toBeLessThan(9000);

  const patient = publish(server, session);
  await sleep(200);
  lock.release();
  expect((await patient).status).toBe(201);
  expect((await joinIn(server)).status).toBe(201);
});

test.each([
  ['the disk is full', 'pragma max_page_count = 1', 'pragma max_page_count = 1000000'],
  ['the database is read-only', 'pragma query_only = 1', 'pragma query_only = 0'],
])('while %s, everybody reads, and it needs no restart', async (_, breaks, mends) => {
  const db = openSqlite(join(temporaryFolder(), 'server.db'));
  await migrate(db, SQLITE_TEXT);
  const store = createKyselyStore(db);
  afterTest(() => store.close());
  const server = await start({}, { store });
  const { session } = await signUp(server, 'alice');
  const published = await publish(server, session);

  await sql.raw(breaks).execute(db);
  // What a full database has room for is taken: one page or another has some.
  const replies: Reply[] = [];
  while (replies.at(-1)?.status !== 503) replies.push(await publish(server, session));
  const refused = await publish(server, session);
  expectUnavailable(refused);
  const kept = replies.filter(({ status }) => status === 201);
  const head = await server.request('GET', '/v1/log/head', { session });
  expect(head.status).toBe(200);
  expect((await liveCards(server, session, ['alice']))['alice']).toEqual(
    [published, ...kept].map(({ json }) => json['card']),
  );

  await sql.raw(mends).execute(db);
  expect((await publish(server, session)).status).toBe(201);
  expect((await joinIn(server)).status).toBe(201);
});

test.skipIf(process.platform === 'win32')(
  'a file that may not grow fails what writes, and neither the process nor what was answered',
  async () => {
    const folder = temporaryFolder();
    const env = { ...environment(), PORT: '0', DATABASE_URL: 'sqlite:./server.db' };
    // Blocks of 512 bytes, or of 1024 with some shells: in any case less than what follows takes.
    const shell = 'ulimit -f 1200; exec "$0" --conditions=twilio-chat-encryption-source "$@"';
    const args = ['-c', shell, process.execPath, MAIN, 'serve'];
    const child = spawn('sh', args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
    afterTest(() => {
      child.kill('SIGKILL');
    });
    let stdout = '';
    child.stdout.on('data', (chunk) => (stdout += String(chunk)));
    const port = await expect
      .poll(() => /"port":(\d+)/.exec(stdout)?.[1])
      .toBeDefined()
      .then(() => /"port":(\d+)/.exec(stdout)?.[1]);
    const server = { env, request: requester(`http://localhost:${port}`) };
    const { session } = await signUp(server, 'alice');
    const answered: unknown[] = [];
    for (let reply; reply?.status !== 503;) {
      reply = await publish(server, session);
      if (reply.status === 201) answered.push(reply.json['card']);
      else expectUnavailable(reply);
      // One more card than allowed would be another refusal.
      expect(answered.length).toBeLessThan(16);
    }
    await expect.poll(() => stdout).toMatch(/SQLITE_(FULL|IOERR)/);
    expect((await server.request('GET', '/healthz')).status).toBe(200);
    expect((await liveCards(server, session, ['alice']))['alice']).toEqual(answered);
    expectUnavailable(await publish(server, session));
    expect(child.exitCode).toBeNull();
  },
);

/** Cards of several pages each, so that few of them fill a database. */
const FILLER = Object.fromEntries(
  Array.from({ length: 12 }, (_, index) => [`filler-${index}`, 'x'.repeat(256)]),
);

function expectUnavailable({ status, headers, json }: Reply): void {
  expect([status, json['code']]).toEqual([503, 'UNAVAILABLE']);
  expect(headers.get('content-type')).toContain('application/problem+json');
  expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
}

async function publish({ request }: Pick<Harness, 'request'>, session: string): Promise<Reply> {
  const card = await makeCard('alice', { fields: FILLER });
  return request('POST', '/v1/cards', { session, body: { card } });
}

function joinIn({ request }: Pick<Harness, 'request'>): Promise<Reply> {
  return request('POST', '/v1/accounts', { body: { identity: secret(), authSecret: secret() } });
}

/** Another connection that is in the middle of writing. */
function holdLock(file: string) {
  const other = new Database(file);
  other.exec('begin immediate');
  afterTest(() => {
    other.close();
  });
  return {
    release() {
      other.exec('rollback');
    },
  };
}

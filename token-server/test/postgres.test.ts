import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import { openStore, type Store } from '../src/index.ts';
import { createPostgresDatabase, open, query } from './databases.ts';
import { liveCards } from './live-cards.ts';
import { makeCard, start, temporaryFolder, unpack } from './support.ts';

/** A database, with other timeouts than the server's own. */
async function createDatabase(parameters: Record<string, number> = {}): Promise<string> {
  const url = new URL(await createPostgresDatabase());
  for (const [name, value] of Object.entries(parameters)) {
    url.searchParams.set(name, String(value));
  }
  return url.href;
}

const card = (id: string) => ({
  id,
  identity: 'alice',
  exported: id,
  approvedAt: 1,
  keys: [`${id}-key`],
});

const addCard = (store: Store, id: string) =>
  store.transaction((transaction) => transaction.addCard(card(id)));

const unavailable: unknown = expect.objectContaining({ name: 'ServerError', code: 'UNAVAILABLE' });

test('a server signs people up, publishes their cards and finds them', async () => {
  const server = await start({ DATABASE_URL: await createDatabase() });
  const { request, session, log } = server;
  const token = await session('алиса');
  const exported = await makeCard('алиса');
  const published = await request('POST', '/v1/cards', {
    session: token,
    body: { card: exported },
  });
  expect(published.status).toBe(201);
  const again = await request('POST', '/v1/cards', { session: token, body: { card: exported } });
  expect(again.json).toEqual(published.json);
  expect(await liveCards(server, token, ['алиса', 'bob'])).toEqual({
    алиса: [published.json['card']],
    bob: [],
  });
  expect(unpack(String(published.json['card'])).contentSnapshot).toBe(
    unpack(exported).contentSnapshot,
  );
  expect((await request('GET', '/readyz')).status).toBe(200);
  expect(log()).not.toContain('"level":50');
});

test('`migrate` brings a database up to date', async () => {
  const env = { DATABASE_URL: await createDatabase() };
  expect(await migrate(env)).toEqual({
    code: 0,
    stdout:
      'applied 0001-accounts-and-cards\napplied 0002-log\napplied 0003-backups\napplied 0004-rate-limits\nThe database is up to date.\n',
    stderr: '',
  });
  expect(await migrate(env)).toMatchObject({ stdout: 'The database is up to date.\n' });
});

describe('connections', () => {
  test('are at most ten, and say whose they are', async () => {
    const url = await createDatabase();
    const store = await open(url);
    await Promise.all(Array.from({ length: 50 }, (_, index) => addCard(store, `card-${index}`)));
    const rows = await query(
      url,
      `select application_name from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()`,
    );
    expect(rows).toHaveLength(10);
    expect(new Set(rows.map((row) => String(row['application_name'])))).toEqual(
      new Set(['twilio-chat-encryption-server']),
    );
  });

  test('are all closed in the end', async () => {
    const url = await createDatabase();
    const { store } = await openStore(url);
    await Promise.all(Array.from({ length: 5 }, (_, index) => addCard(store, `card-${index}`)));
    await store.close();
    await expect
      .poll(() =>
        query(
          url,
          `select 1 from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid()`,
        ),
      )
      .toEqual([]);
  });

  test('that are lost within a transaction fail it, and nothing else', async () => {
    const url = await createDatabase();
    const store = await open(url);
    const failed = store.transaction(async (transaction) => {
      await transaction.addCard(card('a'));
      await loseConnections(url);
      await transaction.countLiveCards('alice');
    });
    await expect(failed).rejects.toEqual(unavailable);
    expect(await store.findCard('a')).toBeNull();
    await addCard(store, 'b');
  });

  test('that are lost while nobody uses them are not used again', async () => {
    const url = await createDatabase();
    const store = await open(url);
    await Promise.all(Array.from({ length: 20 }, (_, index) => addCard(store, `card-${index}`)));
    await loseConnections(url);
    const pings = () => Promise.all(Array.from({ length: 20 }, () => store.ping()));
    // The news take a moment to arrive.
    await expect.poll(pings).toHaveLength(20);
  });
});

describe('writers', () => {
  test('see what was written while they waited, whatever the level of isolation', async () => {
    const url = await createDatabase();
    await query(
      url,
      `alter database ${new URL(url).pathname.slice(1)}
       set default_transaction_isolation = 'repeatable read'`,
    );
    const [one, other] = [await open(url), await open(url)];
    let count: Promise<number> | undefined;
    await one.transaction(async (transaction) => {
      count = other.transaction((later) => later.countLiveCards('alice'));
      await waiting(url);
      await transaction.addCard(card('a'));
    });
    expect(await count).toBe(1);
  });

  test('do not wait for one that stopped in the middle', async () => {
    const url = await createDatabase({ idle_in_transaction_session_timeout: 300 });
    const [frozen, other] = [await open(url), await open(url)];
    const failed = frozen.transaction(async (transaction) => {
      await transaction.addCard(card('a'));
      await addCard(other, 'b');
      await transaction.addCard(card('c'));
    });
    await expect(failed).rejects.toEqual(unavailable);
    expect((await other.audit.cardsOf(['alice'])).map(({ id }) => id)).toEqual(['b']);
    await addCard(frozen, 'd');
  });

  test('do not wait for ever', async () => {
    const url = await createDatabase({ statement_timeout: 300 });
    const [one, other] = [await open(url), await open(url)];
    await one.transaction(async () => {
      await expect(addCard(other, 'a')).rejects.toEqual(unavailable);
      // Reading is not writing.
      expect(await other.findCard('a')).toBeNull();
    });
    await addCard(other, 'a');
  });
});

test('a connection that does not answer in time is given up', async () => {
  const url = await createDatabase({ query_timeout: 300 });
  const [one, other] = [await open(url), await open(url)];
  await one.transaction(async () => {
    await expect(addCard(other, 'a')).rejects.toEqual(unavailable);
    // Were it used again, this would wait behind what it did not answer.
    await other.ping();
  });
});

describe('a database that cannot be used', () => {
  test('is told from a defect, without its password', async () => {
    const password = new URL(inject('postgresUrl')).password;
    const missing = inject('postgresUrl').replace(/[^/]*$/, 'nothing');
    const refused = new URL(inject('postgresUrl'));
    refused.port = '1';
    const wrong = inject('postgresUrl').replace(password, 'hunter2');
    for (const url of [missing, refused.href, wrong]) {
      const error = await openStore(url).catch((caught: unknown) => caught);
      expect(error).toEqual(unavailable);
      const { code, stderr } = await migrate({ DATABASE_URL: url });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^The database does not answer\.\n {2}because: .+/);
      for (const text of [stderr, inspect(error, { depth: 10 })]) {
        expect(text).not.toContain(password);
        expect(text).not.toContain('hunter2');
      }
    }
  });

  test('has an encoding without most characters', async () => {
    const url = await createPostgresDatabase({ form: `encoding 'SQL_ASCII' locale 'C'` });
    await expect(openStore(url)).rejects.toThrow('another encoding than UTF8');
  });

  test('or has no URL', async () => {
    const failed = openStore('mysql://me:hunter2@localhost/database');
    await expect(failed).rejects.toThrow('DATABASE_URL: expected sqlite:<path>');
    await expect(failed).rejects.not.toThrow('hunter2');
  });
});

/** Cuts all connections of a database but the one that does it. */
async function loseConnections(url: string): Promise<void> {
  await query(
    url,
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()`,
  );
}

/** Resolves when somebody waits for the lock of writers. */
async function waiting(url: string): Promise<void> {
  const text = `select 1 from pg_locks where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database())`;
  await expect.poll(() => query(url, text)).toHaveLength(1);
}

/** Runs the command in a process of its own. */
function migrate(env: Record<string, string>) {
  const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
  const args = ['--conditions=twilio-chat-encryption-source', main, 'migrate'];
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      args,
      { cwd: temporaryFolder(), env },
      (_error, stdout, stderr) => {
        resolve({ code: child.exitCode ?? -1, stdout, stderr });
      },
    );
  });
}

import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { openStore, type NewCardRecord, type Store } from '../src/index.ts';
import { afterTest, temporaryFolder } from './support.ts';

async function open(file: string): Promise<Store> {
  const { store } = await openStore(`sqlite:${file}`);
  afterTest(() => store.close());
  return store;
}

function card(id: string, changes: Partial<NewCardRecord> = {}): NewCardRecord {
  return {
    id,
    identity: 'alice',
    exported: `<${id}>`,
    approvedAt: 1,
    keys: [`${id}-key`],
    ...changes,
  };
}

test('the folder and the file are made, for nobody but their owner', async () => {
  const file = join(temporaryFolder(), 'deep', 'down', 'server.db');
  const store = await open(file);
  await store.addAccount({ identity: 'alice', secretHash: 'hash', createdAt: 1 });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700);
  expect(statSync(`${file}-wal`).mode & 0o777).toBe(0o600);
});

test('migrations are applied once', async () => {
  const file = join(temporaryFolder(), 'server.db');
  const first = await openStore(`sqlite:${file}`);
  await first.store.close();
  expect(first.applied).toEqual(['0001-accounts-and-cards']);
  const again = await openStore(`sqlite:${file}`);
  await again.store.close();
  expect(again.applied).toEqual([]);
});

test('the database uses a write-ahead log and checks references', async () => {
  const file = join(temporaryFolder(), 'server.db');
  const store = await open(file);
  const database = new Database(file, { readonly: true });
  afterTest(() => {
    database.close();
  });
  expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
  await store.transaction((transaction) => transaction.addCard(card('a')));
  expect(database.pragma('foreign_key_check')).toEqual([]);
});

test('what is stored comes back, and null for what is not', async () => {
  const store = await open(':memory:');
  const account = { identity: 'é🦊', secretHash: 'hash', createdAt: 2 ** 45 };
  expect(await store.addAccount(account)).toBe(true);
  expect(await store.addAccount({ ...account, secretHash: 'other' })).toBe(false);
  expect(await store.findAccount('é🦊')).toEqual(account);
  expect(await store.findAccount('É🦊')).toBeNull();
  const { keys, ...stored } = card('a', { approvedAt: 2 ** 45 });
  await store.transaction((transaction) => transaction.addCard({ ...stored, keys }));
  expect(await store.findCard('a')).toEqual(stored);
  expect(await store.findCard('A')).toBeNull();
  expect(await store.findCards(['alice', 'bob'])).toEqual([stored]);
  expect(await store.findCards([])).toEqual([]);
  expect(await store.measureCards(['alice'])).toBe(3);
  expect(await store.measureCards(['bob'])).toBe(0);
  expect(await store.measureCards([])).toBe(0);
});

test('cards come in the order they were approved', async () => {
  const store = await open(':memory:');
  for (const [id, approvedAt] of [
    ['a', 3],
    ['b', 1],
    ['c', 2],
  ] as const) {
    await store.transaction((transaction) => transaction.addCard(card(id, { approvedAt })));
  }
  expect((await store.findCards(['alice'])).map(({ id }) => id)).toEqual(['b', 'c', 'a']);
});

test('a transaction that fails leaves nothing behind', async () => {
  const store = await open(':memory:');
  const failed = store.transaction(async (transaction) => {
    await transaction.addCard(card('a'));
    throw new Error('changed my mind');
  });
  await expect(failed).rejects.toThrow('changed my mind');
  expect(await store.findCard('a')).toBeNull();
  // A key twice, against which the domain checks before: the card goes with it.
  await expect(
    store.transaction((transaction) => transaction.addCard(card('b', { keys: ['k', 'k'] }))),
  ).rejects.toThrow('UNIQUE');
  expect(await store.findCard('b')).toBeNull();
});

test('servers that share a file take turns, from the first migration on', async () => {
  const file = join(temporaryFolder(), 'server.db');
  const servers = Array.from({ length: 3 }, (_, index) => {
    const workerData = { file, name: `server-${index}`, limit: 20 };
    const execArgv = ['--conditions=twilio-chat-encryption-source'];
    return new Worker(new URL('store-worker.ts', import.meta.url), { workerData, execArgv });
  });
  const reports = await Promise.all(servers.map((server) => once(server, 'message')));
  const { applied, added } = Reports.parse(reports.flat());
  expect(applied).toEqual(['0001-accounts-and-cards']);
  expect(added).toBe(20);
  expect(await (await open(file)).findCards(['alice'])).toHaveLength(20);
});

const Reports = z
  .array(z.object({ applied: z.array(z.string()), added: z.int() }))
  .transform((reports) => ({
    applied: reports.flatMap(({ applied }) => applied),
    added: reports.reduce((sum, { added }) => sum + added, 0),
  }));

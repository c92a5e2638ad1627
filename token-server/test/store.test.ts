import { fork } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openStore, type NewCardRecord } from '../src/index.ts';
import { DATABASES, open } from './databases.ts';
import { afterTest, temporaryFolder } from './support.ts';

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

describe('a SQLite file', () => {
  test('is made with its folder, for nobody but their owner', async () => {
    const file = join(temporaryFolder(), 'deep', 'down', 'server.db');
    const store = await open(`sqlite:${file}`);
    await store.addAccount({ identity: 'alice', secretHash: 'hash', createdAt: 1 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700);
    expect(statSync(`${file}-wal`).mode & 0o777).toBe(0o600);
  });

  test('has a write-ahead log and checked references', async () => {
    const file = join(temporaryFolder(), 'server.db');
    const store = await open(`sqlite:${file}`);
    const database = new Database(file, { readonly: true });
    afterTest(() => {
      database.close();
    });
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
    await store.transaction((transaction) => transaction.addCard(card('a')));
    expect(database.pragma('foreign_key_check')).toEqual([]);
  });

  test('may be none at all', async () => {
    const store = await open('sqlite::memory:');
    await store.transaction((transaction) => transaction.addCard(card('a')));
    expect(await store.findCard('a')).toMatchObject({ id: 'a' });
  });
});

const MIGRATIONS = ['0001-accounts-and-cards', '0002-log', '0003-backups', '0004-rate-limits'];

describe.each(DATABASES)('$name', ({ create }) => {
  test('migrations are applied once', async () => {
    const url = await create();
    const first = await openStore(url);
    await first.store.close();
    expect(first.applied).toEqual(MIGRATIONS);
    const again = await openStore(url);
    await again.store.close();
    expect(again.applied).toEqual([]);
  });

  test('what is stored comes back, and null for what is not', async () => {
    const store = await open(await create());
    const account = { identity: 'é🦊', secretHash: 'hash', createdAt: 2 ** 45 };
    expect(await store.addAccount(account)).toBe(true);
    expect(await store.addAccount({ ...account, secretHash: 'other' })).toBe(false);
    expect(await store.findAccount('é🦊')).toEqual({ ...account, sessionVersion: 0 });
    expect(await store.findAccount('É🦊')).toBeNull();
    const { keys, ...stored } = card('a', { approvedAt: 2 ** 45, exported: 'é🦊' });
    await store.transaction((transaction) => transaction.addCard({ ...stored, keys }));
    const live = { ...stored, endedAt: null, revocation: null };
    expect(await store.findCard('a')).toEqual(live);
    expect(await store.findCard('A')).toBeNull();
    await store.transaction((transaction) => transaction.replaceExport('a', 'é🦊 2'));
    expect(await store.findCard('a')).toEqual({ ...live, exported: 'é🦊 2' });
    expect(await store.audit.cardsOf([])).toEqual([]);
    await expect(store.ping()).resolves.toBeUndefined();
  });

  test('identities that look the same are others', async () => {
    const store = await open(await create());
    const identities = ['ss', 'ß', 'SS', 'ﬀ', 'ff', 'a b', 'ab', 'ı', 'i', 'İ'];
    for (const identity of identities) {
      expect(await store.addAccount({ identity, secretHash: 'hash', createdAt: 1 })).toBe(true);
    }
    for (const identity of identities) {
      expect(await store.findAccount(identity)).toMatchObject({ identity });
    }
  });

  test('cards come in the order they were approved, then in that of the bytes of their ids', async () => {
    const store = await open(await create());
    const cards = [
      card('a', { approvedAt: 3 }),
      card('b', { approvedAt: 1 }),
      card('é', { approvedAt: 2 }),
      card('f', { approvedAt: 2 }),
      card('G', { approvedAt: 2 }),
    ];
    for (const each of cards) await store.transaction((transaction) => transaction.addCard(each));
    const found = await store.audit.cardsOf(['alice']);
    expect(found.map(({ id }) => id)).toEqual(['b', 'G', 'f', 'é', 'a']);
  });

  test('as many identities as a search may name can be asked for', async () => {
    const store = await open(await create());
    await store.transaction((transaction) => transaction.addCard(card('a')));
    const identities = [...Array.from({ length: 999 }, (_, index) => `p${index}`), 'alice'];
    expect(await store.audit.cardsOf(identities)).toHaveLength(1);
    expect(await store.log.entriesOf(identities, 1)).toEqual([]);
    expect(await store.log.measure(identities, 1)).toBe(0);
  });

  test('a transaction that fails leaves nothing behind', async () => {
    const store = await open(await create());
    const failed = store.transaction(async (transaction) => {
      await transaction.addCard(card('a'));
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    expect(await store.findCard('a')).toBeNull();
    // A key twice, against which the domain checks before: the card goes with it.
    await expect(
      store.transaction((transaction) => transaction.addCard(card('b', { keys: ['k', 'k'] }))),
    ).rejects.toThrow(/unique/i);
    expect(await store.findCard('b')).toBeNull();
  });

  test('nobody writes between what a transaction reads and what it writes', async () => {
    const store = await open(await create());
    const counts = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        store.transaction(async (transaction) => {
          const count = await transaction.countLiveCards('alice');
          await transaction.addCard(card(`card-${index}`));
          return count;
        }),
      ),
    );
    expect(counts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  test('servers that share a database take turns, from the first migration on', async () => {
    const url = await create();
    const limit = 20;
    const reports = await Promise.all(Array.from({ length: 3 }, () => runServer(url, limit)));
    expect(reports.flatMap(({ applied }) => applied)).toEqual(MIGRATIONS);
    expect(sum(reports.map(({ accounts }) => accounts))).toBe(2 * limit);
    expect(sum(reports.map(({ cards }) => cards))).toBe(limit);
    expect(await (await open(url)).audit.cardsOf(['alice'])).toHaveLength(limit);
  });
});

const Report = z.object({ applied: z.array(z.string()), accounts: z.int(), cards: z.int() });

/** Runs `store-worker.ts` in a process of its own. */
async function runServer(url: string, limit: number): Promise<z.output<typeof Report>> {
  const file = fileURLToPath(new URL('store-worker.ts', import.meta.url));
  const child = fork(file, [url, String(limit)], {
    execArgv: ['--conditions=twilio-chat-encryption-source'],
  });
  afterTest(() => {
    child.kill('SIGKILL');
  });
  const report = await new Promise<unknown>((resolve, reject) => {
    child.once('message', resolve);
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(new Error(`A server ended with ${code ?? 'a signal'} and no report`));
    });
  });
  return Report.parse(report);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

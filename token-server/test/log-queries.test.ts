/** What the log costs: how many queries and rows, whatever the machine. */
import { randomBytes } from 'node:crypto';
import { parseCardId, parseIdentity, type Identity } from 'twilio-chat-encryption/protocol';
import { expect, test } from 'vitest';
import { createKyselyStore } from '../src/store/kysely-store.ts';
import { migrate } from '../src/store/migrations.ts';
import { openSqlite, SQLITE_TEXT } from '../src/store/sqlite.ts';
import { counting } from './counting.ts';
import { createKeeper, lookUp, type Keeper } from './keeper.ts';
import { afterTest } from './support.ts';

// The same each time: how deep the map is depends on the log's key.
const seeds = { app: new Uint8Array(32).fill(1), log: new Uint8Array(32).fill(2) };
const person = (number: number): Identity => parseIdentity(`person ${number}`);

/** What something takes of a database. */
interface Cost {
  readonly queries: number;
  readonly rows: number;
}

/** A log of so many identities with an entry each, and what work takes on it. */
async function logOf(size: number) {
  const db = openSqlite(':memory:');
  afterTest(() => db.destroy());
  await migrate(db, SQLITE_TEXT);
  const counter = counting(db);
  const keeper = await createKeeper(createKyselyStore(counter.db), seeds);
  await append(keeper, 0, size);
  return {
    keeper,
    cost: async (work: (keeper: Keeper) => Promise<unknown>): Promise<Cost> => {
      // With a cache that is empty, as after a start.
      const fresh = await createKeeper(createKyselyStore(counter.db), seeds);
      const { queries, rows } = counter;
      await work(fresh);
      return { queries: counter.queries - queries, rows: counter.rows - rows };
    },
  };
}

async function append({ store, log }: Keeper, from: number, to: number): Promise<void> {
  await store.transaction(async (transaction) => {
    for (let index = from; index < to; index += 1) {
      const cardId = parseCardId(randomBytes(32).toString('hex'));
      const entry = { operation: 'approve', time: index, identity: person(index) } as const;
      await log.append(transaction.log, { ...entry, cardId, content: 'c' });
    }
  });
}

const few = Array.from({ length: 30 }, (_, index) => person(7 * index));
const many = Array.from({ length: 1000 }, (_, index) => person(index));

test('what is read grows with the logarithm of the log', async () => {
  for (const size of [64, 2048]) {
    const { cost } = await logOf(size);
    // One query for each level of the map, of which 32 times as many identities have five more, and
    // by chance some more.
    const levels = 2 * Math.log2(size) + 2;
    for (const identities of [few.slice(0, 1), few, many]) {
      const { queries, rows } = await cost(({ log }) => log.lookUp(identities, 3));
      expect(queries).toBeLessThanOrEqual(8 + levels);
      expect(rows).toBeLessThanOrEqual(4 + 3 * levels + identities.length * levels);
    }
    const edges: ((keeper: Keeper) => Promise<unknown>)[] = [
      ({ log }) => log.inclusion(5, size - 1),
      ({ log }) => log.consistency(5, size - 1),
    ];
    for (const edge of edges) {
      const { queries, rows } = await cost(edge);
      expect(queries).toBe(2);
      expect(rows).toBeLessThanOrEqual(levels);
    }
    // With the last entry, which says whose log it is.
    const head = await cost(({ log }) => log.head());
    expect(head.queries).toBe(2);
    expect(head.rows).toBeLessThanOrEqual(levels + 1);
    const entries = await cost(({ log }) => log.entries(0, 1000));
    expect(entries).toEqual({ queries: 1, rows: Math.min(size, 1000) });
    const appended = await cost((keeper) => append(keeper, size, size + 1));
    expect(appended.queries).toBeLessThanOrEqual(10 + levels);
    expect(appended.rows).toBeLessThanOrEqual(4 + 2 * levels);
  }
});

test('a proof at an earlier size takes what it took then, however long the log became', async () => {
  const [then, now] = [await logOf(64), await logOf(1024)];
  const proofs: ((keeper: Keeper) => Promise<unknown>)[] = [
    // Of the first and the last one of that size, and of somebody who came later.
    ...[0, 63, 64].map((number) => (keeper: Keeper) => keeper.log.lookUpAt(person(number), 64)),
    ...[0, 1, 33].map((size) => (keeper: Keeper) => keeper.log.lookUpAt(person(0), size)),
    ({ log }) => log.inclusion(5, 60),
    ({ log }) => log.consistency(5, 60),
  ];
  for (const proof of proofs) expect(await now.cost(proof)).toEqual(await then.cost(proof));
});

test('a server that was asked, or that appended, does not read the same nodes again', async () => {
  const { keeper, cost } = await logOf(512);
  const once = await cost(async ({ log }) => {
    await log.lookUp(few, 0);
  });
  const twice = await cost(async ({ log }) => {
    await log.lookUp(few, 0);
    await log.lookUp(few, 0);
  });
  // The last entry; and what the head and the inclusion take of the tree.
  expect(twice.queries - once.queries).toBe(2);
  await append(keeper, 512, 513);
  expect((await lookUp(keeper, [person(512)])).found[0]?.entries).toHaveLength(1);
});

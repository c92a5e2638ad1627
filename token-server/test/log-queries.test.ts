/** What the log costs: how many queries, whatever the machine. */
import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import { parseCardId, parseIdentity, type Identity } from 'twilio-chat-encryption/protocol';
import { expect, test } from 'vitest';
import { createKyselyStore } from '../src/store/kysely-store.ts';
import { migrate } from '../src/store/migrations.ts';
import type { Schema } from '../src/store/schema.ts';
import { openSqlite, SQLITE_TEXT } from '../src/store/sqlite.ts';
import { createKeeper, type Keeper } from './keeper.ts';
import { afterTest } from './support.ts';

// The same each time: how deep the map is depends on the log's key.
const seeds = { app: new Uint8Array(32).fill(1), log: new Uint8Array(32).fill(2) };
const person = (number: number): Identity => parseIdentity(`person ${number}`);

/** Counts what is sent to a database. */
function counting(db: Kysely<Schema>): { readonly db: Kysely<Schema>; count: number } {
  const counter = {
    count: 0,
    db: db.withPlugin({
      transformQuery({ node }) {
        counter.count += 1;
        return node;
      },
      transformResult: ({ result }) => Promise.resolve(result),
    }),
  };
  return counter;
}

/** A log of so many identities with an entry each, and how many queries work takes on it. */
async function logOf(size: number) {
  const db = openSqlite(':memory:');
  afterTest(() => db.destroy());
  await migrate(db, SQLITE_TEXT);
  const counter = counting(db);
  const keeper = await createKeeper(createKyselyStore(counter.db), seeds);
  await append(keeper, 0, size);
  return {
    keeper,
    queries: async (work: (keeper: Keeper) => Promise<unknown>): Promise<number> => {
      // With a cache that is empty, as after a start.
      const fresh = await createKeeper(createKyselyStore(counter.db), seeds);
      const before = counter.count;
      await work(fresh);
      return counter.count - before;
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

test('the number of queries grows with the logarithm of the log', async () => {
  const [small, large] = [await logOf(64), await logOf(2048)];
  const count = async (work: (keeper: Keeper) => Promise<unknown>): Promise<[number, number]> => [
    await small.queries(work),
    await large.queries(work),
  ];
  // One for each level of the map, of which 32 times as many identities have five more, and by chance
  // some more.
  for (const identities of [few.slice(0, 1), few, many]) {
    const [before, after] = await count(({ log }) => log.lookUp(identities, 3));
    expect(before).toBeLessThanOrEqual(8 + 2 * Math.log2(64) + 2);
    expect(after).toBeLessThanOrEqual(8 + 2 * Math.log2(2048) + 2);
  }
  expect(await count(({ log }) => log.inclusion(5, 60))).toEqual([2, 2]);
  expect(await count(({ log }) => log.consistency(5, 60))).toEqual([2, 2]);
  expect(await count(({ log }) => log.head())).toEqual([2, 2]);
  expect(await count(({ log }) => log.entries(0, 1000))).toEqual([1, 1]);
  const [, appended] = await count((keeper) => append(keeper, 2048, 2049));
  expect(appended).toBeLessThanOrEqual(10 + 2 * Math.log2(2048) + 2);
});

test('a server that was asked, or that appended, does not read the same nodes again', async () => {
  const { keeper, queries } = await logOf(512);
  const again = await queries(async (fresh) => {
    await fresh.log.lookUp(few, 0);
  });
  const both = await queries(async (fresh) => {
    await fresh.log.lookUp(few, 0);
    await fresh.log.lookUp(few, 0);
  });
  // The size, the head, the measure, the last entry, the entries and the inclusion.
  expect(both - again).toBe(6);
  await append(keeper, 512, 513);
  expect((await keeper.log.lookUp([person(512)], 0)).lookup.found[0]?.entries).toHaveLength(1);
});

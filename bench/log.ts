/**
 * What the token server's log costs as it grows, on SQLite and on PostgreSQL: fills one, and asks it
 * at each size. LONG=1 goes on to a million entries, which takes an hour and 20 GB of disk. Names of
 * databases choose among them: `node bench/log.ts sqlite`.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { curves, type Identity, type SigningKey } from 'twilio-chat-encryption/protocol';
import { KnownHeads } from '../token-server/src/domain/known-heads.ts';
import { auditLeaves } from '../token-server/src/domain/leaf-audit.ts';
import { createLog, type Log } from '../token-server/src/domain/log.ts';
import type { Store } from '../token-server/src/index.ts';
import { createKyselyStore } from '../token-server/src/store/kysely-store.ts';
import { migrate } from '../token-server/src/store/migrations.ts';
import { openPostgres, POSTGRES_TEXT } from '../token-server/src/store/postgres.ts';
import { openSqlite, SQLITE_TEXT } from '../token-server/src/store/sqlite.ts';
import { counting } from '../token-server/test/counting.ts';
import { startPostgres } from '../token-server/test/postgres-server.ts';
import { CONTENT, GrowingLog, newCard, person, type LogDatabase } from './growing-log.ts';

const SIZES = [10_000, 100_000, ...(process.env['LONG'] === '1' ? [1_000_000] : [])];
/** Most have some devices. */
const ENTRIES_EACH = 4;

/** A database to bench, and how to be rid of it. */
interface Bench {
  readonly name: string;
  readonly db: LogDatabase;
  readonly bytes: () => Promise<number>;
  readonly remove: () => Promise<void>;
}

async function benchSqlite(): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  const file = join(folder, 'server.db');
  const db = openSqlite(file);
  await migrate(db, SQLITE_TEXT);
  const remove = async (): Promise<void> => {
    await db.destroy();
    rmSync(folder, { recursive: true });
  };
  const bytes = (): Promise<number> => Promise.resolve(statSync(file).size);
  return { name: 'SQLite', db, bytes, remove };
}

async function benchPostgres(): Promise<Bench> {
  const server = await startPostgres();
  const db = await openPostgres(server.url, 'migrations');
  await migrate(db, POSTGRES_TEXT);
  const remove = async (): Promise<void> => {
    await db.destroy();
    await server.remove();
  };
  const bytes = async (): Promise<number> => {
    const { size } = await db
      .selectNoFrom(({ fn }) => fn<number>('pg_database_size', [fn('current_database')]).as('size'))
      .executeTakeFirstOrThrow();
    return size;
  };
  return { name: 'PostgreSQL', db, bytes, remove };
}

/** A server with its store. */
interface Server {
  readonly store: Store;
  readonly log: Log;
}

/** Something that is asked of a server when its log has so many entries. */
interface Question {
  readonly name: string;
  readonly runs: number;
  readonly ask: (server: Server, size: number) => Promise<unknown>;
}

const people = (size: number): number => size / ENTRIES_EACH;
const anybody = (size: number): Identity => person(randomInt(people(size)));
const anySize = (size: number): number => 1 + randomInt(size);

function lookup(count: number, runs: number): Question {
  return {
    name: `lookup of ${count}`,
    runs,
    ask: ({ log }, size) =>
      log.lookUp(
        Array.from({ length: count }, () => anybody(size)),
        anySize(size),
      ),
  };
}

const QUESTIONS: readonly Question[] = [
  { name: 'head', runs: 100, ask: ({ log }) => log.head() },
  lookup(1, 100),
  lookup(30, 100),
  lookup(1000, 10),
  {
    name: 'map proof at an early size',
    runs: 100,
    ask: ({ log }, size) => log.lookUpAt(anybody(size), anySize(size / 100)),
  },
  {
    name: 'map proof at any size',
    runs: 100,
    ask: ({ log }, size) => log.lookUpAt(anybody(size), anySize(size)),
  },
  {
    name: 'inclusion',
    runs: 100,
    ask({ log }, size) {
      const at = anySize(size);
      return log.inclusion(randomInt(at), at);
    },
  },
  {
    name: 'consistency',
    runs: 100,
    ask({ log }, size) {
      const to = anySize(size);
      return log.consistency(randomInt(to), to);
    },
  },
  {
    name: '1000 entries',
    runs: 10,
    ask({ log }, size) {
      const at = randomInt(size - 1000);
      return log.entries(at, at + 1000);
    },
  },
  // The last one: it changes the log.
  {
    name: 'append',
    runs: 100,
    ask: ({ store, log }, size) =>
      store.transaction((transaction) =>
        log.append(transaction.log, { ...newCard(), identity: anybody(size) }),
      ),
  },
];

/** What a question cost: medians, and the most of the queries and rows. */
interface Cost {
  readonly name: string;
  /** Milliseconds, of a server that was just started; of one that goes on; and its slowest. */
  readonly cold: number;
  readonly warm: number;
  readonly slowest: number;
  /** Of a server that was just started. */
  readonly queries: number;
  readonly rows: number;
}

async function measure(
  { name, runs, ask }: Question,
  { db, logKey, size }: { db: LogDatabase; logKey: SigningKey; size: number },
): Promise<Cost> {
  const counter = counting(db);
  const start = (): Server => {
    const store = createKyselyStore(counter.db);
    return { store, log: createLog({ log: store.log, logKey, now: Date.now }) };
  };
  const time = async (server: Server): Promise<number> => {
    const begin = performance.now();
    await ask(server, size);
    return performance.now() - begin;
  };
  const [cold, warm, queries, rows]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let run = 0; run < runs; run += 1) {
    const before = { ...counter };
    cold.push(await time(start()));
    queries.push(counter.queries - before.queries);
    rows.push(counter.rows - before.rows);
  }
  const server = start();
  for (let run = 0; run < runs; run += 1) warm.push(await time(server));
  return {
    name,
    cold: median(cold),
    warm: median(warm),
    slowest: Math.max(...warm),
    queries: Math.max(...queries),
    rows: Math.max(...rows),
  };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? 0;
}

function line(name: string, ...columns: readonly (number | string)[]): void {
  const texts = columns.map((column) =>
    typeof column === 'string' || Number.isInteger(column) ? `${column}` : column.toFixed(2),
  );
  console.log(name.padEnd(28), ...texts.map((text) => text.padStart(9)));
}

/** As somebody does who reads the whole log of a server. */
async function audit(log: Log, size: number): Promise<void> {
  const report = ({ where, what }: { where: string; what: string }): void => {
    console.log(where, what);
  };
  const start = performance.now();
  const heads = new KnownHeads([], report);
  await auditLeaves({ entries: log.entries, size, heads, report });
  line('an auditor, each entry', (performance.now() - start) / size);
  console.log(`with ${Math.round(process.memoryUsage().heapUsed / 2 ** 20)} MiB`);
}

/** Fills a log, and measures it at each size. */
async function grow(
  { name, db, bytes }: Bench,
  logKey: SigningKey,
): Promise<readonly (readonly Cost[])[]> {
  const growing = new GrowingLog(db, logKey.publicKey);
  const { log: reader } = createKyselyStore(db);
  const all: Cost[][] = [];
  for (const size of SIZES) {
    const [start, from] = [performance.now(), growing.size];
    await growing.growTo(size, () => anybody(size));
    const each = (performance.now() - start) / (size - from);
    const beside = Math.round((await bytes()) / size) - CONTENT.length;
    console.log(`\n${name}: ${size} entries about ${people(size)} people`);
    console.log(
      `${beside} bytes each beside their contents, filled in ${each.toFixed(2)} ms each\n`,
    );
    line('milliseconds', 'cold', 'warm', 'slowest', 'queries', 'rows');
    const costs: Cost[] = [];
    for (const question of QUESTIONS) {
      const cost = await measure(question, { db, logKey, size });
      line(cost.name, cost.cold, cost.warm, cost.slowest, cost.queries, cost.rows);
      costs.push(cost);
    }
    for (const { entry } of await reader.range(growing.size, await reader.size())) {
      await growing.follow(entry);
    }
    all.push(costs);
  }
  return all;
}

async function run(bench: Bench): Promise<void> {
  const { name, db, remove } = bench;
  try {
    const logKey = await (await curves()).importSigningKey(Uint8Array.from(randomBytes(32)));
    printGrowth(name, await grow(bench, logKey));
    const { log } = createKyselyStore(db);
    await audit(createLog({ log, logKey, now: Date.now }), await log.size());
  } finally {
    await remove();
  }
}

/** How many times as much each cost is as at the smallest size. */
function printGrowth(name: string, all: readonly (readonly Cost[])[]): void {
  console.log(`\n${name}: from ${SIZES.join(' to ')} entries, times as much\n`);
  line('', ...SIZES.slice(1).flatMap(() => ['cold', 'warm', 'rows']));
  const [first = [], ...later] = all;
  for (const [index, one] of first.entries()) {
    const ratios = later.flatMap((costs) => {
      const other = costs[index] ?? one;
      return [other.cold / one.cold, other.warm / one.warm, other.rows / one.rows];
    });
    line(one.name, ...ratios.map((ratio) => ratio.toFixed(2)));
  }
  console.log();
}

const BENCHES = { sqlite: benchSqlite, postgres: benchPostgres };
const chosen = process.argv.slice(2);
for (const [name, make] of Object.entries(BENCHES)) {
  if (chosen.length === 0 || chosen.includes(name)) await run(await make());
}

/**
 * What the token server's log costs as it grows: fills one with cheap contents directly through the
 * domain, and then asks at random sizes. LONG=1 fills it with a million entries.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { curves, parseCardId, parseIdentity, type Identity } from 'twilio-chat-encryption/protocol';
import { KnownHeads } from '../token-server/src/domain/known-heads.ts';
import { auditLeaves } from '../token-server/src/domain/leaf-audit.ts';
import { createLog, type Log } from '../token-server/src/domain/log.ts';
import { openStore, type Store } from '../token-server/src/index.ts';

const ENTRIES = process.env['LONG'] === '1' ? 1_000_000 : 100_000;
/** Most have some devices. */
const PEOPLE = ENTRIES / 4;
const BATCH = 1000;
const CONTENT = 'c'.repeat(1000);

const person = (number: number): Identity => parseIdentity(`person ${number}`);

async function fill(store: Store, log: Log): Promise<void> {
  for (let start = 0; start < ENTRIES; start += BATCH) {
    await store.transaction(async (transaction) => {
      for (let index = start; index < start + BATCH; index += 1) {
        await log.append(transaction.log, {
          operation: 'approve',
          time: index,
          identity: person(randomInt(PEOPLE)),
          cardId: parseCardId(randomBytes(32).toString('hex')),
          content: CONTENT,
        });
      }
    });
    // The driver never waits: what it leaves behind would be cleared away while something is measured.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Prints the median and the slowest of some runs, in milliseconds. */
async function measure(name: string, runs: number, work: () => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  times.sort((one, other) => one - other);
  const [median = 0, slowest = 0] = [times[runs >> 1], times.at(-1)];
  print(name, median, slowest);
}

function print(name: string, ...milliseconds: readonly number[]): void {
  const columns = milliseconds.map((number) => number.toFixed(2).padStart(10));
  console.log(name.padEnd(28), ...columns);
}

/** As somebody does who reads the whole log of a server. */
async function audit(log: Log): Promise<void> {
  const report = ({ where, what }: { where: string; what: string }): void => {
    console.log(where, what);
  };
  const start = performance.now();
  const heads = new KnownHeads([], report);
  await auditLeaves({ entries: log.entries, size: ENTRIES, heads, report });
  print('an auditor, each entry', (performance.now() - start) / ENTRIES);
  console.log(`with ${Math.round(process.memoryUsage().heapUsed / 2 ** 20)} MiB`);
}

const folder = mkdtempSync(join(tmpdir(), 'log-'));
const file = join(folder, 'server.db');
const { store } = await openStore(`sqlite:${file}`);
const logKey = await (await curves()).importSigningKey(Uint8Array.from(randomBytes(32)));
const log = createLog({ log: store.log, logKey, now: Date.now });
try {
  const start = performance.now();
  await fill(store, log);
  const each = (performance.now() - start) / ENTRIES;
  console.log(`${ENTRIES} entries about ${PEOPLE} people, ${each.toFixed(2)} ms each`);
  const bytes = statSync(file).size / ENTRIES - CONTENT.length;
  console.log(`${Math.round(bytes)} bytes each beside their contents\n`);
  console.log(`milliseconds                     median    slowest`);
  const some = (count: number): Identity[] =>
    Array.from({ length: count }, () => person(randomInt(PEOPLE)));
  await measure('head', 100, () => log.head());
  await measure('lookup of 1', 100, () => log.lookUp(some(1), 1 + randomInt(ENTRIES)));
  await measure('lookup of 30', 100, () => log.lookUp(some(30), 1 + randomInt(ENTRIES)));
  await measure('lookup of 1000', 20, () => log.lookUp(some(1000), 1 + randomInt(ENTRIES)));
  await measure('lookup of 1, at any size', 100, () =>
    log.lookUpAt(person(randomInt(PEOPLE)), randomInt(ENTRIES)),
  );
  await measure('inclusion', 100, () => {
    const size = 1 + randomInt(ENTRIES);
    return log.inclusion(randomInt(size), size);
  });
  await measure('consistency', 100, () => {
    const to = 1 + randomInt(ENTRIES);
    return log.consistency(randomInt(to), to);
  });
  await measure('1000 entries', 20, () => {
    const at = randomInt(ENTRIES - 1000);
    return log.entries(at, at + 1000);
  });
  await audit(log);
} finally {
  await store.close();
  rmSync(folder, { recursive: true });
}

/** Servers that are killed in the middle of something. */
import { randomInt } from 'node:crypto';
import { describe, expect, inject, test } from 'vitest';
import { DATABASES, open } from './databases.ts';
import { createKeeper, createSeeds, findingsOf } from './keeper.ts';
import { expectKept, startWorker, type Acknowledged } from './log-workers.ts';

const isLong = inject('longRuns');
/** With two servers each. */
const ROUNDS = 3;
const HISTORIES = isLong ? 170 : 1;

describe.each(DATABASES)('$name', ({ create }) => {
  test(
    'has all that was acknowledged, and nothing half, whenever servers are killed',
    { timeout: isLong ? 7_200_000 : 90_000 },
    async () => {
      for (let history = 0; history < HISTORIES; history += 1) {
        const url = await create();
        const seeds = createSeeds();
        const keeper = await createKeeper(await open(url), seeds);
        const acknowledged: Acknowledged[] = [];
        for (let round = 0; round < ROUNDS; round += 1) {
          const workers = ['a', 'b'].map((prefix) =>
            startWorker(url, seeds, `${prefix} ${round}`, 1_000_000),
          );
          await Promise.all(workers.map(({ begun }) => begun));
          for (const worker of workers) {
            await new Promise((resolve) => setTimeout(resolve, randomInt(100)));
            worker.kill();
          }
          expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual([
            'SIGKILL',
            'SIGKILL',
          ]);
          acknowledged.push(...workers.flatMap((worker) => worker.acknowledged));
          expect(await findingsOf(keeper)).toEqual([]);
          await expectKept(keeper, acknowledged);
        }
        expect(acknowledged.length).toBeGreaterThanOrEqual(2 * ROUNDS);
      }
    },
  );
});

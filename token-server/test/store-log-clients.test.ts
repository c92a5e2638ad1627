/** Many clients at once, on two servers with one database that are stopped and killed meanwhile. */
import fc from 'fast-check';
import { describe, inject, test } from 'vitest';
import { DATABASES } from './databases.ts';
import { plans } from './log-plans.ts';
import { World } from './log-world.ts';

const isLong = inject('longRuns');

describe.each(DATABASES)('$name', ({ create }) => {
  test(
    'everybody is shown one log with all that anybody was told, whichever server restarts',
    { timeout: isLong ? 7_200_000 : 90_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(plans, async (plan) => World.run(await create(), plan)),
        // A smaller plan would have another course, and most likely no fault.
        { endOnFailure: true, ...(isLong ? { numRuns: 500 } : { numRuns: 2, seed: 2024 }) },
      );
    },
  );
});

/**
 * People talk while Twilio does to their messages whatever it can: random schedules, checked after
 * each step. `SEED=7 SEEDS=1 STEPS=40` runs one again; with `SHRINK=1` it is made smaller.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { attackedSchedule, honestSchedule, type Step } from '../simulator/schedule.ts';
import { simulate } from '../simulator/run.ts';
import { startWorld } from './world.ts';

const isLong = inject('longRuns');
const { SEED, SEEDS, STEPS, SHRINK } = process.env;
const LENGTH = Number(STEPS ?? (isLong ? 60 : 40));
const PATIENCE = SHRINK === undefined ? 240_000 : 3_600_000;

function seeds(few: number, many: number): number[] {
  const count = Number(SEEDS ?? (isLong ? many : few));
  return Array.from({ length: count }, (_, at) => Number(SEED ?? 1) + at);
}

async function holds(
  schedule: fc.Arbitrary<Step[]>,
  seed: number,
  course: Parameters<typeof simulate>[2],
): Promise<void> {
  const property = fc.asyncProperty(schedule, async (steps) => {
    const world = await startWorld();
    try {
      await simulate(world, steps, course);
    } finally {
      await world.close();
    }
  });
  const endOnFailure = SHRINK === undefined;
  await fc.assert(property, { seed, numRuns: 1, unbiased: true, endOnFailure });
}

describe('when nobody tampers with anything', () => {
  const seen = new Map<string, number>();

  test.each(seeds(1, 50))(
    'everything is shown once and in order: seed %i',
    (seed) => holds(honestSchedule(LENGTH), seed, { honest: true, seen }),
    PATIENCE,
  );
});

describe('whatever Twilio does', () => {
  const seen = new Map<string, number>();

  test.each(seeds(3, 150))(
    'nobody is shown what was not sent so: seed %i',
    (seed) => holds(attackedSchedule(LENGTH), seed, { honest: false, seen }),
    PATIENCE,
  );

  // A run that attacks nothing proves nothing.
  afterAll(() => {
    if (isLong) console.log(Object.fromEntries(seen));
    expect([...seen.keys()]).toEqual(expect.arrayContaining(['verified', 'hidden']));
  });
});

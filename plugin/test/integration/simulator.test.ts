/**
 * People talk while Twilio does to their messages whatever it can: random schedules, checked after
 * each step. `SEED=7 SEEDS=1 STEPS=40` runs one again; with `SHRINK=1` it is made smaller.
 */
import fc from 'fast-check';
import { describe, expect, inject, test } from 'vitest';
import { attackedSchedule, everyAttack, honestSchedule, type Step } from '../simulator/schedule.ts';
import { simulate } from '../simulator/run.ts';
import { startWorld } from './world.ts';

const isLong = inject('longRuns');
const { SEED, SEEDS, STEPS, SHRINK } = process.env;
const LENGTH = Number(STEPS ?? (isLong ? 60 : 30));
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
  const course = { honest: false, seen };

  test(
    'each attack alone leads to what it has to lead to',
    async () => {
      await holds(fc.constant(everyAttack()), 0, course);
      // A run that attacks nothing proves nothing.
      const outcomes = [
        ...['verified', 'hidden', 'PLAINTEXT', 'MALFORMED', 'UNSUPPORTED_VERSION'],
        ...['BAD_SIGNATURE', 'WRONG_CHANNEL', 'WRONG_AUTHOR', 'REPLAYED', 'SENT_BEFORE_JOIN'],
        ...['DECRYPTION_FAILED', 'GAP', 'ROLLED_BACK', 'CLOCK_SKEW'],
      ];
      expect(outcomes.filter((outcome) => !seen.has(outcome))).toEqual([]);
    },
    PATIENCE,
  );

  test.each(seeds(1, 150))(
    'nobody is shown what was not sent so: seed %i',
    (seed) => holds(attackedSchedule(LENGTH), seed, course),
    PATIENCE,
  );
});

/**
 * People write, read, change their keys and their devices, while the server lies at random: what must hold
 * holds after each step. `SEED=7 RUNS=1` runs one again.
 */
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, expect, inject, test, vi } from 'vitest';
import { later } from './server.ts';
import { LIES, NAMES, Simulation, type Step } from './simulation.ts';

const isLong = inject('longRuns');
const { SEED, RUNS } = process.env;

const who = fc.constantFrom(...NAMES);
const act = <Do extends Step['do']>(...what: readonly Do[]) => fc.constantFrom(...what);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: act('send', 'read', 'look'), who }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: act('restart', 'rotate', 'add', 'revoke', 'meet'), who }),
  },
  { weight: 5, arbitrary: fc.record({ do: act('wait'), minutes: fc.constantFrom(1, 6, 6) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: act('plant'),
      about: who,
      for: fc.oneof(who, fc.constant('all' as const)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: act('write'), to: who }) },
  { weight: 1, arbitrary: fc.record({ do: act('freeze'), who }) },
  { weight: 4, arbitrary: fc.record({ do: act('lie'), to: who, which: fc.constantFrom(...LIES) }) },
  { weight: 4, arbitrary: fc.record({ do: act('repent') }) },
);

const seen = new Map<string, number>();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
});

afterEach(() => {
  vi.useRealTimers();
});

async function holds(steps: readonly Step[]): Promise<void> {
  const simulation = await Simulation.start(seen);
  for (const one of steps) {
    await simulation.run(one);
    expect(simulation.problems).toEqual([]);
  }
  await simulation.end();
  expect(simulation.problems).toEqual([]);
}

test('whatever the server says, nothing is encrypted for its cards, and all goes on when it is honest', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 30 }), holds), {
    seed: Number(SEED ?? 1),
    numRuns: Number(RUNS ?? (isLong ? 300 : 4)),
    endOnFailure: !isLong,
  });
}, 3_600_000);

test('a message for a planted card, and one that nobody was told of, are noticed', async () => {
  const simulation = await Simulation.start(new Map());
  await simulation.run({ do: 'plant', about: 'bob', for: 'all' });
  later();
  const { device, heard } = simulation.person('alice');
  await simulation.run({ do: 'look', who: 'alice' });
  expect(simulation.problems).toEqual([]);
  await device.acknowledge('bob', heard.keyChanged[0]?.cardIds ?? []);
  heard.keyChanged.length = 0;
  await simulation.run({ do: 'look', who: 'alice' });
  await simulation.run({ do: 'send', who: 'alice' });
  expect(simulation.problems).toEqual([
    'alice trusts a planted card of bob',
    'alice was not told of bob',
    'alice encrypted for a planted card of bob',
  ]);
});

// A run that lies about nothing, or of which nothing comes, proves nothing. What depends on the keys, which
// are others each time, is not among these.
afterAll(() => {
  const outcomes = ['send', 'look', 'a planted card', 'pinned'];
  if (SEED === undefined) expect(outcomes.filter((one) => !seen.has(one))).toEqual([]);
});

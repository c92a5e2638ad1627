/** Made-up courses of events, for people who use two servers at once. */
import fc from 'fast-check';

/** Whose each client is. With eight actions each, nobody comes to have too many devices. */
export const CLIENTS: readonly number[] = [0, 0, 1, 1, 2, 2];

const KINDS = [
  'publish',
  'rotate',
  'endorse',
  'endorse later',
  'revoke',
  'revoke as app',
  'look back',
] as const;

const action = fc.record({
  kind: fc.constantFrom(...KINDS),
  server: fc.nat(1),
  /** Which of somebody's devices it is about, and which one does it. */
  one: fc.nat(),
  other: fc.nat(),
  reason: fc.oneof(
    fc.constant({ reason: 'retired' } as const),
    fc.record({ reason: fc.constant('compromised' as const), since: fc.nat(6) }),
  ),
});

const restart = fc.record({
  server: fc.nat(1),
  /** So many actions of all clients before it. */
  after: fc.integer({ min: 1, max: 35 }),
  signal: fc.constantFrom('SIGTERM', 'SIGKILL'),
});

/** What people do at once, each at his client, and what happens to the servers meanwhile. */
export const plans = fc.record({
  scripts: fc.tuple(...CLIENTS.map(() => fc.array(action, { minLength: 6, maxLength: 8 }))),
  restarts: fc.array(restart, { minLength: 1, maxLength: 3 }),
});

/** What somebody does at his client. */
export type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;
/** What happens to a server. */
export type Restart = typeof restart extends fc.Arbitrary<infer T> ? T : never;
/** All of it. */
export type Plan = typeof plans extends fc.Arbitrary<infer T> ? T : never;

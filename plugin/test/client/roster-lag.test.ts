/** Members and messages come on two streams: who joined before a message may be seen after it. */
import { describe, expect, test } from 'vitest';
import type { DeliveredMessage } from '../../src/client/delivered.ts';
import { countedByRoster } from '../../src/client/roster-lag.ts';

/** A message for three people, in a channel whose members join one by one. */
function channel(isLive = true) {
  let members = 1;
  const listeners = new Set<() => void>();
  const delivered: Pick<DeliveredMessage, 'isLive' | 'watchJoins'> = {
    isLive,
    watchJoins(told) {
      listeners.add(told);
      return () => listeners.delete(told);
    },
  };
  return {
    delivered,
    listeners,
    count: () => Promise.resolve(3 - members),
    join: () => {
      members += 1;
      for (const told of listeners) told();
    },
  };
}

describe('those for whom a live message is', () => {
  test('are nobody’s while some are still to be seen to join, and no longer than that', async () => {
    const { delivered, listeners, count, join } = channel();
    const counted = countedByRoster(delivered, count);
    join();
    join();
    expect(await counted).toBe(0);
    expect(listeners.size).toBe(0);
  });

  test('are counted when nobody joins', async () => {
    const { delivered, listeners, count, join } = channel();
    const counted = countedByRoster(delivered, count);
    join();
    expect(await counted).toBe(1);
    expect(listeners.size).toBe(0);
  });

  test('of another message are not asked about', async () => {
    const { delivered, listeners, count } = channel(false);
    expect(await countedByRoster(delivered, count)).toBe(0);
    expect(listeners.size).toBe(0);
  });
});

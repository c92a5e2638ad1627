import {
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRes,
  type RateLimiterAbstract,
} from 'rate-limiter-flexible';
import { ServerError } from '../domain/errors.ts';
import type { SharedCounts } from '../domain/shared-counts.ts';

/** So many in so many seconds. */
export interface RateLimit {
  readonly points: number;
  readonly seconds: number;
}

/** A counter for each key. */
export interface Limiter {
  /**
   * Counts one use.
   *
   * @throws ServerError `RATE_LIMITED` when the key has used up its points
   */
  consume(key: string): Promise<void>;
  /** Takes one use back. */
  giveBack(key: string): Promise<void>;
  /** Forgets all uses. */
  reset(key: string): Promise<void>;
}

/** Counts in the memory of this server. */
export function createLocalLimiter({ points, seconds }: RateLimit): Limiter {
  return limiterOf(new RateLimiterMemory({ points, duration: seconds }));
}

/**
 * Counts in the database, together with its other servers. While that does not answer, in memory: then
 * whoever guesses has at most as many tries at each server, and who has the right secret gets in
 * where reading still works, as after a failover to a host that is read-only for a while.
 *
 * @param name - tells its keys from those of other limiters
 */
export function createSharedLimiter(name: string, limit: RateLimit, counts: SharedCounts): Limiter {
  const { points, seconds } = limit;
  const shared = limiterOf(
    new RateLimiterPostgres({
      storeClient: counts,
      storeType: 'client',
      tableName: 'rate_limits',
      // Our migrations made it, and `sweep` empties it.
      tableCreated: true,
      clearExpiredByTimeout: false,
      keyPrefix: name,
      points,
      duration: seconds,
    }),
  );
  const local = createLocalLimiter(limit);
  return {
    consume: (key) => unlessUnavailable(shared, local, (each) => each.consume(key)),
    giveBack: (key) => unlessUnavailable(shared, local, (each) => each.giveBack(key)),
    reset: (key) => unlessUnavailable(shared, local, (each) => each.reset(key)),
  };
}

/** Deletes, from time to time, the counts that are over. The result ends it. */
export function sweep(counts: SharedCounts, now: () => number, interval = 300_000): () => void {
  const timer = setInterval(() => {
    // What stays because the database does not answer goes the next time.
    counts.deleteExpired(now()).catch(() => undefined);
  }, interval);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

// The library's own `insuranceLimiter` takes every failure for an outage, defects of ours as well.
async function unlessUnavailable(
  shared: Limiter,
  local: Limiter,
  count: (limiter: Limiter) => Promise<void>,
): Promise<void> {
  try {
    await count(shared);
  } catch (error) {
    if (!(error instanceof ServerError) || error.code !== 'UNAVAILABLE') throw error;
    await count(local);
  }
}

function limiterOf(limiter: RateLimiterAbstract): Limiter {
  return {
    async consume(key) {
      try {
        await limiter.consume(key);
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        const retryAfter = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
        throw new ServerError('RATE_LIMITED', 'Too many requests. Wait a while.', { retryAfter });
      }
    },
    async giveBack(key) {
      await limiter.reward(key);
    },
    async reset(key) {
      await limiter.delete(key);
    },
  };
}

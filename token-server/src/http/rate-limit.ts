import { isIPv6 } from 'node:net';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { ServerError } from '../domain/errors.ts';

/** So many in so many seconds. */
export interface RateLimit {
  readonly points: number;
  readonly seconds: number;
}

/** All limits of the server. Those of sign-in slow down guessing, whoever it comes from. */
export interface RateLimits {
  /** Requests to one route from one address. */
  readonly routeByAddress: RateLimit;
  /** Requests to one route under one session's identity. */
  readonly routeByIdentity: RateLimit;
  /** Accounts made from one address. */
  readonly signUpByAddress: RateLimit;
  /** Attempts to sign in from one address, whatever the identity. */
  readonly signInByAddress: RateLimit;
  /** Failed attempts for one identity from one address. */
  readonly signInByPair: RateLimit;
  /**
   * Failed attempts for one identity from anywhere. Wide, because whoever exhausts it keeps the
   * owner out as well.
   */
  readonly signInByIdentity: RateLimit;
}

/** What a server uses unless it is told otherwise. */
export const DEFAULT_RATE_LIMITS: RateLimits = {
  routeByAddress: { points: 600, seconds: 60 },
  routeByIdentity: { points: 120, seconds: 60 },
  signUpByAddress: { points: 60, seconds: 3600 },
  signInByAddress: { points: 60, seconds: 60 },
  signInByPair: { points: 10, seconds: 900 },
  signInByIdentity: { points: 100, seconds: 3600 },
};

/** A counter for each key, in memory. */
interface Limiter {
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

/** One limiter for each limit. */
export type Limiters = Readonly<Record<keyof RateLimits, Limiter>>;

/** Makes the limiters of one server. */
export function createLimiters(limits: RateLimits): Limiters {
  return {
    routeByAddress: createLimiter(limits.routeByAddress),
    routeByIdentity: createLimiter(limits.routeByIdentity),
    signUpByAddress: createLimiter(limits.signUpByAddress),
    signInByAddress: createLimiter(limits.signInByAddress),
    signInByPair: createLimiter(limits.signInByPair),
    signInByIdentity: createLimiter(limits.signInByIdentity),
  };
}

function createLimiter({ points, seconds }: RateLimit): Limiter {
  const limiter = new RateLimiterMemory({ points, duration: seconds });
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

/**
 * Whom an address is counted as. One IPv6 subscriber has a /64 at least, and could otherwise come
 * from a new address each time.
 */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%', 1).join('').split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - groups.length - last.length;
  const whole = [...groups, ...Array<string>(Math.max(0, zeros)).fill('0'), ...last];
  const prefix = whole.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${prefix.join(':')}::/64`;
}

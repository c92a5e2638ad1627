import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
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
 * Whom a request is counted as: its client's address as a proxy tells it, or that of the socket
 * when what the proxy passed on is no address. One IPv6 subscriber has a /64 at least, and could
 * otherwise come from a new address each time; ports and zones change as easily.
 */
export function addressKey(told: string | undefined, socketAddress: string | undefined): string {
  return countedAddress(told ?? '') ?? countedAddress(socketAddress ?? '') ?? 'unknown';
}

function countedAddress(text: string): string | null {
  const bare =
    /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  // The library also reads octal and short forms; what Node does not take is no address.
  if (isIP(bare) === 0) return null;
  const address = ipaddr.process(bare);
  if (address instanceof ipaddr.IPv4) return address.toString();
  return `${new ipaddr.IPv6([...address.parts.slice(0, 4), 0, 0, 0, 0]).toString()}/64`;
}

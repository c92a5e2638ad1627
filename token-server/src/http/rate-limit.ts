import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { SharedCounts } from '../domain/shared-counts.ts';
import {
  createLocalLimiter,
  createSharedLimiter,
  type Limiter,
  type RateLimit,
} from './limiter.ts';

/** All limits of the server. Those of sign-in slow down guessing, whoever it comes from. */
export interface RateLimits {
  /** Requests to one route from one address. */
  readonly routeByAddress: RateLimit;
  /** Requests to one route under one session's identity, where they only read. */
  readonly routeByIdentity: RateLimit;
  /** Requests to one route under one session's identity, where they change something. */
  readonly changeByIdentity: RateLimit;
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
  changeByIdentity: { points: 120, seconds: 60 },
  signUpByAddress: { points: 60, seconds: 3600 },
  signInByAddress: { points: 60, seconds: 60 },
  signInByPair: { points: 10, seconds: 900 },
  signInByIdentity: { points: 100, seconds: 3600 },
};

/** One limiter for each limit. */
export type Limiters = Readonly<Record<keyof RateLimits, Limiter>>;

/**
 * Makes the limiters of one server. What costs the database anyway is counted there, for all servers:
 * guessing a secret and what changes something. Reading, the hot part, is counted in memory, and so
 * are addresses on their way to any route: a flood of requests is none of writes.
 *
 * @param counts - where servers count together; without it, each counts for itself
 */
export function createLimiters(limits: RateLimits, counts?: SharedCounts): Limiters {
  const shared = (name: keyof RateLimits): Limiter =>
    counts === undefined
      ? createLocalLimiter(limits[name])
      : createSharedLimiter(name, limits[name], counts);
  return {
    routeByAddress: createLocalLimiter(limits.routeByAddress),
    routeByIdentity: createLocalLimiter(limits.routeByIdentity),
    changeByIdentity: shared('changeByIdentity'),
    signUpByAddress: shared('signUpByAddress'),
    signInByAddress: shared('signInByAddress'),
    signInByPair: shared('signInByPair'),
    signInByIdentity: shared('signInByIdentity'),
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
  // Where servers have IPv6 only, all clients with IPv4 come from one /64 (RFC 6052, RFC 7755).
  if (address.range() === 'rfc6052')
    return new ipaddr.IPv4(address.toByteArray().slice(12)).toString();
  return `${new ipaddr.IPv6([...address.parts.slice(0, 4), 0, 0, 0, 0]).toString()}/64`;
}

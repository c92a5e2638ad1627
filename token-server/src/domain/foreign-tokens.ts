import type { KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { Identity } from 'twilio-chat-encryption/protocol';
import { z } from 'zod';
import { ServerError } from './errors.ts';
import { isIdentity } from './identity.ts';
import type { KeySet } from './key-set.ts';

const { JsonWebTokenError, TokenExpiredError } = jwt;

/** Algorithms whose keys only check. With others, whoever can check a token can make one. */
export const ASYMMETRIC_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
] as const;

/** What a token has to be to count here. */
export interface TokenRules {
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly (typeof ASYMMETRIC_ALGORITHMS)[number][];
  /** The claim that says who somebody is in the chat. */
  readonly identityClaim: string;
}

/** Parts that a reader is made of. */
export interface TokenReaderParts {
  readonly rules: TokenRules;
  readonly keys: KeySet;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Seconds by which the issuer's clock and ours may differ. */
const CLOCK_TOLERANCE = 30;
/** Longer ones do not fit into a header of Node's 16 KiB beside others. */
const MAX_LENGTH = 8192;

const Claims = z.record(z.string(), z.unknown());

/**
 * Reads the tokens that the application's own sign-in issues (RFC 7519, as RFC 8725 advises). Keys are
 * those of the key set and nothing else: whatever a header says of others (`jwk`, `jku`, `x5c`, `x5u`)
 * is not looked at.
 *
 * @returns who the token says somebody is. Rejects with ServerError `SESSION_INVALID`,
 *   `SESSION_EXPIRED`, `INVALID_IDENTITY`, or `UNAVAILABLE` when the keys cannot be had
 */
export function createTokenReader(parts: TokenReaderParts): (token: string) => Promise<Identity> {
  const { rules, keys, now } = parts;
  const Header = z.object({
    alg: z.enum(rules.algorithms),
    kid: z.string().max(256).optional(),
    // What a token says must be understood, and is not: the library takes no notice of it.
    crit: z.never().optional(),
  });

  return async (token) => {
    if (token.length > MAX_LENGTH) throw invalid();
    const header = Header.safeParse(headerOf(token));
    if (!header.success) throw invalid();
    const { kid, alg } = header.data;
    const key = await keys.find(kid, alg);
    if (key === null) throw invalid();
    const claims = Claims.safeParse(verified(token, key, rules, now()));
    // Without an end, a token that got lost would be good for ever.
    if (!claims.success || claims.data['exp'] === undefined) throw invalid();
    return identityIn(claims.data, rules.identityClaim);
  };
}

function headerOf(token: string): unknown {
  try {
    return jwt.decode(token, { complete: true })?.header;
  } catch (error) {
    // Parts that are no JSON.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function verified(token: string, key: KeyObject, rules: TokenRules, now: number): unknown {
  try {
    return jwt.verify(token, key, {
      algorithms: [...rules.algorithms],
      issuer: rules.issuer,
      audience: rules.audience,
      clockTimestamp: Math.floor(now / 1000),
      clockTolerance: CLOCK_TOLERANCE,
    });
  } catch (error) {
    if (error instanceof TokenExpiredError) {
      throw new ServerError('SESSION_EXPIRED', 'The token has ended. Sign in again.');
    }
    if (error instanceof JsonWebTokenError) throw invalid();
    throw error;
  }
}

function identityIn(claims: Record<string, unknown>, name: string): Identity {
  // An object of JSON has names of its own only; `constructor` would be one that it inherits.
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (typeof value === 'string' && isIdentity(value)) return value;
  // Not the value: it is of somebody, and may be no text at all.
  throw new ServerError('INVALID_IDENTITY', `The claim "${name}" of the token is no identity.`);
}

function invalid(): ServerError {
  return new ServerError('SESSION_INVALID', 'The token is not valid here. Sign in again.');
}

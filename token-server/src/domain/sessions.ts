import { createSecretKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { Identity } from 'twilio-chat-encryption/protocol';
import { z } from 'zod';
import { ServerError } from './errors.ts';
import { isIdentity } from './identity.ts';
import { SESSION_LIFETIME } from './limits.ts';

const { JsonWebTokenError, TokenExpiredError } = jwt;

const ISSUER = 'twilio-chat-encryption-server';
// No other token of this server or of Twilio has this audience, whatever key signs it.
const AUDIENCE = 'twilio-chat-encryption-session';
const ALGORITHM = 'HS256';

const Claims = z.strictObject({
  iss: z.literal(ISSUER),
  aud: z.literal(AUDIENCE),
  sub: z.string(),
  iat: z.int(),
  exp: z.int(),
});

/** A session token for a client to keep. */
interface IssuedSession {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Signed, stateless proof of who somebody signed in as. */
export interface Sessions {
  /** Makes a token for somebody whose secret was checked. */
  issue(identity: Identity): IssuedSession;
  /**
   * Whose session a token is.
   *
   * @throws ServerError `SESSION_INVALID` or `SESSION_EXPIRED`
   */
  verify(token: string): Identity;
}

/**
 * Makes the sessions.
 *
 * @param secret - at least 32 bytes
 * @param now - milliseconds since 1970
 */
export function createSessions(secret: Uint8Array, now: () => number): Sessions {
  const key = createSecretKey(secret);
  const seconds = () => Math.floor(now() / 1000);

  return {
    issue(identity) {
      const iat = seconds();
      const exp = iat + SESSION_LIFETIME / 1000;
      const claims = { iss: ISSUER, aud: AUDIENCE, sub: identity, iat, exp };
      const token = jwt.sign(claims, key, { algorithm: ALGORITHM });
      return { token, expiresAt: exp * 1000 };
    },

    verify(token) {
      const claims = Claims.safeParse(verified(token, key, seconds()));
      if (!claims.success) throw invalid();
      const { sub, iat, exp } = claims.data;
      if (exp - iat > SESSION_LIFETIME / 1000 || iat > seconds() + 60) throw invalid();
      if (!isIdentity(sub)) throw invalid();
      return sub;
    },
  };
}

function verified(token: string, key: jwt.Secret, clockTimestamp: number): unknown {
  try {
    return jwt.verify(token, key, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      clockTimestamp,
    });
  } catch (error) {
    if (error instanceof TokenExpiredError) {
      throw new ServerError('SESSION_EXPIRED', 'The session has ended. Sign in again.');
    }
    // SyntaxError: a token whose parts are not JSON.
    if (error instanceof JsonWebTokenError || error instanceof SyntaxError) throw invalid();
    throw error;
  }
}

function invalid(): ServerError {
  return new ServerError('SESSION_INVALID', 'The session token is not valid here. Sign in again.');
}

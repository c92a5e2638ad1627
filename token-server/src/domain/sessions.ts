import { createSecretKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { Identity } from 'twilio-chat-encryption/protocol';
import { z } from 'zod';
import type { AccountRecord } from './account-record.ts';
import { ServerError } from './errors.ts';
import { isIdentity } from './identity.ts';
import { SESSION_LIFETIME } from './limits.ts';
import type { Store, StoreTransaction } from './store.ts';

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
  // Of the account. Whoever has none, because they sign in elsewhere, has the first one.
  ver: z.int().min(0).default(0),
});

/** Whose a session is, and which sessions of theirs it belongs to. */
export interface Session {
  readonly identity: Identity;
  /** Null for who is known by something else than a session of this server, which nothing here ends. */
  readonly version: number | null;
}

/** A session token for a client to keep. */
export interface IssuedSession {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/**
 * Signed proof of who somebody signed in as. Nothing is stored of a session; what ends those of an
 * identity before their time is the version of its account, which every server reads.
 */
export interface Sessions {
  /** Makes a token for somebody whose secret was checked. */
  issue(session: { readonly identity: Identity; readonly version: number }): IssuedSession;
  /**
   * Whose session a token is, after one look at the account.
   *
   * @throws ServerError `SESSION_INVALID` or `SESSION_EXPIRED`
   */
  verify(token: string): Promise<Session>;
}

/** Parts that sessions are made of. */
export interface SessionsParts {
  readonly store: Pick<Store, 'findAccount'>;
  /** At least 32 bytes. */
  readonly secret: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Makes the sessions. */
export function createSessions({ store, secret, now }: SessionsParts): Sessions {
  const key = createSecretKey(secret);
  const seconds = () => Math.floor(now() / 1000);

  return {
    issue({ identity, version }) {
      const iat = seconds();
      const exp = iat + SESSION_LIFETIME / 1000;
      const claims = { iss: ISSUER, aud: AUDIENCE, sub: identity, iat, exp, ver: version };
      const token = jwt.sign(claims, key, { algorithm: ALGORITHM });
      return { token, expiresAt: exp * 1000 };
    },

    async verify(token) {
      const claims = Claims.safeParse(verified(token, key, seconds()));
      if (!claims.success) throw invalid();
      const { sub, iat, exp, ver } = claims.data;
      if (exp - iat > SESSION_LIFETIME / 1000 || iat > seconds() + 60) throw invalid();
      if (!isIdentity(sub)) throw invalid();
      const session = { identity: sub, version: ver };
      requireCurrent(session, await store.findAccount(sub));
      return session;
    },
  };
}

/**
 * Refuses a session that was ended before its time. An identity without an account has none to end:
 * its sessions come from elsewhere.
 *
 * @throws ServerError `SESSION_EXPIRED`
 */
function requireCurrent({ version }: Session, account: AccountRecord | null): void {
  const isEnded =
    version === null ? account?.secretHash === null : version !== (account?.sessionVersion ?? 0);
  if (isEnded) throw ended();
}

/**
 * Refuses what was asked for under a session that was ended since. It was checked before, but the body
 * may have taken half a minute to come: whom the owner signed out meanwhile must write nothing, and
 * nothing may be left without an account.
 *
 * @throws ServerError `SESSION_EXPIRED`
 */
export async function requireStillCurrent(
  session: Session,
  transaction: Pick<StoreTransaction, 'findAccount'>,
): Promise<void> {
  requireCurrent(session, await transaction.findAccount(session.identity));
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
      throw ended();
    }
    // SyntaxError: a token whose parts are not JSON.
    if (error instanceof JsonWebTokenError || error instanceof SyntaxError) throw invalid();
    throw error;
  }
}

function ended(): ServerError {
  return new ServerError('SESSION_EXPIRED', 'The session has ended. Sign in again.');
}

function invalid(): ServerError {
  return new ServerError('SESSION_INVALID', 'The session token is not valid here. Sign in again.');
}

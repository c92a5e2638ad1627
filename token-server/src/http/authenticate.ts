import type { Request } from 'express';
import type { Identity } from 'twilio-chat-encryption/protocol';
import { ServerError } from '../domain/errors.ts';
import { requireIdentity } from '../domain/identity.ts';
import type { Session, Sessions } from '../domain/sessions.ts';
import { bearerToken } from './bearer-token.ts';

/**
 * Who sent a request.
 *
 * @throws ServerError when that is nobody who signed in
 */
export type Authenticate = (req: Request) => Promise<Session>;

/** By a session of this server. */
export function bySession(sessions: Sessions): Authenticate {
  return (req) => sessions.verify(bearerToken(req));
}

/** By a token of the application's. */
export function byToken(read: (token: string) => Promise<Identity>): Authenticate {
  return async (req) => ({ identity: await read(bearerToken(req)), version: null });
}

/** Who sent a request, as the application knows in whose app this server is mounted; null for nobody. */
export type Identify = (req: Request) => Promise<string | null> | string | null;

/** By what the application knows. */
export function byApplication(identify: Identify): Authenticate {
  return async (req) => {
    const identity = await identify(req);
    if (identity === null) throw new ServerError('UNAUTHENTICATED', 'Sign in first.');
    return { identity: requireIdentity(identity), version: null };
  };
}

import type { Request } from 'express';
import { ServerError } from '../domain/errors.ts';

/**
 * The token of a request, whatever it is for.
 *
 * @throws ServerError `UNAUTHENTICATED` when there is none
 */
export function bearerToken(req: Request): string {
  const [, token] = /^Bearer ([\w.-]+)$/i.exec(req.headers.authorization ?? '') ?? [];
  if (token === undefined) {
    const message = 'Sign in, and send the session as "Authorization: Bearer …".';
    throw new ServerError('UNAUTHENTICATED', message);
  }
  return token;
}

import type { Request } from 'express';
import { ServerError } from '../domain/errors.ts';
import { onlyHeader } from './only-header.ts';

/**
 * The token of a request, whatever it is for.
 *
 * @throws ServerError `UNAUTHENTICATED` when there is none, or are several
 */
export function bearerToken(req: Request): string {
  const [, token] = /^Bearer ([\w.-]+)$/i.exec(onlyHeader(req, 'authorization') ?? '') ?? [];
  if (token === undefined) {
    const message = 'Sign in, and send the session as "Authorization: Bearer …".';
    throw new ServerError('UNAUTHENTICATED', message);
  }
  return token;
}

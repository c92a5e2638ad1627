import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';

const HEADER = 'X-Request-Id';

/**
 * What proxies make: a UUID, or 32 hex digits. Anything else, of which some would be a session that
 * somebody put there by mistake, is not repeated anywhere.
 */
const SAFE = /^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/**
 * Gives a request the name under which it is in the logs, and tells it to whoever sent it. A proxy
 * whose word on addresses counts may have named it.
 */
export function nameRequest(req: Request, res: Response): string {
  const id = toldByProxy(req) ?? randomUUID();
  res.set(HEADER, id);
  return id;
}

function toldByProxy(req: Request): string | undefined {
  const told = req.get(HEADER);
  // Express lists addresses only when a proxy told them that is trusted.
  const isTold = told !== undefined && req.ips.length > 0 && SAFE.test(told);
  return isTold ? told : undefined;
}

import type { Request } from 'express';

/**
 * The header of this name, in lower case. Of one that comes twice Node takes the first, and a proxy may
 * have looked at the last: then there is none.
 */
export function onlyHeader(req: Request, name: string): string | undefined {
  const [value, ...others] = req.headersDistinct[name] ?? [];
  return others.length === 0 ? value : undefined;
}

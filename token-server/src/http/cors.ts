import type { RequestHandler } from 'express';

const ALLOWED_HEADERS = 'Authorization, Content-Type, If-Match, If-None-Match';

/**
 * Lets pages of the listed origins call the server. Sessions travel in a header and not in a
 * cookie, so credentials are never allowed.
 */
export function cors(origins: readonly string[]): RequestHandler {
  const allowed = new Set(origins);
  return (req, res, next) => {
    res.vary('Origin');
    const { origin } = req.headers;
    if (origin === undefined || !allowed.has(origin)) {
      next();
      return;
    }
    res.set('Access-Control-Allow-Origin', origin);
    res.set('Access-Control-Expose-Headers', 'ETag, Retry-After, X-Request-Id');
    if (req.method !== 'OPTIONS' || !('access-control-request-method' in req.headers)) {
      next();
      return;
    }
    res.set('Access-Control-Allow-Methods', 'GET, POST, PUT, DELETE');
    res.set('Access-Control-Allow-Headers', ALLOWED_HEADERS);
    res.set('Access-Control-Max-Age', '600');
    res.status(204).end();
  };
}

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import { ServerError } from '../../domain/errors.ts';
import { bearerToken } from '../bearer-token.ts';
import { NOTHING } from '../input.ts';
import { addressKey } from '../rate-limit.ts';
import type { Operation, Route } from '../route.ts';

const OPERATION: Operation = {
  summary: 'What the server counted, for Prometheus.',
  security: 'metricsToken',
  takes: NOTHING,
  answers: { status: 200, schema: z.string(), type: 'text/plain' },
  errors: ['UNAUTHENTICATED', 'RATE_LIMITED', 'INTERNAL'],
};

/**
 * `GET /metrics`: what the server counted, for whoever has the token. Who has it is not limited: limits
 * may need the database, and the metrics say that it is down.
 */
export function metricsRoutes(registry: Registry, token: string): readonly Route[] {
  const expected = digest(token);
  return [
    {
      method: 'get',
      path: '/metrics',
      operation: OPERATION,
      handler:
        ({ limiters }) =>
        async (req, res) => {
          // Digests have one length, which the comparison needs, whatever was sent.
          if (!timingSafeEqual(digest(bearerToken(req)), expected)) {
            const address = addressKey(req.ip, req.socket.remoteAddress);
            await limiters.routeByAddress.consume(`get /metrics ${address}`);
            throw new ServerError('UNAUTHENTICATED', 'This is not the token for metrics.');
          }
          const text = await registry.metrics();
          res.type(registry.contentType).send(text);
        },
    },
  ];
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

import type { RequestHandler } from 'express';
import { z } from 'zod';
import { ServerError } from '../../domain/errors.ts';
import type { Store } from '../../domain/store.ts';
import { oneAtATime, within } from '../bounded.ts';
import { NOTHING } from '../input.ts';
import type { Operation, Route } from '../route.ts';

/** What it takes to be ready. */
export interface Readiness {
  readonly store: Pick<Store, 'ping'>;
  /** Whether the server is about to stop. */
  readonly isDraining: () => boolean;
}

/** Who asks is about to give up by then, and would not hear why. */
const PING_TIMEOUT = 3_000;

const OK = { status: 'ok' };

const PROBE: Omit<Operation, 'summary'> = {
  security: null,
  takes: NOTHING,
  answers: { status: 200, schema: z.strictObject({ status: z.literal('ok') }) },
  errors: ['UNAVAILABLE', 'INTERNAL'],
};

/**
 * `GET /healthz`: the process answers. `GET /readyz`: requests may be sent here, because the database
 * answers, has the tables of this version, and the server is not about to stop. Its keys were loaded
 * before it had routes.
 *
 * Neither is limited: limits may need the database, and probes come from one address.
 */
export function healthRoutes({ store, isDraining }: Readiness): readonly Route[] {
  const ping = oneAtATime(() => within(PING_TIMEOUT, store.ping()));
  return [
    route('/healthz', 'The process answers.', (_req, res) => {
      res.json(OK);
    }),
    route('/readyz', 'Requests may be sent here.', async (_req, res) => {
      if (isDraining()) throw new ServerError('UNAVAILABLE', 'The server is about to stop.');
      try {
        await ping();
      } catch (cause) {
        if (cause instanceof ServerError) throw cause;
        throw new ServerError('UNAVAILABLE', 'The database does not answer.', { cause });
      }
      res.json(OK);
    }),
  ];
}

function route(path: string, summary: string, handler: RequestHandler): Route {
  return { method: 'get', path, operation: { summary, ...PROBE }, handler: () => handler };
}

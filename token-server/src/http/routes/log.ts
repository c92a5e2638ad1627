import { z } from 'zod';
import { requireIdentity } from '../../domain/identity.ts';
import type { Log } from '../../domain/log.ts';
import { NO_BODY, parseQuery, sessionRoute, type Route } from '../route.ts';

const COUNT = z
  .string()
  .regex(/^(0|[1-9]\d{0,14})$/)
  .transform(Number);

const INCLUSION = z.strictObject({ index: COUNT, size: COUNT });
const CONSISTENCY = z.strictObject({ from: COUNT, to: COUNT });
const MAP = z.strictObject({ identity: z.string(), size: COUNT });
const ENTRIES = z.strictObject({ start: COUNT, end: COUNT });

/** The transparency log, as clients and auditors ask it. */
export function logRoutes(log: Log): readonly Route[] {
  return [
    sessionRoute({
      method: 'get',
      path: '/v1/log/head',
      body: NO_BODY,
      answer: async () => ({ status: 200, body: { head: await log.head() } }),
    }),
    sessionRoute({
      method: 'get',
      path: '/v1/log/inclusion',
      body: NO_BODY,
      async answer({ query }) {
        const { index, size } = parseQuery(INCLUSION, query);
        return { status: 200, body: { inclusion: await log.inclusion(index, size) } };
      },
    }),
    sessionRoute({
      method: 'get',
      path: '/v1/log/consistency',
      body: NO_BODY,
      async answer({ query }) {
        const { from, to } = parseQuery(CONSISTENCY, query);
        return { status: 200, body: { consistency: await log.consistency(from, to) } };
      },
    }),
    sessionRoute({
      method: 'get',
      path: '/v1/log/map',
      body: NO_BODY,
      async answer({ query }) {
        const { identity, size } = parseQuery(MAP, query);
        const lookup = await log.lookUpAt(requireIdentity(identity), size);
        return { status: 200, body: { lookup } };
      },
    }),
    sessionRoute({
      method: 'get',
      path: '/v1/log/entries',
      body: NO_BODY,
      async answer({ query }) {
        const { start, end } = parseQuery(ENTRIES, query);
        return { status: 200, body: { entries: await log.entries(start, end) } };
      },
    }),
  ];
}

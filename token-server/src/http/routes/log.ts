import { z } from 'zod';
import type { Log, LoggedLeaf } from '../../domain/log.ts';
import { inQuery, NOTHING } from '../input.ts';
import { sessionRoute, type Route } from '../route.ts';
import { Base64url, Base64url32, Hashes, Lookup } from '../schemas.ts';
import { IdentityText } from './credentials.ts';

const COUNT = z
  .string()
  .regex(/^(0|[1-9]\d{0,14})$/)
  .transform(Number);

const INCLUSION = z.strictObject({ index: COUNT, size: COUNT });
const CONSISTENCY = z.strictObject({ from: COUNT, to: COUNT });
const MAP = z.strictObject({ identity: IdentityText, size: COUNT });
const ENTRIES = z.strictObject({ start: COUNT, end: COUNT });

const Leaf: z.ZodType<LoggedLeaf> = z.strictObject({ entry: Base64url, mapRoot: Base64url32 });

/** The transparency log, as clients and auditors ask it. */
export function logRoutes(log: Log): readonly Route[] {
  return [
    sessionRoute({
      method: 'get',
      path: '/v1/log/head',
      summary: 'The newest head, signed.',
      takes: NOTHING,
      answers: { status: 200, schema: z.strictObject({ head: Base64url }) },
      answer: async () => ({ body: { head: await log.head() } }),
    }),
    sessionRoute({
      method: 'get',
      path: '/v1/log/inclusion',
      summary: 'The proof that an entry is in the log of a size.',
      takes: inQuery(INCLUSION),
      answers: { status: 200, schema: z.strictObject({ inclusion: Hashes }) },
      async answer({ input: { index, size } }) {
        return { body: { inclusion: await log.inclusion(index, size) } };
      },
    }),
    sessionRoute({
      method: 'get',
      path: '/v1/log/consistency',
      summary: 'The proof that the log of one size grew out of that of another.',
      takes: inQuery(CONSISTENCY),
      answers: { status: 200, schema: z.strictObject({ consistency: Hashes }) },
      async answer({ input: { from, to } }) {
        return { body: { consistency: await log.consistency(from, to) } };
      },
    }),
    sessionRoute({
      method: 'get',
      path: '/v1/log/map',
      summary: 'All about an identity when the log had a size.',
      takes: inQuery(MAP),
      answers: { status: 200, schema: z.strictObject({ lookup: Lookup }) },
      errors: ['TOO_MANY_RESULTS'],
      async answer({ input: { identity, size } }) {
        return { json: await log.lookUpAt(identity, size) };
      },
    }),
    sessionRoute({
      method: 'get',
      path: '/v1/log/entries',
      summary: 'Entries with the roots of the map after them, for auditors.',
      takes: inQuery(ENTRIES),
      answers: { status: 200, schema: z.strictObject({ entries: z.array(Leaf) }) },
      async answer({ input: { start, end } }) {
        return { body: { entries: await log.entries(start, end) } };
      },
    }),
  ];
}

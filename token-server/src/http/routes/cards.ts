import { z } from 'zod';
import type { Cards } from '../../domain/cards.ts';
import { isIdentity } from '../../domain/identity.ts';
import { MAX_SEARCH_IDENTITIES } from '../../domain/limits.ts';
import type { Log } from '../../domain/log.ts';
import { NO_BODY, sessionRoute, type BodySpec, type Route } from '../route.ts';

const CARD: BodySpec<{ card: string }> = {
  schema: z.strictObject({ card: z.string() }),
  limit: 64 * 1024,
};

const SEARCH: BodySpec<{ identities: string[]; from: number }> = {
  schema: z.strictObject({
    identities: z.array(z.string()).min(1).max(MAX_SEARCH_IDENTITIES),
    from: z.int().min(0).default(0),
  }),
  limit: 512 * 1024,
};

const REVOCATION: BodySpec<{ revocation: string }> = {
  schema: z.strictObject({ revocation: z.string() }),
  limit: 4 * 1024,
};

/** Approve and publish, get, search, revoke. */
export function cardRoutes(cards: Cards, log: Log): readonly Route[] {
  return [
    sessionRoute({
      method: 'post',
      path: '/v1/cards',
      body: CARD,
      changes: true,
      async answer({ body, identity }) {
        return { status: 201, body: await cards.publish(identity, body.card) };
      },
    }),
    sessionRoute({
      method: 'get',
      path: '/v1/cards/:id',
      body: NO_BODY,
      async answer({ id }) {
        return { status: 200, body: { card: await cards.get(id) } };
      },
    }),
    sessionRoute({
      method: 'post',
      path: '/v1/cards/search',
      body: SEARCH,
      async answer({ body: { identities, from } }) {
        // A name that nobody could have must not fail a search; one that comes twice is answered once.
        const possible = [...new Set(identities)].filter(isIdentity);
        return { status: 200, body: await log.lookUp(possible, from) };
      },
    }),
    sessionRoute({
      method: 'post',
      path: '/v1/cards/:id/revocation',
      body: REVOCATION,
      changes: true,
      async answer({ id, identity, body }) {
        await cards.revoke(identity, id, body.revocation);
        return { status: 200, body: {} };
      },
    }),
  ];
}

import { z } from 'zod';
import type { Cards, PublishedCard } from '../../domain/cards.ts';
import { MAX_SEARCH_IDENTITIES } from '../../domain/limits.ts';
import type { Log, LookupAnswer } from '../../domain/log.ts';
import { jsonBody, NOTHING } from '../input.ts';
import { sessionRoute, type Route } from '../route.ts';
import { Base64url, CardId, Count, Empty, Hashes, Lookup } from '../schemas.ts';

const Exported = z.strictObject({ card: z.string() });

const Search = z.strictObject({
  identities: z.array(z.string()).min(1).max(MAX_SEARCH_IDENTITIES),
  from: z.int().min(0).default(0),
});

const Revocation = z.strictObject({ revocation: z.string() });

const Published: z.ZodType<PublishedCard> = z.strictObject({ card: Base64url, logIndex: Count });

const Found: z.ZodType<LookupAnswer> = z.strictObject({
  head: Base64url,
  lookup: Lookup,
  consistency: Hashes,
});

/** Approve and publish, get, search, revoke. */
export function cardRoutes(cards: Cards, log: Log): readonly Route[] {
  return [
    sessionRoute({
      method: 'post',
      path: '/v1/cards',
      summary: 'Approves, logs and publishes a card; or one again, with further endorsements.',
      takes: jsonBody(Exported, 64 * 1024),
      answers: { status: 201, schema: Published },
      errors: [
        ...(['IDENTITY_MISMATCH', 'CARD_INVALID', 'SIGNATURE_NOT_ALLOWED', 'CLOCK_SKEW'] as const),
        ...(['KEY_REUSED', 'CARD_LIMIT', 'LINK_INVALID'] as const),
      ],
      changes: true,
      async answer({ input, session }) {
        return { body: await cards.publish(session, input.card) };
      },
    }),
    sessionRoute({
      method: 'get',
      path: '/v1/cards/:id',
      summary: 'One card, also when it is not live any more.',
      id: CardId,
      takes: NOTHING,
      answers: { status: 200, schema: z.strictObject({ card: Base64url }) },
      errors: ['CARD_NOT_FOUND'],
      async answer({ id }) {
        return { body: { card: await cards.get(id) } };
      },
    }),
    sessionRoute({
      method: 'post',
      path: '/v1/cards/search',
      summary: 'All about each identity, with the proof that it is all.',
      takes: jsonBody(Search, 512 * 1024),
      answers: { status: 200, schema: Found },
      errors: ['TOO_MANY_RESULTS'],
      async answer({ input: { identities, from } }) {
        // A name that nobody could have does not fail a search; one that comes twice is answered once.
        return { json: await log.lookUp([...new Set(identities)], from) };
      },
    }),
    sessionRoute({
      method: 'post',
      path: '/v1/cards/:id/revocation',
      summary: 'Ends a card, signed by itself or by another live one of its identity.',
      id: CardId,
      takes: jsonBody(Revocation, 4 * 1024),
      answers: { status: 200, schema: Empty },
      errors: ['CARD_NOT_FOUND', 'IDENTITY_MISMATCH', 'REVOCATION_INVALID', 'CARD_REVOKED'],
      changes: true,
      async answer({ id, session, input }) {
        await cards.revoke(session, id, input.revocation);
        return { body: {} };
      },
    }),
  ];
}

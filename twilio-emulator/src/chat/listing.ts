import { refuse } from '../errors.ts';
import type { Answer, Request } from '../router.ts';
import { fromPageToken, page, pageSize, pageToken, type PageQuery } from '../sync/paging.ts';

/** One page of a REST listing, in the order given, under the name the clients expect. */
export function listing<T>(
  request: Request,
  name:
    | 'conversations'
    | 'users'
    | 'participants'
    | 'delivery_receipts'
    | 'message_recipients'
    | 'templates',
  things: readonly T[],
  body: (thing: T) => object,
): Answer {
  const numbered = things.map((thing, key) => ({ key, thing }));
  const { items, previous, next } = page(numbered, listingQuery(request.query));
  const [before, after] = [pageToken(previous), pageToken(next)];
  return {
    status: 200,
    body: {
      [name]: items.map(({ thing }) => body(thing)),
      // Users are listed with another name for the first of the two.
      meta: { previous_token: before, prev_token: before, next_token: after },
    },
  };
}

function listingQuery(query: ReadonlyMap<string, string>): PageQuery<number> {
  const token = query.get('PageToken');
  if (token === undefined) return { size: pageSize(query.get('PageSize')), order: 'asc' };
  const again = fromPageToken(token, (key) => typeof key === 'number');
  if (again === null) throw refuse('invalidRequest', 'PageToken');
  return again;
}

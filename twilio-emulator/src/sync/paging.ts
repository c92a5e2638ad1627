import { isRecord, parseJson } from '../json.ts';
import { lowerBound } from './entity.ts';

/** Where a page starts, which way it goes and how long it may get. */
export interface PageQuery<K extends string | number> {
  /** The first item's key; the item itself need not exist. Absent: from the very end. */
  readonly from?: K | undefined;
  readonly size: number;
  readonly order: 'asc' | 'desc';
}

/** A page, and the queries for its neighbours: null exactly if there are no items there. */
export interface Page<K extends string | number, I> {
  readonly items: readonly I[];
  readonly previous: PageQuery<K> | null;
  readonly next: PageQuery<K> | null;
}

/** Sync's bounds, https://www.twilio.com/docs/sync/api/list-item-resource. */
const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 100;

/** One page of items, which are in the order of their keys. */
export function page<K extends string | number, I extends { readonly key: K }>(
  items: readonly I[],
  query: PageQuery<K>,
): Page<K, I> {
  const { size, order } = query;
  const inOrder = order === 'asc' ? items : items.toReversed();
  const start = query.from === undefined ? 0 : startOf(items, query.from, order);
  return {
    items: inOrder.slice(start, start + size),
    previous: neighbour(inOrder, Math.max(0, start - size), Math.min(size, start), order),
    next: neighbour(inOrder, start + size, size, order),
  };
}

function startOf<K extends string | number>(
  items: readonly { readonly key: K }[],
  from: K,
  order: 'asc' | 'desc',
): number {
  const position = lowerBound(items, from);
  if (order === 'asc') return position;
  return items.length - position - (items[position]?.key === from ? 1 : 0);
}

function neighbour<K extends string | number>(
  inOrder: readonly { readonly key: K }[],
  start: number,
  size: number,
  order: 'asc' | 'desc',
): PageQuery<K> | null {
  const first = inOrder[start];
  return first === undefined || size === 0 ? null : { from: first.key, size, order };
}

/** A page size as it came in a query string. */
export function pageSize(text: string | undefined): number {
  const wanted = Number(text);
  return Number.isInteger(wanted) && wanted > 0
    ? Math.min(wanted, MAX_PAGE_SIZE)
    : DEFAULT_PAGE_SIZE;
}

/** The query as an opaque token: older Sync clients send back nothing else. */
export function pageToken(query: PageQuery<string | number> | null): string | null {
  return query === null ? null : Buffer.from(JSON.stringify(query)).toString('base64url');
}

/** The query in a token, or null if no such token was ever given out for keys of this type. */
export function fromPageToken<K extends string | number>(
  token: string,
  isKey: (key: unknown) => key is K,
): PageQuery<K> | null {
  const query = parseJson(Buffer.from(token, 'base64url').toString());
  if (!isRecord(query)) return null;
  const { from, size, order } = query;
  if (!isKey(from) || typeof size !== 'number' || !Number.isInteger(size)) return null;
  if (size < 1 || size > MAX_PAGE_SIZE || (order !== 'asc' && order !== 'desc')) return null;
  return { from, size, order };
}

import { refuse } from '../errors.ts';
import { route, type Answer, type Request, type Route } from '../router.ts';
import { getItem, type Collection, type Entity, type EntityHead, type Item } from './entity.ts';
import { fromPageToken, page, pageSize, pageToken, type PageQuery } from './paging.ts';
import type { Sync } from './store.ts';
import { changeSubscriptions } from './subscriptions.ts';
import { entityBody, entityUrl, itemBody } from './wire.ts';

type Kind = Entity['kind'];
type AnyItem = Item<string | number, unknown>;

/** Opening Sync entities, reading their items and following their changes. */
export function syncRoutes(sync: Sync): readonly Route[] {
  const open = (kind: Kind) => (request: Request, id: string) =>
    openEntity(sync, kind, id, request);
  return [
    route('GET', '/*/Documents/:id', open('document')),
    route('GET', '/*/Maps/:id', open('map')),
    route('GET', '/*/Lists/:id', open('list')),
    route('GET', '/*/Maps/:id/Items', (request, id) => {
      const map = readable(sync, 'map', id, request.identity);
      return readItems(map, request, { name: 'Key', parse: (text) => text, isKey: isString });
    }),
    route('GET', '/*/Lists/:id/Items', (request, id) => {
      const list = readable(sync, 'list', id, request.identity);
      return readItems(list, request, { name: 'Index', parse: parseIndex, isKey: isNumber });
    }),
    route('POST', '/*/Subscriptions', (request) => changeSubscriptions(sync, request)),
  ];
}

/** The entity of this kind, if the identity may read it. */
function readable<K extends Kind>(
  sync: Sync,
  kind: K,
  id: string,
  identity: string,
): Extract<Entity, { kind: K }> {
  const entity = sync.find(id);
  if (entity === undefined || !isKind(entity, kind)) throw refuse(`${kind}NotFound`);
  if (!entity.readableBy(identity)) throw refuse('syncNotAllowed');
  return entity;
}

function isKind<K extends Kind>(entity: Entity, kind: K): entity is Extract<Entity, { kind: K }> {
  return entity.kind === kind;
}

function openEntity(sync: Sync, kind: Kind, id: string, request: Request): Answer {
  const entity = readable(sync, kind, id, request.identity);
  if (entity.kind !== 'map' || request.query.get('Include') !== 'items') {
    return { status: 200, body: entityBody(entity) };
  }
  const items = entity.items.map((item) => itemBody(entity, item));
  return { status: 200, body: { ...entityBody(entity), items } };
}

/** How the keys of a collection look in a query. */
interface Keys<K> {
  readonly name: 'Key' | 'Index';
  readonly parse: (text: string) => K;
  readonly isKey: (key: unknown) => key is K;
}

function readItems<K extends string | number>(
  collection: Collection<K>,
  request: Request,
  keys: Keys<K>,
): Answer {
  const only = request.query.get(keys.name);
  if (only !== undefined) {
    const item = getItem<K, unknown>(collection, keys.parse(only));
    return itemsAnswer(collection, item === undefined ? [] : [item], null, null);
  }
  const { items, previous, next } = page<K, Item<K, unknown>>(
    collection.items,
    itemsQuery(request.query, keys),
  );
  return itemsAnswer(collection, items, pageToken(previous), pageToken(next));
}

function itemsQuery<K extends string | number>(
  query: ReadonlyMap<string, string>,
  keys: Keys<K>,
): PageQuery<K> {
  const token = query.get('PageToken');
  if (token !== undefined) {
    const again = fromPageToken(token, keys.isKey);
    if (again === null) throw refuse('invalidRequest', 'PageToken');
    return again;
  }
  const from = query.get('From');
  return {
    from: from === undefined ? undefined : keys.parse(from),
    size: pageSize(query.get('PageSize')),
    order: query.get('Order') === 'desc' ? 'desc' : 'asc',
  };
}

function itemsAnswer(
  entity: EntityHead,
  items: readonly AnyItem[],
  previous: string | null,
  next: string | null,
): Answer {
  const meta = { key: 'items', previous_token: previous, next_token: next };
  const body = {
    items: items.map((item) => itemBody(entity, item)),
    meta: { ...meta, url: `${entityUrl(entity)}/Items` },
  };
  return { status: 200, body };
}

function parseIndex(text: string): number {
  const index = Number(text);
  if (!Number.isSafeInteger(index)) throw refuse('invalidRequest', 'not an index');
  return index;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

import type { Entity, EntityHead, Item, LoggedEvent } from './entity.ts';

/** Hosts are labels: clients send every Sync request through their websocket. */
const SYNC_URL = 'https://cds.us1.twilio.com/v3';

const COLLECTIONS = { document: 'Documents', map: 'Maps', list: 'Lists' } as const;

/** The address of an entity. */
export function entityUrl(entity: EntityHead): string {
  return `${SYNC_URL}/${COLLECTIONS[entity.kind]}/${entity.sid}`;
}

/** An entity as it is answered to the client that opens it. */
export function entityBody(entity: Entity): object {
  return {
    sid: entity.sid,
    unique_name: entity.uniqueName,
    url: entityUrl(entity),
    revision: String(entity.lastEventId),
    last_event_id: entity.lastEventId,
    date_created: entity.dateCreated,
    date_updated: entity.dateUpdated,
    date_expires: null,
    ...(entity.kind === 'document'
      ? { data: entity.data }
      : { links: { items: `${entityUrl(entity)}/Items` } }),
  };
}

/** An item of a map or a list as it is answered. */
export function itemBody(entity: EntityHead, item: Item<string | number, unknown>): object {
  return {
    ...(entity.kind === 'map' ? { key: item.key } : { index: item.key }),
    url: itemUrl(entity, item.key),
    data: item.data,
    revision: String(item.lastEventId),
    last_event_id: item.lastEventId,
    date_created: item.dateCreated,
    date_updated: item.dateUpdated,
    date_expires: null,
  };
}

/** An event as it is pushed. */
export function eventBody(entity: EntityHead, event: LoggedEvent): Record<string, unknown> {
  const { kind } = entity;
  const common = {
    id: event.id,
    [`${kind}_sid`]: entity.sid,
    [`${kind}_revision`]: String(event.id),
    date_created: event.date,
  };
  if (kind === 'document') return { ...common, document_data: event.data };
  if (event.key === undefined) return common;
  return {
    ...common,
    ...(kind === 'map' ? { item_key: event.key } : { item_index: event.key }),
    item_url: itemUrl(entity, event.key),
    item_revision: String(event.id),
    item_data: event.data,
  };
}

function itemUrl(entity: EntityHead, key: string | number): string {
  return `${entityUrl(entity)}/Items/${encodeURIComponent(key)}`;
}

import { newSid } from '../sids.ts';
import {
  getItem,
  lowerBound,
  type Collection,
  type Entity,
  type EntityHead,
  type LoggedEvent,
  type SyncDocument,
  type SyncList,
  type SyncMap,
} from './entity.ts';

/** Who may open and follow an entity. */
type Readers = (identity: string) => boolean;

/** All Sync entities of the service. Every change is logged and goes to the entity's followers. */
export interface Sync {
  createDocument<T>(uniqueName: string, data: T, readers: Readers): SyncDocument<T>;
  createMap<T>(uniqueName: string, readers: Readers): SyncMap<T>;
  createList<T>(uniqueName: string, readers: Readers): SyncList<T>;
  /** By sid or by unique name. */
  find(id: string): Entity | undefined;
  all(): Iterable<Entity>;
  setDocument<T>(document: SyncDocument<T>, data: T): void;
  /** Adds the item, or replaces its data. */
  putItem<K extends string | number, T>(target: Collection<K, T>, key: K, data: T): void;
  removeItem<K extends string | number>(target: Collection<K>, key: K): void;
  destroy(entity: Entity): void;
  /** Changes an item's data, now and in the history, as if it had never been otherwise. */
  rewriteItem<K extends string | number, T>(target: Collection<K, T>, key: K, data: T): void;
  /** Takes an item out without an event; the history keeps it. */
  eraseItem<K extends string | number>(target: Collection<K>, key: K): void;
  /** Stops sending to an identity that may no longer read the entity. */
  revoke(entity: Entity, identity: string): void;
}

/** An empty store; `now` dates its changes. */
export function createSync(now: () => number): Sync {
  const bySid = new Map<string, Entity>();
  const byName = new Map<string, Entity>();
  const today = (): string => new Date(now()).toISOString();

  function add<E extends Entity>(entity: E): E {
    bySid.set(entity.sid, entity);
    byName.set(entity.uniqueName, entity);
    return entity;
  }

  return {
    createDocument: (name, data, readers) =>
      add({ ...root('ET', name, today(), readers), kind: 'document', data }),
    createMap: (name, readers) =>
      add({ ...root('MP', name, today(), readers), kind: 'map', items: [] }),
    createList: (name, readers) =>
      add({ ...root('ES', name, today(), readers), kind: 'list', items: [] }),
    find: (id) => bySid.get(id) ?? byName.get(id),
    all: () => bySid.values(),
    setDocument(document, data) {
      document.data = data;
      record(document, { type: 'document_updated', data, date: today() });
    },
    putItem(target, key, data) {
      putItem(target, key, data, today());
    },
    removeItem(target, key) {
      const removed = getItem(target, key);
      if (removed === undefined) return;
      target.items.splice(lowerBound(target.items, key), 1);
      record(target, {
        type: `${target.kind}_item_removed`,
        key,
        data: removed.data,
        date: today(),
      });
    },
    rewriteItem(target, key, data) {
      const item = getItem(target, key);
      if (item !== undefined) item.data = data;
      for (const event of target.log) if (event.key === key) event.data = data;
    },
    eraseItem(target, key) {
      if (getItem(target, key) !== undefined) {
        target.items.splice(lowerBound(target.items, key), 1);
      }
    },
    destroy(entity) {
      bySid.delete(entity.sid);
      byName.delete(entity.uniqueName);
      record(entity, { type: `${entity.kind}_removed`, data: undefined, date: today() });
      entity.subscribers.clear();
    },
    revoke(entity, identity) {
      for (const subscriber of entity.subscribers) {
        if (subscriber.identity === identity) entity.subscribers.delete(subscriber);
      }
    },
  };
}

function putItem<K extends string | number, T>(
  target: Collection<K, T>,
  key: K,
  data: T,
  date: string,
): void {
  const known = getItem(target, key);
  const lastEventId = target.lastEventId + 1;
  if (known === undefined) {
    const item = { key, data, lastEventId, dateCreated: date, dateUpdated: date };
    target.items.splice(lowerBound(target.items, key), 0, item);
  } else {
    Object.assign(known, { data, lastEventId, dateUpdated: date });
  }
  const change = known === undefined ? 'added' : 'updated';
  record(target, { type: `${target.kind}_item_${change}`, key, data, date });
}

function record(entity: EntityHead, change: Omit<LoggedEvent, 'id'>): void {
  entity.lastEventId += 1;
  entity.dateUpdated = change.date;
  const event = { id: entity.lastEventId, ...change };
  entity.log.push(event);
  for (const subscriber of entity.subscribers) subscriber.deliver(entity, event);
}

function root(
  kind: string,
  uniqueName: string,
  today: string,
  readableBy: Readers,
): Omit<EntityHead, 'kind'> {
  return {
    sid: newSid(kind),
    uniqueName,
    dateCreated: today,
    dateUpdated: today,
    lastEventId: 0,
    log: [],
    subscribers: new Set(),
    readableBy,
  };
}

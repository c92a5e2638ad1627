/** A change of an entity, kept for ever so that a client can catch up from any position. */
export interface LoggedEvent {
  /** Grows by one with every change of the entity. */
  readonly id: number;
  readonly type: EventType;
  /** The item that changed: a map's key or a list's index. Absent: the entity itself. */
  readonly key?: string | number | undefined;
  /** The data after the change; of a removed item, the data before. */
  data: unknown;
  readonly date: string;
}

/** What can happen to an entity. */
export type EventType =
  | 'document_updated'
  | 'document_removed'
  | `${'map' | 'list'}_${'item_added' | 'item_updated' | 'item_removed' | 'removed'}`;

/** One client connection that follows entities. */
export interface Subscriber {
  readonly identity: string;
  /** Sends an event; `correlationId` if it answers a subscription (missed events). */
  deliver(entity: EntityHead, event: LoggedEvent, correlationId?: number): void;
  /** Sends a note about a subscription. */
  notify(payload: object): void;
}

/** What documents, maps and lists have in common. */
export interface EntityHead {
  readonly kind: 'document' | 'map' | 'list';
  readonly sid: string;
  readonly uniqueName: string;
  readonly dateCreated: string;
  dateUpdated: string;
  lastEventId: number;
  readonly log: LoggedEvent[];
  readonly subscribers: Set<Subscriber>;
  readableBy(identity: string): boolean;
}

/** One item of a map or a list. */
export interface Item<K extends string | number, T> {
  readonly key: K;
  data: T;
  lastEventId: number;
  readonly dateCreated: string;
  dateUpdated: string;
}

/** A Sync document: one JSON value. */
export interface SyncDocument<T = unknown> extends EntityHead {
  readonly kind: 'document';
  data: T;
}

/** Items in the order of their keys: code units for a map, numbers for a list. */
export interface Collection<K extends string | number, T = unknown> extends EntityHead {
  readonly kind: 'map' | 'list';
  readonly items: Item<K, T>[];
}

/** A Sync map: items by name. */
export interface SyncMap<T = unknown> extends Collection<string, T> {
  readonly kind: 'map';
}

/** A Sync list: items by number. */
export interface SyncList<T = unknown> extends Collection<number, T> {
  readonly kind: 'list';
}

/** Anything a client can open and follow. */
export type Entity = SyncDocument | SyncMap | SyncList;

/** The position of the first item whose key is at least `key`. */
export function lowerBound<K extends string | number>(
  items: readonly Pick<Item<K, unknown>, 'key'>[],
  key: K,
): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = items[middle];
    if (found !== undefined && found.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The item with this key. */
export function getItem<K extends string | number, T>(
  collection: Pick<Collection<K, T>, 'items'>,
  key: K,
): Item<K, T> | undefined {
  const found = collection.items[lowerBound(collection.items, key)];
  return found?.key === key ? found : undefined;
}

import type { Interceptors, Push } from './interceptors.ts';
import { isRecord } from './json.ts';
import type { Link } from './link.ts';
import type { EntityHead, LoggedEvent, Subscriber } from './sync/entity.ts';
import { eventBody } from './sync/wire.ts';

/** A connection whose token was accepted. */
export interface ConnectedClient extends Subscriber {
  readonly link: Link;
  /** When the token expires, in milliseconds. */
  expiresAt: number;
  /** Was the client told that it is about to? */
  warned: boolean;
}

/** A client on a link; events for it pass the interceptors. */
export function createClient(
  link: Link,
  identity: string,
  expiresAt: number,
  interceptors: Interceptors,
): ConnectedClient {
  const notify = (payload: object): void => {
    sendNotification(link, 'twilio.sync.event', payload);
  };
  return {
    identity,
    link,
    expiresAt,
    warned: false,
    notify,
    deliver(entity, event, correlationId) {
      interceptors.push(toPush(identity, entity, event), (push) => {
        notify({
          event_type: push.type,
          ...(correlationId !== undefined && { correlation_id: correlationId }),
          event: eventBody(entity, { ...push, date: event.date }),
        });
      });
    },
  };
}

/** Sends a notification of any type. */
export function sendNotification(link: Link, messageType: string, payload: object): void {
  link.send({ method: 'notification', message_type: messageType }, payload);
}

function toPush(identity: string, entity: EntityHead, event: LoggedEvent): Push {
  const { type, id, key, data } = event;
  const object = entity.uniqueName;
  return { identity, object, type, id, key, data: isRecord(data) ? data : {} };
}

/** The clients that are connected now. */
export interface Clients {
  add(client: ConnectedClient): void;
  remove(client: ConnectedClient): void;
  all(): readonly ConnectedClient[];
  of(identity: string): readonly ConnectedClient[];
}

/** Nobody connected; `presence` hears when an identity's first client comes and its last goes. */
export function createClients(presence: (identity: string, online: boolean) => void): Clients {
  const byIdentity = new Map<string, Set<ConnectedClient>>();
  return {
    add(client) {
      const known = byIdentity.get(client.identity) ?? new Set();
      byIdentity.set(client.identity, known.add(client));
      if (known.size === 1) presence(client.identity, true);
    },
    remove(client) {
      const known = byIdentity.get(client.identity);
      if (known?.delete(client) !== true || known.size > 0) return;
      byIdentity.delete(client.identity);
      presence(client.identity, false);
    },
    all: () => [...byIdentity.values()].flatMap((clients) => [...clients]),
    of: (identity) => [...(byIdentity.get(identity) ?? [])],
  };
}

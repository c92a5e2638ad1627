import { reason, TwilioError } from './errors.ts';
import type { EventType } from './sync/entity.ts';

/** A Sync event on its way to one connection. */
export interface Push {
  /** Who gets it. */
  readonly identity: string;
  /** The name of what changed: `CH….messages`, `CH….roster`, `CH….channel`, `<identity>.channels`. */
  readonly object: string;
  readonly type: EventType;
  /** The event's number within its object; clients ignore an item's older events. */
  readonly id: number;
  /** A message's index, a member's sid, a channel's sid; absent if the object itself changed. */
  readonly key?: string | number | undefined;
  /** What is stored in that place; of a message: `text`, `author`, `attributes`, `timestamp`… */
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * Says what is sent instead of a push: nothing, others, several, later. `undefined` leaves it as it
 * is. Of what is returned, `type`, `id`, `key` and `data` count; it goes to the same connection.
 * Pushes do not wait for one another, so to delay one is to let others overtake it.
 */
export type PushInterceptor = (
  push: Push,
) => readonly Push[] | undefined | Promise<readonly Push[] | undefined>;

/** A request of a client, before it is acted on. */
export interface ClientRequest {
  readonly identity: string;
  readonly method: string;
  /**
   * For example `/Client/v2/Conversations/CH…/Messages`, percent-encoded; of requests for media,
   * which come over HTTP, `/v1/Services/IS…/Media`.
   */
  readonly path: string;
  /** What it carries, as text; the bytes of an upload are not given. */
  readonly payload: string;
}

/** What befalls a request, and whether before or after it takes effect. */
export type RequestFate =
  | { readonly when: 'before' | 'after'; readonly then: 'fail'; readonly status: number }
  | { readonly when: 'before' | 'after'; readonly then: 'disconnect' | 'silence' };

/** Decides the fate of a request; a promise delays it, `undefined` lets it pass. */
export type RequestInterceptor = (
  request: ClientRequest,
) => RequestFate | undefined | Promise<RequestFate | undefined>;

/** The error that a request meets because an interceptor wants it to. */
export function inflicted(status: number): TwilioError {
  return new TwilioError(status, status, `${reason(status)} (by an interceptor)`);
}

/** Interceptors in the order in which they were added. */
export interface Interceptors {
  /** Adds one; the result takes it out again. */
  readonly onPush: (interceptor: PushInterceptor) => () => void;
  /** Adds one; the result takes it out again. The first that decides wins. */
  readonly onRequest: (interceptor: RequestInterceptor) => () => void;
  /** Sends what is left of a push; at once if no interceptor wants to wait. */
  push(push: Push, send: (push: Push) => void): void;
  decide(request: ClientRequest): Promise<RequestFate | undefined>;
}

/** No interceptors yet. */
export function createInterceptors(): Interceptors {
  const pushes = new Set<PushInterceptor>();
  const requests = new Set<RequestInterceptor>();

  return {
    onPush: (interceptor) => addTo(pushes, interceptor),
    onRequest: (interceptor) => addTo(requests, interceptor),
    push(push, send) {
      // A copy, lest an interceptor that changes what it is given changes what is stored.
      const first = pushes.size === 0 ? push : structuredClone(push);
      pushThrough([...pushes], first, send);
    },
    async decide(request) {
      for (const interceptor of requests) {
        const fate = await interceptor(request);
        if (fate !== undefined) return fate;
      }
      return undefined;
    },
  };
}

function pushThrough(
  [interceptor, ...others]: readonly PushInterceptor[],
  push: Push,
  send: (push: Push) => void,
): void {
  if (interceptor === undefined) {
    send(push);
    return;
  }
  const forward = (instead: readonly Push[] = [push]): void => {
    for (const one of instead) pushThrough(others, one, send);
  };
  const decision = interceptor(push);
  if (decision instanceof Promise) void decision.then(forward);
  else forward(decision);
}

function addTo<T>(set: Set<T>, interceptor: T): () => void {
  set.add(interceptor);
  return () => {
    set.delete(interceptor);
  };
}

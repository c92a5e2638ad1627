import { refuse, type TwilioError } from '../errors.ts';
import { isRecord, type JsonRecord } from '../json.ts';
import { jsonBody, type Answer, type Request } from '../router.ts';
import type { Entity, Subscriber } from './entity.ts';
import type { Sync } from './store.ts';

/** Clients send at most this many objects in one request if they are told so. */
const MAX_BATCH = 100;

/** A client that has heard nothing after this long asks again. */
const DELIVERY_MS = 20_000;

/** Starts or ends following entities; what was missed is sent once the answer is out. */
export function changeSubscriptions(sync: Sync, request: Request): Answer {
  const { action, correlation_id, requests } = jsonBody(request);
  const known = action === 'establish' || action === 'cancel';
  if (!known || typeof correlation_id !== 'number' || !Array.isArray(requests)) {
    throw refuse('invalidRequest', 'not a subscription request');
  }
  const objects: readonly unknown[] = requests;
  if (objects.length > MAX_BATCH) throw refuse('invalidRequest', `more than ${MAX_BATCH} objects`);
  const change = action === 'establish' ? establish : cancel;
  return {
    status: 200,
    body: { max_batch_size: MAX_BATCH, estimated_delivery_in_ms: DELIVERY_MS },
    after: () => {
      for (const object of objects.filter(isRecord)) {
        change(sync, request.caller, object, correlation_id);
      }
    },
  };
}

/**
 * Sends every event after the client's position, then a confirmation, and live events from then on.
 * All in one go: nothing can happen in between that the client would miss or see twice.
 */
function establish(
  sync: Sync,
  caller: Subscriber,
  object: JsonRecord,
  correlationId: number,
): void {
  const entity = sync.find(String(object['object_sid']));
  if (entity === undefined || !entity.readableBy(caller.identity)) {
    const error = refuse(entity === undefined ? 'documentNotFound' : 'syncNotAllowed');
    caller.notify(failure(object, correlationId, error));
    return;
  }
  const position = object['last_event_id'];
  // A client that knows only an entity's address, from a cache, has no position (null).
  if (typeof position === 'number') replay(entity, caller, position, correlationId);
  entity.subscribers.add(caller);
  caller.notify({
    event_type: 'subscription_established',
    correlation_id: correlationId,
    event: {
      object_sid: entity.sid,
      object_type: entity.kind,
      replay_status: 'completed',
      last_event_id: entity.lastEventId,
    },
  });
}

function replay(entity: Entity, caller: Subscriber, position: number, correlationId: number): void {
  // Ids are dense from 1 on, so an event's place in the log is its id minus one.
  for (const event of entity.log.slice(Math.max(0, position))) {
    caller.deliver(entity, event, correlationId);
  }
}

function cancel(sync: Sync, caller: Subscriber, object: JsonRecord, correlationId: number): void {
  sync.find(String(object['object_sid']))?.subscribers.delete(caller);
  caller.notify({
    event_type: 'subscription_canceled',
    correlation_id: correlationId,
    event: { object_sid: object['object_sid'], object_type: object['object_type'] },
  });
}

function failure(object: JsonRecord, correlationId: number, error: TwilioError): object {
  return {
    event_type: 'subscription_failed',
    correlation_id: correlationId,
    event: {
      object_sid: object['object_sid'],
      object_type: object['object_type'],
      error: { status: error.status, code: error.code, message: error.message },
    },
  };
}

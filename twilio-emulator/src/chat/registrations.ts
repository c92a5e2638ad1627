import { refuse } from '../errors.ts';
import { isRecord, type JsonRecord } from '../json.ts';
import { jsonBody, route, type Route } from '../router.ts';
import { newSid } from '../sids.ts';
import type { Chat, Registration } from './model.ts';
import { publishReachability } from './users.ts';

const REGISTRATIONS = '/*/registrations';

/** Where devices register for push notifications: RegistrarConnector.js of the notifications SDK. */
export function registrationRoutes(chat: Chat): readonly Route[] {
  return [
    route('POST', REGISTRATIONS, (request) => {
      const { id } = register(chat, request.identity, jsonBody(request));
      return { status: 201, body: { id } };
    }),
    // `removePushRegistrations`: by address, and by nobody but the owner.
    route('DELETE', REGISTRATIONS, (request) => {
      const { binding_type, address } = jsonBody(request);
      forget(
        chat,
        request.identity,
        (known) => known.channelType === binding_type && known.address === address,
      );
      return { status: 204 };
    }),
    // The SDK asks again and again if it is told that there is none, so it is not.
    route('DELETE', `${REGISTRATIONS}/:id`, (request, id) => {
      forget(chat, request.identity, (known) => known.id === id);
      return { status: 204 };
    }),
  ];
}

/** A device registers again whenever what it wants to hear of changes. */
function register(chat: Chat, identity: string, request: JsonRecord): Registration {
  const { channel_type: channelType, message_types: messageTypes, data } = request;
  const address = isRecord(data) ? data['registration_id'] : undefined;
  if (channelType !== 'fcm' && channelType !== 'apn')
    throw refuse('invalidRequest', 'channel_type');
  if (typeof address !== 'string' || address === '') throw refuse('invalidRequest', 'address');
  if (!isTexts(messageTypes)) throw refuse('invalidRequest', 'message_types');

  const known = [...chat.registrations.values()].find(
    (one) =>
      one.identity === identity && one.channelType === channelType && one.address === address,
  );
  if (known !== undefined) {
    known.messageTypes = messageTypes;
    return known;
  }
  const id = newSid('BS');
  const dateCreated = chat.today();
  const registration: Registration = {
    id,
    identity,
    channelType,
    address,
    messageTypes,
    dateCreated,
  };
  chat.registrations.set(id, registration);
  publishReachability(chat, identity);
  return registration;
}

function forget(chat: Chat, identity: string, isMeant: (known: Registration) => boolean): void {
  for (const known of chat.registrations.values()) {
    if (known.identity === identity && isMeant(known)) chat.registrations.delete(known.id);
  }
  publishReachability(chat, identity);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

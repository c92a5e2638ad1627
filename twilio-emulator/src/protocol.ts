import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import { createClient, type Clients, type ConnectedClient } from './clients.ts';
import type { Credentials } from './config.ts';
import { reason } from './errors.ts';
import { decodeFrame, type Frame } from './framing.ts';
import type { Interceptors } from './interceptors.ts';
import type { JsonRecord } from './json.ts';
import { createLink, type Link } from './link.ts';
import type { Recorder } from './recorder.ts';
import { answerRequest, type AskFirst } from './requests.ts';
import type { Route } from './router.ts';
import { checkToken } from './token.ts';

/** What every connection works with. */
export interface Service {
  readonly config: Credentials;
  readonly now: () => number;
  readonly routes: readonly Route[];
  readonly clients: Clients;
  readonly interceptors: Interceptors;
  /** Asks the application; rejects with a TwilioError when that says no. Absent when nobody is to be asked. */
  readonly askFirst: AskFirst | undefined;
  readonly recorder: Recorder;
  /** Called when a client is gone, to forget what it followed. */
  readonly forget: (client: ConnectedClient) => void;
}

/** One connection; the client is there once a token was accepted. */
interface Session {
  readonly service: Service;
  readonly link: Link;
  readonly origin: string;
  client: ConnectedClient | undefined;
}

/** A connection that has not introduced itself after this long is cut. */
const INTRODUCTION_MS = 10_000;

/** Serves one websocket until it closes. `origin` is the address the client came to. */
export function serve(service: Service, socket: WebSocket, origin: string): void {
  const session: Session = { service, link: createLink(socket), origin, client: undefined };
  const introduction = setTimeout(session.link.drop, INTRODUCTION_MS).unref();

  socket.on('message', (data, isBinary) => {
    // Text is not part of the protocol; and binary messages arrive in one Buffer each by default.
    const frame = isBinary && Buffer.isBuffer(data) ? decodeFrame(data) : null;
    receive(session, frame);
    if (session.client !== undefined) clearTimeout(introduction);
  });
  // Breaches of the websocket protocol, too long messages among them: ws closes the socket itself.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clearTimeout(introduction);
    if (session.client === undefined) return;
    service.clients.remove(session.client);
    service.forget(session.client);
  });
}

function receive(session: Session, frame: Frame | null): void {
  const { service, link, client } = session;
  if (!link.open()) return;
  if (frame === null) {
    link.goodbye(400, 'BAD_REQUEST', { message: 'not a frame' });
    return;
  }
  service.recorder.record(client?.identity, frame);
  const { method, id } = frame.header;
  if (method === 'reply' || method === 'telemetry.v1') return;
  if (method === 'close') link.drop();
  else if (typeof id !== 'string') link.goodbye(400, 'BAD_REQUEST', { message: 'no frame id' });
  else if (client === undefined) introduce(session, id, frame.header);
  else obey(session, client, id, frame);
}

/** The first frame has to be `init` with a good token. */
function introduce(session: Session, id: string, header: JsonRecord): void {
  const { service, link } = session;
  if (header['method'] !== 'init') {
    reply(link, id, { code: 401, description: 'init must come first' });
    return;
  }
  const token = checkToken(header['token'], service.config, service.now());
  if (!token.ok) {
    reply(link, id, { code: 401, errorCode: token.code, description: token.description });
    return;
  }
  const { identity, expiresAt } = token;
  session.client = createClient(link, identity, expiresAt, service.interceptors);
  service.clients.add(session.client);
  reply(link, id, { code: 200 }, continuation(header['continuation_token']));
}

function continuation(known: unknown): JsonRecord {
  const isKnown = typeof known === 'string';
  return {
    continuation_token: isKnown ? known : randomUUID(),
    continuation_token_status: isKnown
      ? { reissued: false }
      : { reissued: true, reissue_reason: 'MISSING', reissue_message: '' },
    capabilities: ['client_update'],
    // Empty: browsers are to keep no copy of what they read.
    offline_storage: {},
    init_registrations: [],
    debug_info: {},
  };
}

function obey(session: Session, client: ConnectedClient, id: string, frame: Frame): void {
  const { service, link, origin } = session;
  switch (frame.header['method']) {
    case 'message':
      void answerRequest(service, client, origin, frame).then((answer) => {
        if (answer !== null) link.send({ method: 'reply', id, ...answer.header }, answer.payload);
        if (link.open()) answer?.after?.();
      });
      return;
    case 'update':
      refresh(service, client, id, frame.header['token']);
      return;
    case 'put_notification_ctx':
    case 'delete_notification_ctx':
      reply(link, id, { code: 200 });
      return;
    default:
      reply(link, id, { code: 400, description: 'unknown method' });
  }
}

/** Takes a new token for the same identity; a bad one changes nothing. */
function refresh(service: Service, client: ConnectedClient, id: string, token: unknown): void {
  const checked = checkToken(token, service.config, service.now());
  if (!checked.ok) {
    const { code: errorCode, description } = checked;
    reply(client.link, id, { code: 401, errorCode, description });
  } else if (checked.identity !== client.identity) {
    const description = 'The identity of a connection cannot change';
    reply(client.link, id, { code: 401, errorCode: 20106, description });
  } else {
    client.expiresAt = checked.expiresAt;
    client.warned = false;
    reply(client.link, id, { code: 200 });
  }
}

function reply(
  link: Link,
  id: string,
  status: { code: number; errorCode?: number; description?: string },
  more: JsonRecord = {},
): void {
  const text = reason(status.code).toUpperCase().replaceAll(' ', '_');
  link.send({ method: 'reply', id, status: { status: text, ...status }, ...more });
}

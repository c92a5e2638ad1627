import type { IncomingMessage } from 'node:http';
import type { Chat } from '../chat/model.ts';
import type { Credentials } from '../config.ts';
import { asTwilioError, TwilioError } from '../errors.ts';
import { inflicted, type Interceptors, type RequestFate } from '../interceptors.ts';
import type { OriginOf } from '../origin.ts';
import { checkToken } from '../token.ts';
import { failure, sendReply, type HttpHandler, type Reply } from './http.ts';
import { createTemporaryLinks } from './links.ts';
import { answerIdentity, answerLink, type MediaRequest, type MediaStore } from './routes.ts';
import { mediaRoot } from './urls.ts';

/** What the media service works with. */
export interface MediaService {
  readonly config: Credentials;
  readonly now: () => number;
  readonly chat: Chat;
  readonly interceptors: Interceptors;
  readonly origin: OriginOf;
}

/** Twilio's Media Content Service: takes the files of a chat, and gives them to who may have them. */
export function createMediaHandler(service: MediaService): HttpHandler {
  const { serviceSid } = service.config;
  const root = mediaRoot(serviceSid);
  const links = createTemporaryLinks(service.now);
  const store: MediaStore = { chat: service.chat, serviceSid, links };

  return (http, response, next) => {
    const [path = '', query] = (http.url ?? '').split('?', 2);
    if (!path.startsWith(root)) {
      next();
      return;
    }
    const request: MediaRequest = {
      http,
      method: http.method ?? '',
      path: path.slice(root.length),
      query: new URLSearchParams(query),
      origin: service.origin(http),
    };
    void answer(service, store, request)
      .catch(toReply)
      .then((reply) => {
        if (reply !== null) sendReply(http, response, reply);
      });
  };
}

/** Null: there is to be no answer. */
async function answer(
  service: MediaService,
  store: MediaStore,
  request: MediaRequest,
): Promise<Reply | null> {
  const { http, method, path } = request;
  // What browsers ask before they send a header of the SDK's.
  if (method === 'OPTIONS') return { status: 200, body: new Uint8Array() };
  const linked = answerLink(store, request);
  if (linked !== null) return linked;

  const identity = identify(service, http.headers['x-twilio-token']);
  const fullPath = mediaRoot(store.serviceSid) + path;
  const fate = await service.interceptors.decide({ identity, method, path: fullPath, payload: '' });
  if (fate?.when === 'before') return suffer(http, fate);
  const reply = await answerIdentity(store, identity, request).catch(toReply);
  return fate === undefined ? reply : suffer(http, fate);
}

function toReply(error: unknown): Reply {
  return failure(asTwilioError(error));
}

function identify({ config, now }: MediaService, header: unknown): string {
  const token = checkToken(header, config, now());
  if (!token.ok) throw new TwilioError(401, token.code, token.description);
  return token.identity;
}

function suffer(http: IncomingMessage, fate: RequestFate): Reply | null {
  if (fate.then === 'fail') return failure(inflicted(fate.status));
  if (fate.then === 'disconnect') http.socket.destroy();
  return null;
}

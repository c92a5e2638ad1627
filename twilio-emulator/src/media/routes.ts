import type { IncomingMessage } from 'node:http';
import { findMedia, mediaOf, storeMedia, usesOf } from '../chat/media.ts';
import type { Chat, Media } from '../chat/model.ts';
import { asTwilioError, refuse } from '../errors.ts';
import { isRecord, parseJson } from '../json.ts';
import type { Reply } from './http.ts';
import type { TemporaryLinks } from './links.ts';
import { readAtMost, readUpload } from './upload.ts';
import { mediaServiceUrl } from './urls.ts';

/** What requests for media are answered from. */
export interface MediaStore {
  readonly chat: Chat;
  readonly serviceSid: string;
  readonly links: TemporaryLinks;
}

/** A request for media. */
export interface MediaRequest {
  readonly http: IncomingMessage;
  readonly method: string;
  /** Below the root of the service: `Media`, `Media/ME…`, `Media/ME…/Content`, `MediaSet`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The address the client came to. */
  readonly origin: string;
}

const PATH = /^(\w+)(?:\/(ME\w+)(\/Content)?)?$/;

const MAX_SET_BYTES = 64 * 1024;

/** Answers whoever has a temporary link; it needs no token. Null: the request has no such link. */
export function answerLink({ chat, links }: MediaStore, request: MediaRequest): Reply | null {
  const { method, path, query } = request;
  const [, , sid = '', content] = PATH.exec(path) ?? [];
  if (method !== 'GET' || content === undefined || !query.has('Signature')) return null;
  if (!links.admits(sid, query)) throw refuse('notAllowed', 'the link is wrong or has expired');
  return contentOf(mediaOf(chat, sid));
}

/** Answers an identity, or throws a `TwilioError`. */
export async function answerIdentity(
  store: MediaStore,
  identity: string,
  request: MediaRequest,
): Promise<Reply> {
  const { chat } = store;
  const { http, method, path, query, origin } = request;
  const [, name = '', sid = '', content = ''] = PATH.exec(path) ?? [];
  switch (`${method} ${name}${sid && '/:sid'}${content}`) {
    case 'POST Media': {
      const media = storeMedia(chat, identity, await readUpload(http, query));
      return { status: 201, body: recordOf(store, media, origin) };
    }
    case 'GET Media/:sid':
      return { status: 200, body: recordOf(store, findMedia(chat, sid, identity), origin) };
    case 'GET Media/:sid/Content':
      return contentOf(findMedia(chat, sid, identity));
    case 'POST MediaSet': {
      const sids = await readSet(http);
      return { status: 200, body: sids.map((one) => setItem(store, identity, one, origin)) };
    }
    default:
      throw refuse('unknownPath', `${method} ${path.slice(0, 200)}`);
  }
}

function contentOf({ bytes, contentType }: Media): Reply {
  return { status: 200, headers: { 'Content-Type': contentType }, body: bytes };
}

function recordOf({ chat, serviceSid, links }: MediaStore, media: Media, origin: string): object {
  const { sid } = media;
  const [use] = usesOf(chat, sid);
  const url = `${mediaServiceUrl(origin, serviceSid)}/${sid}`;
  const content = `${url}/Content`;
  return {
    sid,
    service_sid: serviceSid,
    channel_sid: use?.channel.sid ?? null,
    message_sid: use?.message.sid ?? null,
    author: media.author,
    size: media.bytes.length,
    content_type: media.contentType,
    filename: media.filename,
    category: media.category,
    is_multipart_upstream: false,
    date_created: media.dateCreated,
    date_updated: media.dateUpdated,
    date_upload_updated: media.dateUpdated,
    url,
    links: { content, content_direct_temporary: `${content}?${links.sign(sid)}` },
  };
}

/** The sids in a request for several records; only Conversations makes it. */
async function readSet(http: IncomingMessage): Promise<readonly string[]> {
  const body = parseJson((await readAtMost(http, MAX_SET_BYTES))?.toString() ?? '');
  const list = isRecord(body) && body['command'] === 'get' ? body['list'] : undefined;
  if (!Array.isArray(list)) throw refuse('invalidRequest', 'not a list of media');
  return list.map((one: unknown) => String(isRecord(one) ? one['media_sid'] : ''));
}

function setItem(store: MediaStore, identity: string, sid: string, origin: string): object {
  try {
    const media = findMedia(store.chat, sid, identity);
    return { code: 200, media_record: recordOf(store, media, origin) };
  } catch (error) {
    return { code: asTwilioError(error).status, media_record: { sid } };
  }
}

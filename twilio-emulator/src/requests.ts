import type { ConnectedClient } from './clients.ts';
import { asTwilioError, reason, refuse, type TwilioError } from './errors.ts';
import type { Frame } from './framing.ts';
import { inflicted, type Interceptors, type RequestFate } from './interceptors.ts';
import { isRecord, type JsonRecord } from './json.ts';
import { decodeLeniently, dispatch, type Answer, type Request, type Route } from './router.ts';

/** The reply to a request, ready to be framed. */
export interface RequestReply {
  readonly header: JsonRecord;
  readonly payload: object | undefined;
  readonly after: (() => void) | undefined;
}

/** Asks whether a request may be carried out. */
export type AskFirst = (request: Request) => Promise<void>;

/** Answers the HTTP-like request in a frame; null: there is to be no reply. */
export async function answerRequest(
  service: {
    readonly routes: readonly Route[];
    readonly interceptors: Interceptors;
    readonly askFirst: AskFirst | undefined;
  },
  caller: ConnectedClient,
  origin: string,
  frame: Frame,
): Promise<RequestReply | null> {
  const request = parseRequest(caller, origin, frame);
  if (request === null) return toReply(failure(refuse('invalidRequest', 'no http_request')));
  const fate = await service.interceptors.decide(request);
  if (fate?.when === 'before') return suffer(caller, fate);
  const refusal = await refusalOf(service.askFirst, request);
  const answer = refusal ?? attempt(() => dispatch(service.routes, request));
  return fate === undefined ? toReply(answer) : suffer(caller, fate);
}

function parseRequest(caller: ConnectedClient, origin: string, frame: Frame): Request | null {
  const http = frame.header['http_request'];
  if (!isRecord(http)) return null;
  const { method, path, params } = http;
  if (typeof method !== 'string' || typeof path !== 'string') return null;
  const query = new Map<string, string>();
  for (const [name, value] of Object.entries(isRecord(params) ? params : {})) {
    const first: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof first === 'string') query.set(decodeLeniently(name), decodeLeniently(first));
  }
  const { identity } = caller;
  return { identity, method, path, query, payload: frame.payload, caller, origin };
}

async function refusalOf(askFirst: AskFirst | undefined, request: Request): Promise<Answer | null> {
  try {
    await askFirst?.(request);
    return null;
  } catch (error) {
    return failure(asTwilioError(error));
  }
}

function attempt(action: () => Answer): Answer {
  try {
    return action();
  } catch (error) {
    return failure(asTwilioError(error));
  }
}

function suffer(caller: ConnectedClient, fate: RequestFate): RequestReply | null {
  if (fate.then === 'fail') return toReply(failure(inflicted(fate.status)));
  if (fate.then === 'disconnect') caller.link.drop();
  return null;
}

function failure({ status, code, message }: TwilioError): Answer {
  return { status, body: { status, code, message } };
}

function toReply({ status, body, after }: Answer): RequestReply {
  const header = {
    status: { code: 200, status: 'OK' },
    http_status: { code: status, status: reason(status) },
    http_headers: {},
  };
  return { header, payload: body, after };
}

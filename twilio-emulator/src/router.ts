import { isRecord, parseJson, type JsonRecord } from './json.ts';
import { refuse } from './errors.ts';
import type { Subscriber } from './sync/entity.ts';

/** A request a client sent through its websocket. */
export interface Request {
  /** Who asks, by the access token. */
  readonly identity: string;
  readonly method: string;
  /** Still percent-encoded. */
  readonly path: string;
  /** Decoded; of a repeated name the first. */
  readonly query: ReadonlyMap<string, string>;
  readonly payload: string;
  readonly caller: Subscriber;
  /** Where media can be had over HTTP: the origin the client connected to. */
  readonly origin: string;
}

/** What a request is answered with. */
export interface Answer {
  readonly status: number;
  readonly body?: object;
  /** What to do once the answer is on its way. */
  readonly after?: () => void;
}

/** One kind of request: method, path pattern, and what answers it. */
export interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly handle: (request: Request, ...parameters: string[]) => Answer;
}

/**
 * A route. In the path, `*` stands for any one segment, `:name` for a segment given to the handler,
 * and `:name+` for the whole rest: twilio-chat does not encode identities in paths.
 */
export function route(method: string, path: string, handle: Route['handle']): Route {
  const source = path
    .replaceAll('*', '[^/]+')
    .replaceAll(/:\w+\+/g, '(.+)')
    .replaceAll(/:\w+/g, '([^/]+)');
  return { method, pattern: new RegExp(`^${source}$`), handle };
}

/** Answers a request by the first route that fits, or throws a `TwilioError`. */
export function dispatch(routes: readonly Route[], request: Request): Answer {
  for (const { method, pattern, handle } of routes) {
    if (method !== request.method) continue;
    const match = pattern.exec(request.path);
    if (match !== null) return handle(request, ...match.slice(1).map(decodeLeniently));
  }
  throw refuse('unknownPath', `${request.method} ${request.path.slice(0, 200)}`);
}

/** Percent-decoding that leaves alone what is not encoded properly. */
export function decodeLeniently(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The JSON object a request carries; anything else is refused. */
export function jsonBody(request: Request): JsonRecord {
  const body = parseJson(request.payload);
  if (!isRecord(body)) throw refuse('invalidRequest', 'the payload is not a JSON object');
  return body;
}

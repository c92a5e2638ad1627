import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import type { TwilioError } from '../errors.ts';

/** Answers an HTTP request or leaves it to `next`: what Express calls a middleware. */
export type HttpHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
) => void;

/** What a request is answered with. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes are sent as they are, anything else as JSON. */
  readonly body: object;
}

const HEADERS = {
  // Pages of any origin may ask: there are no cookies; they have to know a token, or a link.
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'GET, POST, OPTIONS',
  'Access-Control-Allow-Headers': 'Content-Type, X-Twilio-Token',
  'Cache-Control': 'no-store',
  // Files come from anybody: one that is opened as a page gets no scripts and not the origin of
  // the application that may be served from the same address.
  'Content-Security-Policy': "sandbox; default-src 'none'",
  'X-Content-Type-Options': 'nosniff',
};

/** The answer that an error makes, in Twilio's shape. */
export function failure({ status, code, message }: TwilioError): Reply {
  return { status, body: { status, code, message } };
}

/**
 * Sends an answer at once, but ends it only when the request is all there: clients that close the
 * connection after it would otherwise be cut off while they still send, and never read it.
 */
export function sendReply(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: Reply,
): void {
  const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
  const type = { 'Content-Type': 'application/json', 'Content-Length': bytes.length };
  response.writeHead(status, { ...HEADERS, ...type, ...headers });
  response.write(bytes);
  request.resume();
  finished(request, () => response.end());
}

import express, { type Request, type RequestHandler, type Response } from 'express';
import type { Identity } from 'twilio-chat-encryption/protocol';
import { z } from 'zod';
import { ServerError } from '../domain/errors.ts';
import type { Session } from '../domain/sessions.ts';
import type { Authenticate } from './authenticate.ts';
import { conditionsOf, quoted, type Conditions } from './conditions.ts';
import { unsupportedMediaType } from './problem.ts';
import { addressKey, type Limiters } from './rate-limit.ts';

/** What a route takes: the schema of its body and how long that may be. */
export interface BodySpec<Body> {
  readonly schema: z.ZodType<Body>;
  /** In bytes; 0 for a route without a body. */
  readonly limit: number;
}

/** For routes without a body. */
export const NO_BODY: BodySpec<undefined> = { schema: z.undefined(), limit: 0 };

/** What stands behind the question mark. */
export type Query = Readonly<Record<string, string>>;

/** What the handler of a route gets: nothing that was not checked. */
export interface Call<Body> {
  readonly body: Body;
  /** The path parameter `:id`, or empty. */
  readonly id: string;
  /** The query, each name once. */
  readonly query: Query;
  /** What has to be so for the request to be carried out. */
  readonly conditions: Conditions;
  /** Whom the sender counts as for rate limits. */
  readonly address: string;
}

/** What the handler of a route for people who signed in gets. */
export interface SessionCall<Body> extends Call<Body> {
  /** The session's: nothing else says who calls. */
  readonly identity: Identity;
  readonly session: Session;
}

/** What a handler answers. */
interface Answer {
  readonly status: number;
  /** Null for none. */
  readonly body: object | null;
  /** Tells what is answered, or was stored, from what is there later. */
  readonly etag?: string;
}

type Method = 'get' | 'post' | 'put' | 'delete';

/** One route, ready to mount. */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly handler: (context: RouteContext) => RequestHandler;
}

/** What all routes share. */
export interface RouteContext {
  readonly authenticate: Authenticate;
  readonly limiters: Limiters;
}

interface RouteSpec<Body, Given> {
  readonly method: Method;
  readonly path: string;
  readonly body: BodySpec<Body>;
  readonly answer: (call: Given) => Promise<Answer> | Answer;
}

/** A route that anybody may call. */
export function publicRoute<Body>(spec: RouteSpec<Body, Call<Body>>): Route {
  const { method, path, body, answer } = spec;
  const handler = ({ limiters }: RouteContext): RequestHandler => {
    const read = bodyReader(body);
    return async (req, res) => {
      const address = addressKey(req.ip, req.socket.remoteAddress);
      await limiters.routeByAddress.consume(`${method} ${path} ${address}`);
      send(res, await answer(callOf(req, await read(req, res), address)));
    };
  };
  return { method, path, handler };
}

interface SessionRouteSpec<Body> extends RouteSpec<Body, SessionCall<Body>> {
  /** Requests that change something are counted on all servers together. */
  readonly changes?: boolean;
}

/** A route for people who signed in. */
export function sessionRoute<Body>(spec: SessionRouteSpec<Body>): Route {
  const { method, path, body, answer, changes = false } = spec;
  const handler = ({ authenticate, limiters }: RouteContext): RequestHandler => {
    const read = bodyReader(body);
    const byIdentity = changes ? limiters.changeByIdentity : limiters.routeByIdentity;
    return async (req, res) => {
      const address = addressKey(req.ip, req.socket.remoteAddress);
      await limiters.routeByAddress.consume(`${method} ${path} ${address}`);
      const session = await authenticate(req);
      const { identity } = session;
      await byIdentity.consume(`${method} ${path} ${identity}`);
      const call = callOf(req, await read(req, res), address);
      send(res, await answer({ ...call, identity, session }));
    };
  };
  return { method, path, handler };
}

function callOf<Body>(req: Request, body: Body, address: string): Call<Body> {
  return { body, id: idOf(req), query: queryOf(req), conditions: conditionsOf(req), address };
}

function send(res: Response, { status, body, etag }: Answer): void {
  if (etag !== undefined) res.set('ETag', quoted(etag));
  res.status(status);
  if (body === null) res.end();
  else res.json(body);
}

function idOf(req: Request): string {
  const { id } = req.params;
  return typeof id === 'string' ? id : '';
}

// Express's parsers make arrays and objects of what comes: here a name has one text.
function queryOf(req: Request): Query {
  const [, text = ''] = /\?(.*)$/.exec(req.originalUrl) ?? [];
  // What is not UTF-8 would be read as another text, with marks in its place.
  if (!isDecodable(text)) throw new ServerError('INVALID_REQUEST', 'The query is malformed.');
  const parameters = new URLSearchParams(text);
  const names = [...parameters.keys()];
  if (new Set(names).size === names.length) return Object.fromEntries(parameters);
  throw new ServerError('INVALID_REQUEST', 'The query has a name twice.');
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

// Stricter than the parser, which also takes UTF-7, UTF-16 and UTF-32.
const JSON_TYPE = /^application\/json *(?:; *charset="?utf-8"? *)?$/i;

/** Reads and checks the body only when its turn comes: after the limits and the session. */
function bodyReader<Body>({ schema, limit }: BodySpec<Body>) {
  const parser = express.json({ limit, inflate: false, type: 'application/json' });
  return async (req: Request, res: Response): Promise<Body> => {
    if (limit > 0) {
      if (!JSON_TYPE.test(req.headers['content-type'] ?? '')) throw unsupportedMediaType();
      await runParser(parser, req, res);
    }
    const parsed = schema.safeParse(req.body);
    if (!parsed.success) throw new ServerError('INVALID_REQUEST', describe(parsed.error));
    return parsed.data;
  };
}

/** Lets one of Express's parsers read a body. */
export function runParser(parser: RequestHandler, req: Request, res: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: unknown): void => {
      if (error === undefined) resolve();
      // Its message quotes the body: say what happened in our own words.
      else if (error instanceof SyntaxError) reject(invalidJson());
      else reject(error instanceof Error ? error : new Error('The body could not be read'));
    };
    void parser(req, res, done);
  });
}

function invalidJson(): ServerError {
  return new ServerError('INVALID_JSON', 'The body is not a JSON object.');
}

/**
 * Checks a query.
 *
 * @throws ServerError `INVALID_REQUEST`
 */
export function parseQuery<T>(schema: z.ZodType<T>, query: Query): T {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  throw new ServerError('INVALID_REQUEST', describe(parsed.error));
}

function describe(error: z.ZodError): string {
  const issues = error.issues.slice(0, 5);
  return issues
    .map(({ path, message }) => `${path.length === 0 ? 'body' : path.join('.')}: ${message}`)
    .join('; ')
    .slice(0, 500);
}

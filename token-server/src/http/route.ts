import type { Request, RequestHandler, Response } from 'express';
import type { Identity } from 'twilio-chat-encryption/protocol';
import type { z } from 'zod';
import type { ServerErrorCode } from '../domain/errors.ts';
import type { Session } from '../domain/sessions.ts';
import type { Authenticate } from './authenticate.ts';
import { conditionsOf, quoted, type Conditions } from './conditions.ts';
import { inputReader, parse, type InputSpec } from './input.ts';
import { addressKey, type Limiters } from './rate-limit.ts';
import { createUnread } from './unread.ts';

/** What the handler of a route gets: nothing that was not checked. */
export interface Call<Input> {
  /** The body, or the query. */
  readonly input: Input;
  /** The path parameter `:id`, or empty. */
  readonly id: string;
  /** What has to be so for the request to be carried out. */
  readonly conditions: Conditions;
  /** Whom the sender counts as for rate limits. */
  readonly address: string;
}

/** What the handler of a route for people who signed in gets. */
export interface SessionCall<Input> extends Call<Input> {
  /** The session's: nothing else says who calls. */
  readonly identity: Identity;
  readonly session: Session;
}

/** What a handler answers. */
type Answer<Result> = Body<Result> & {
  /** Tells what is answered, or was stored, from what is there later. */
  readonly etag?: string;
};

/** A value, or its JSON in UTF-8 when that is there already. */
type Body<Result> = { readonly body: Result } | { readonly json: Buffer };

/** What a route answers when it does what it was asked. */
export interface AnswerSpec<Result> {
  readonly status: 200 | 201 | 204;
  /** Null for no body. */
  readonly schema: z.ZodType<Result> | null;
  /** Default: `application/json`. */
  readonly type?: 'text/plain';
  readonly hasEtag?: boolean;
}

/** For routes that have nothing to say. */
export const NO_CONTENT: AnswerSpec<null> = { status: 204, schema: null };

type Method = 'get' | 'post' | 'put' | 'delete';

/** What a request has to carry to be believed. */
export type Security = 'session' | 'metricsToken' | 'twilioSignature';

/** What a route takes and answers, as the document of all routes tells it. */
export interface Operation {
  /** A line for people. */
  readonly summary: string;
  readonly security: Security | null;
  /** The path parameter `:id`. */
  readonly id?: z.ZodType<string> | undefined;
  readonly takes: InputSpec<unknown>;
  /** The headers that are read beside that of who sent it. */
  readonly headers?: z.ZodType | undefined;
  readonly answers: AnswerSpec<unknown>;
  /** All codes that it refuses with. */
  readonly errors: readonly ServerErrorCode[];
}

/** One route, ready to mount. */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly operation: Operation;
  readonly handler: (context: RouteContext) => RequestHandler;
}

/** What all routes share. */
export interface RouteContext {
  readonly authenticate: Authenticate;
  readonly limiters: Limiters;
}

interface RouteSpec<Input, Result, Given> {
  readonly method: Method;
  readonly path: string;
  readonly summary: string;
  readonly id?: z.ZodType<string>;
  readonly takes: InputSpec<Input>;
  readonly headers?: z.ZodType;
  readonly answers: AnswerSpec<Result>;
  /** Beside those of every such route. */
  readonly errors?: readonly ServerErrorCode[];
  readonly answer: (call: Given) => Promise<Answer<Result>> | Answer<Result>;
}

/** A route that anybody may call. */
export function publicRoute<Input, Result>(spec: RouteSpec<Input, Result, Call<Input>>): Route {
  const { method, path, answers, answer } = spec;
  const handler = ({ limiters }: RouteContext): RequestHandler => {
    const read = callReader(spec);
    return async (req, res) => {
      const address = addressKey(req.ip, req.socket.remoteAddress);
      await limiters.routeByAddress.consume(`${method} ${path} ${address}`);
      send(res, answers, await answer(await read(req, res, address)));
    };
  };
  return { method, path, operation: operationOf(spec, null), handler };
}

interface SessionRouteSpec<Input, Result> extends RouteSpec<Input, Result, SessionCall<Input>> {
  /** Requests that change something are counted on all servers together. */
  readonly changes?: boolean;
}

/** A route for people who signed in. */
export function sessionRoute<Input, Result>(spec: SessionRouteSpec<Input, Result>): Route {
  const { method, path, answers, answer, changes = false } = spec;
  const handler = ({ authenticate, limiters }: RouteContext): RequestHandler => {
    const read = callReader(spec);
    const byIdentity = changes ? limiters.changeByIdentity : limiters.routeByIdentity;
    const unread = createUnread();
    return async (req, res) => {
      const address = addressKey(req.ip, req.socket.remoteAddress);
      await limiters.routeByAddress.consume(`${method} ${path} ${address}`);
      const session = await authenticate(req);
      const { identity } = session;
      await byIdentity.consume(`${method} ${path} ${identity}`);
      const call = await read(req, res, address);
      const result = await answer({ ...call, identity, session });
      if ('json' in result) unread.add(identity, res, result.json.length);
      send(res, answers, result);
    };
  };
  return { method, path, operation: operationOf(spec, 'session'), handler };
}

/** Of every route: a query that is none, limits, and what is nobody's fault who asks. */
const ALWAYS = ['INVALID_REQUEST', 'RATE_LIMITED', 'INTERNAL', 'UNAVAILABLE'] as const;
const OF_BODIES = ['INVALID_JSON', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const;
const OF_SESSIONS = [
  'UNAUTHENTICATED',
  'SESSION_INVALID',
  'SESSION_EXPIRED',
  // A token of the application's own sign-in may name somebody who cannot be.
  'INVALID_IDENTITY',
] as const;

function operationOf<Input, Result, Given>(
  { summary, id, takes, headers, answers, errors = [] }: RouteSpec<Input, Result, Given>,
  security: 'session' | null,
): Operation {
  const all = [
    ...ALWAYS,
    ...(takes.place === 'body' ? OF_BODIES : []),
    ...(security === null ? [] : OF_SESSIONS),
    ...errors,
  ];
  return { summary, security, id, takes, headers, answers, errors: all };
}

/** Reads and checks a request only when its turn comes: after the limits and the session. */
function callReader<Input, Result, Given>({ id, takes }: RouteSpec<Input, Result, Given>) {
  const read = inputReader(takes);
  return async (req: Request, res: Response, address: string): Promise<Call<Input>> => ({
    input: await read(req, res),
    id: id === undefined ? '' : parse(id, req.params['id']),
    conditions: conditionsOf(req),
    address,
  });
}

function send<Result>(
  res: Response,
  { status, schema }: AnswerSpec<Result>,
  answer: Answer<Result>,
): void {
  if (answer.etag !== undefined) res.set('ETag', quoted(answer.etag));
  res.status(status);
  if (schema === null) res.end();
  else if ('json' in answer) res.type('application/json').send(answer.json);
  else res.json(answer.body);
}

import { isUtf8 } from 'node:buffer';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import { ServerError } from '../domain/errors.ts';
import { onlyHeader } from './only-header.ts';
import { unsupportedMediaType } from './problem.ts';

/** What a route is told, where that stands, and the schema that it is checked with. */
export type InputSpec<Input> =
  | BodySpec<Input>
  | { readonly place: 'query'; readonly schema: z.ZodType<Input> }
  | { readonly place: 'none'; readonly schema: z.ZodType<Input> };

/** A body, with its type and its most bytes. */
interface BodySpec<Input> {
  readonly place: 'body';
  readonly type: 'application/json' | 'application/x-www-form-urlencoded';
  readonly schema: z.ZodType<Input>;
  readonly limit: number;
}

/** For routes that are told nothing. */
export const NOTHING: InputSpec<undefined> = { place: 'none', schema: z.undefined() };

/**
 * A body of JSON.
 *
 * @param limit - its most bytes
 */
export function jsonBody<Input>(schema: z.ZodType<Input>, limit: number): InputSpec<Input> {
  return { place: 'body', type: 'application/json', schema, limit };
}

/** Parameters behind the question mark. */
export function inQuery<Input>(schema: z.ZodType<Input>): InputSpec<Input> {
  return { place: 'query', schema };
}

/** Reads what a request says, and checks it. */
export type InputReader<Input> = (req: Request, res: Response) => Promise<Input>;

/**
 * Makes the reader of a route. It rejects with ServerError `INVALID_REQUEST` and, for a body,
 * `INVALID_JSON`, `BODY_TOO_LARGE` and `UNSUPPORTED_MEDIA_TYPE`.
 */
export function inputReader<Input>(spec: InputSpec<Input>): InputReader<Input> {
  const read = spec.place === 'body' ? bodyReader(spec.limit) : undefined;
  return async (req, res) => {
    const body = await read?.(req, res);
    const query = queryOf(req);
    return parse(spec.schema, spec.place === 'query' ? query : body);
  };
}

/**
 * Checks what was sent.
 *
 * @throws ServerError `INVALID_REQUEST` with the first mistakes
 */
export function parse<T>(schema: z.ZodType<T>, sent: unknown): T {
  const parsed = schema.safeParse(sent);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.length === 0 ? 'body' : path.join('.')}: ${message}`);
  throw new ServerError('INVALID_REQUEST', mistakes.join('; ').slice(0, 500));
}

// Stricter than the parser, which also takes UTF-7, UTF-16 and UTF-32.
const JSON_TYPE = /^application\/json *(?:; *charset="?utf-8"? *)?$/i;

function bodyReader(limit: number): InputReader<unknown> {
  const parser = express.json({
    limit,
    inflate: false,
    type: 'application/json',
    verify: requireUtf8,
  });
  return async (req, res) => {
    if (!JSON_TYPE.test(onlyHeader(req, 'content-type') ?? '')) throw unsupportedMediaType();
    await runParser(parser, req, res);
    const body: unknown = req.body;
    return body;
  };
}

/** The parser would read other bytes as marks, and two names as one. */
function requireUtf8(_req: unknown, _res: unknown, bytes: Buffer): void {
  if (!isUtf8(bytes)) throw invalidJson();
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
  return new ServerError('INVALID_JSON', 'The body is not a JSON object in UTF-8.');
}

// Express's parsers make arrays and objects of what comes: here a name has one text.
function queryOf(req: Request): Readonly<Record<string, string>> {
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

/** The committed document of the routes, and whether answers are as it says. */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { z } from 'zod';
import type { Sent } from './everything.ts';
import type { Reply } from './support.ts';

const Members = z.record(z.string(), z.unknown());

const Parameter = z.object({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean(),
});

const Operation = z.object({
  parameters: z.array(Parameter).default([]),
  requestBody: z
    .object({ description: z.string(), content: z.record(z.string(), z.unknown()) })
    .optional(),
  responses: z.record(z.string(), z.object({ $ref: z.string().optional() })),
});

const Document = z.looseObject({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.looseObject({ responses: z.record(z.string(), z.unknown()) }),
});

const file = new URL('../openapi.json', import.meta.url);

/** As it is in the file. */
export const DOCUMENT = Members.parse(JSON.parse(readFileSync(file, 'utf8')));

const document = Document.parse(DOCUMENT);
const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema(DOCUMENT, 'document');

const Problem = z.object({
  properties: z.object({ code: z.object({ enum: z.array(z.string()) }) }),
});

/** All codes of refusals. */
export const CODES: readonly string[] = Problem.parse(at(['components', 'schemas', 'Problem']))
  .properties.code.enum;

/** A method and a path of the document. */
export interface DocumentedOperation extends z.output<typeof Operation> {
  /** As in `POST /v1/accounts`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** Whether its body, if it is JSON, may be this one. */
  readonly takes: (body: unknown) => boolean;
  /** Whether what is in path, query and headers may be that. */
  readonly takesParameters: (sent: Pick<Sent, 'path' | 'headers'>) => boolean;
}

/** All of them. */
export const OPERATIONS: readonly DocumentedOperation[] = Object.entries(document.paths).flatMap(
  ([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const { requestBody, parameters } = operation;
      const place = ['paths', path, method];
      const inBody = [...place, 'requestBody', 'content', 'application/json', 'schema'];
      return {
        ...operation,
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        takes: (body) => !requestBody?.content['application/json'] || validator(...inBody)(body),
        takesParameters: (sent) =>
          parameters.every((parameter, index) => {
            const value = valueOf(parameter, path, sent);
            if (value === null) return !parameter.required;
            return validator(...place, 'parameters', String(index), 'schema')(value);
          }),
      };
    }),
);

function valueOf(
  { in: place, name }: z.output<typeof Parameter>,
  template: string,
  { path, headers = {} }: Pick<Sent, 'path' | 'headers'>,
): string | null {
  if (place === 'header') return headers[name.toLowerCase()] ?? null;
  const [before = '', query] = path.split('?');
  if (place === 'query') return new URLSearchParams(query).get(name);
  const [start = '', end = ''] = template.split('{id}');
  return before.slice(start.length, before.length - end.length);
}

/** What in an answer is other than the document says: nothing, if all is well. */
export function differences(
  { method, path, responses }: Pick<DocumentedOperation, 'method' | 'path' | 'responses'>,
  reply: Reply,
): readonly string[] {
  const response = responses[String(reply.status)];
  if (!response) return [`${reply.status} ${reply.text} is not in the document`];
  const place = response.$ref?.slice(2).split('/') ?? [
    ...['paths', path, method.toLowerCase(), 'responses', String(reply.status)],
  ];
  return [...headerDifferences(place, reply), ...bodyDifferences(place, reply)];
}

/** The same of an answer to whatever was sent; of one that no route of the document gives, nothing. */
export function differencesAt(method: string, path: string, reply: Reply): readonly string[] {
  if (reply.json['code'] === 'NOT_FOUND' || reply.json['code'] === 'METHOD_NOT_ALLOWED') {
    return problemDifferences(reply);
  }
  const [name = ''] = path.split('?');
  // Before the server's own handling, Node's refuses what is no HTTP to it, with nothing to say.
  const operation = reply.headers.has('x-request-id') && find(method, name);
  return operation ? differences(operation, reply) : [];
}

function find(method: string, path: string): DocumentedOperation | undefined {
  return OPERATIONS.find(
    (one) =>
      one.method === method &&
      new RegExp(`^${one.path.replaceAll('.', '\\.').replace('{id}', '[^/]+')}$`).test(path),
  );
}

/** The same of a refusal that belongs to no route. */
export function problemDifferences(reply: Reply): readonly string[] {
  if (reply.headers.get('content-type') !== PROBLEM) return ['This is no problem document'];
  return errorsOf(validator('components', 'schemas', 'Problem'), reply.json);
}

const PROBLEM = 'application/problem+json; charset=utf-8';

const Response = z.object({
  headers: z.record(z.string(), z.object({ $ref: z.string() })),
  content: z.record(z.string(), z.unknown()).default({}),
});

function headerDifferences(place: readonly string[], { headers }: Reply): readonly string[] {
  return Object.entries(Response.parse(at(place)).headers).flatMap(([name, { $ref }]) => {
    const value = headers.get(name);
    if (value === null) return [`There is no ${name}`];
    const validate = validator(...$ref.slice(2).split('/'), 'schema');
    // A header is text, whatever it tells.
    const isNumber = validate(1) && /^\d+$/.test(value);
    return errorsOf(validate, isNumber ? Number(value) : value);
  });
}

function bodyDifferences(
  place: readonly string[],
  { headers, text, json }: Reply,
): readonly string[] {
  const types = Object.keys(Response.parse(at(place)).content);
  const [type = ''] = (headers.get('content-type') ?? '').split(';');
  if (types.length === 0) return text === '' ? [] : ['There is a body'];
  if (!types.includes(type)) return [`The body is of the type ${type}`];
  const validate = validator(...place, 'content', type, 'schema');
  return errorsOf(validate, type.endsWith('json') ? json : text);
}

function errorsOf(validate: ValidateFunction, value: unknown): readonly string[] {
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function at(place: readonly string[]): unknown {
  return place.reduce<unknown>((value, name) => Members.parse(value)[name], DOCUMENT);
}

function validator(...place: readonly string[]): ValidateFunction {
  const pointer = place
    .map((name) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');
  const validate = ajv.getSchema(`document#/${pointer}`);
  if (!validate) throw new Error(`The document has nothing at ${pointer}`);
  return validate;
}

import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import type { ServerErrorCode } from '../domain/errors.ts';
import { ALL_CODES, statusOfCode } from './problem.ts';
import type { AnswerSpec, Operation, Route, Security } from './route.ts';

/** JSON that says something of other JSON. */
type Json = Readonly<Record<string, unknown>>;

/**
 * The routes as a document of OpenAPI 3.1, made of the schemas that they parse with and the codes that
 * they refuse with.
 *
 * @see https://spec.openapis.org/oas/v3.1.1.html
 */
export function describeRoutes(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const { method, path, operation } of routes) {
    const template = path.replace(':id', '{id}');
    paths[template] = { ...paths[template], [method]: operationOf(operation) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'twilio-chat-encryption-server',
      version: '1',
      description: ABOUT,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '..', description: 'Where this document comes from, without /v1.' }],
    paths,
    components: {
      schemas: { Problem: PROBLEM },
      responses: refusalComponents(routes),
      headers: HEADERS,
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

const ABOUT = [
  'Bodies are JSON; bytes in them are base64url without padding, times are milliseconds since 1970.',
  'Every refusal is a problem document (RFC 9457) with a code to act on, also for a path that there is',
  'not (NOT_FOUND) and for another method (METHOD_NOT_ALLOWED, with Allow). What is no HTTP at all is',
  'answered with a bare 400, 408, 417 or 431.',
].join(' ');

const PROBLEM: Json = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { const: 'about:blank' },
    title: { type: 'string', description: 'The name of the status.' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'A sentence for people.' },
    code: { enum: ALL_CODES, description: 'What programs act on.' },
  },
};

const HEADERS = {
  'X-Request-Id': {
    description: 'The name under which the request is in the log.',
    required: true,
    schema: { type: 'string', minLength: 32, maxLength: 36 },
  },
  'Cache-Control': { required: true, schema: { const: 'no-store' } },
  ETag: {
    description: 'Of the backup: the SHA-256 of its bytes.',
    required: true,
    schema: { type: 'string', pattern: '^"[A-Za-z0-9_-]{43}"$' },
  },
  'Retry-After': {
    description: 'Seconds to wait.',
    required: true,
    schema: { type: 'integer', minimum: 1 },
  },
  'WWW-Authenticate': { required: true, schema: { const: 'Bearer' } },
} as const;

const SECURITY_SCHEMES: Readonly<Record<Security, Json>> = {
  session: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: "Of POST /v1/sessions, or a token of the application's own sign-in.",
  },
  metricsToken: { type: 'http', scheme: 'bearer', description: 'METRICS_TOKEN.' },
  twilioSignature: { type: 'apiKey', in: 'header', name: 'X-Twilio-Signature' },
};

function operationOf(operation: Operation): Json {
  const { summary, security, answers, errors } = operation;
  const parameters = parametersOf(operation);
  const requestBody = requestBodyOf(operation);
  return {
    summary,
    ...(security !== null && { security: [{ [security]: [] }] }),
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && { requestBody }),
    responses: {
      ...successOf(answers),
      ...Object.fromEntries(
        [...refusalsOf(errors)].map(([name, { status }]) => [
          status,
          { $ref: `#/components/responses/${name}` },
        ]),
      ),
    },
  };
}

function parametersOf({ id, takes, headers }: Operation): readonly Json[] {
  return [
    ...(id === undefined
      ? []
      : [{ name: 'id', in: 'path', required: true, schema: schemaOf(id, 'input') }]),
    ...(takes.place === 'query' ? members('query', takes.schema) : []),
    ...(headers === undefined ? [] : members('header', headers)),
  ];
}

const Members = z.object({
  properties: z.record(z.string(), z.unknown()),
  required: z.array(z.string()).default([]),
});

/** The members of an object as parameters. */
function members(place: 'query' | 'header', schema: z.ZodType): readonly Json[] {
  const { properties, required } = Members.parse(schemaOf(schema, 'input'));
  return Object.entries(properties).map(([name, member]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: member,
  }));
}

function requestBodyOf({ takes }: Operation): Json | null {
  if (takes.place !== 'body') return null;
  return {
    description: `At most ${takes.limit} bytes.`,
    required: true,
    content: { [takes.type]: { schema: schemaOf(takes.schema, 'input') } },
  };
}

function successOf(answers: AnswerSpec<unknown>): Json {
  const { status, schema, type = 'application/json', hasEtag = false } = answers;
  return {
    [status]: {
      description: nameOf(status),
      headers: headers(...(hasEtag ? (['ETag'] as const) : [])),
      ...(schema && { content: { [type]: { schema: schemaOf(schema, 'output') } } }),
    },
  };
}

/** Codes with one status. */
interface Refusal {
  readonly status: number;
  readonly codes: readonly ServerErrorCode[];
}

/** The answers that refuse with these codes, by their names among the components. */
function refusalsOf(codes: readonly ServerErrorCode[]): ReadonlyMap<string, Refusal> {
  const byStatus = new Map<number, Set<ServerErrorCode>>();
  for (const code of codes) {
    const status = statusOfCode(code);
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  }
  return new Map(
    [...byStatus].map(([status, set]) => [[...set].join('.'), { status, codes: [...set] }]),
  );
}

/** Routes refuse alike: each answer is there once. */
function refusalComponents(routes: readonly Route[]): Json {
  const all = routes.flatMap(({ operation }) => [...refusalsOf(operation.errors)]);
  return Object.fromEntries(all.map(([name, refusal]) => [name, refusalOf(refusal)]));
}

function refusalOf({ status, codes }: Refusal): Json {
  const schema = {
    $ref: '#/components/schemas/Problem',
    properties: { status: { const: status }, code: { enum: codes } },
  };
  return {
    description: nameOf(status),
    headers: headers(
      ...(status === 401 ? (['WWW-Authenticate'] as const) : []),
      ...(status === 429 || status === 503 ? (['Retry-After'] as const) : []),
    ),
    content: { 'application/problem+json': { schema } },
  };
}

function headers(...more: readonly (keyof typeof HEADERS)[]): Json {
  const names = ['X-Request-Id', 'Cache-Control', ...more];
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function nameOf(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}

/** What the schema takes, or gives, without the name of the dialect: OpenAPI's own is the same one. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const members = Object.entries(z.toJSONSchema(schema, { io }));
  return Object.fromEntries(members.filter(([name]) => name !== '$schema'));
}

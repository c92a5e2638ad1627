/** The document of the routes: that it is one, that it is current, and that answers are as it says. */
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import fc from 'fast-check';
import { expect, inject, test } from 'vitest';
import { z } from 'zod';
import { CODES, differences, DOCUMENT, OPERATIONS, problemDifferences } from './documented.ts';
import { EXAMPLES, startEverything, type Everything, type Sent } from './everything.ts';
import { start } from './support.ts';

const isLong = inject('longRuns');
const numRuns = isLong ? 1000 : 50;

type Operation = (typeof OPERATIONS)[number];

function send({ request }: Everything, { method }: Operation, { path, ...options }: Sent) {
  return request(method, path, options);
}

test('the document is one of OpenAPI 3.1', async () => {
  expect(await new Validator().validate(DOCUMENT)).toEqual({ valid: true });
});

test('the committed one is what a server with every route answers: `npm run openapi`', async () => {
  const { request } = await startEverything();
  expect((await request('GET', '/v1/openapi.json')).json).toEqual(DOCUMENT);
});

test('a server that lacks routes does not describe them', async () => {
  const { request } = await start();
  const { json } = await request('GET', '/v1/openapi.json');
  const paths = Object.keys(z.object({ paths: z.object({}).loose() }).parse(json).paths);
  expect(paths).toContain('/v1/accounts');
  expect(paths).not.toContain('/metrics');
  expect(paths).not.toContain('/v1/webhooks/twilio');
});

test('the README has every route and every code', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  for (const { name } of OPERATIONS) {
    expect(readme).toContain(`| \`${name.replace(/\{(\w+)\}/, ':$1')}`);
  }
  for (const code of CODES) expect(readme).toContain(`\`${code}\``);
});

test('there is a good request to every route', () => {
  expect(Object.keys(EXAMPLES).sort()).toEqual(OPERATIONS.map(({ name }) => name).sort());
});

test('what belongs to no route is a problem too', async () => {
  const { request } = await startEverything();
  for (const [method, path, status] of [
    ['GET', '/', 404],
    ['GET', '/v1/card', 404],
    ['PATCH', '/v1/backup', 405],
  ] as const) {
    const reply = await request(method, path);
    expect([reply.status, problemDifferences(reply)]).toEqual([status, []]);
  }
});

test.each(OPERATIONS)(
  '$name answers whatever is sent as the document says, stores nothing bad, and goes on',
  async (operation) => {
    const world = await startEverything();
    const example = EXAMPLES[operation.name];
    if (!example) throw new Error(`There is no good request to ${operation.name}`);
    const sent = await example(world);
    let before = world.rows();
    await fc.assert(
      fc.asyncProperty(fc.oneof(...changesOf(operation, sent)), async (changed) => {
        const reply = await send(world, operation, changed);
        expect(differences(operation, reply)).toEqual([]);
        expect(reply.status).toBeLessThan(500);
        if (!isAllowed(operation, changed)) expect(reply.status).toBeGreaterThanOrEqual(400);
        const after = world.rows();
        if (reply.status >= 400) expect(after).toEqual(before);
        before = after;
      }),
      { numRuns },
    );
    // By chance a backup was stored that is one.
    const { session } = world.alice;
    const etag = (await world.request('GET', '/v1/backup', { session })).headers.get('etag') ?? '';
    const good = await example({ ...world, alice: { ...world.alice, etag } });
    const reply = await send(world, operation, good);
    expect(differences(operation, reply)).toEqual([]);
    expect(reply.status).toBeLessThan(300);
    expect(world.log()).not.toContain('"level":50');
  },
  isLong ? 600_000 : undefined,
);

/** By the document. */
function isAllowed(operation: Operation, sent: Sent): boolean {
  const { raw, body } = sent;
  if (!operation.takesParameters(sent)) return false;
  if (raw === undefined) return operation.takes(body);
  try {
    return operation.takes(JSON.parse(raw));
  } catch {
    return operation.takes(undefined);
  }
}

/** All kinds of what is no good, each in one place of a good request. */
function changesOf(
  operation: Operation,
  sent: Sent,
): [fc.Arbitrary<Sent>, ...fc.Arbitrary<Sent>[]] {
  const { parameters, path } = operation;
  return [
    anyHeader(operation, sent),
    ...(parameters.some((parameter) => parameter.in === 'query') ? [anyQuery(sent)] : []),
    ...(sent.body ? [anyBody(sent, sent.body), anyText(sent, sent.body)] : []),
    ...(path.includes('{id}') ? [anyId(sent)] : []),
  ];
}

const anything = fc.oneof(
  fc.jsonValue({ noUnicodeString: false }),
  fc.string({ unit: 'binary', minLength: 200, maxLength: 2000 }),
  fc.constantFrom<unknown>('', null, 0, -1, 0.5, 1e300, 2 ** 53, '__proto__', '\ud800', '\u0000'),
  fc.integer({ min: 10, max: 1000 }).map(nested),
);

/** Lists in lists. */
function nested(depth: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < depth; level += 1) value = [value];
  return value;
}

function anyBody(sent: Sent, body: Readonly<Record<string, unknown>>): fc.Arbitrary<Sent> {
  const names = Object.keys(body);
  const one = fc.constantFrom(...names);
  return fc
    .oneof(
      anything,
      fc.tuple(one, anything).map(([name, value]) => ({ ...body, [name]: value })),
      one.map((name) => Object.fromEntries(Object.entries(body).filter(([key]) => key !== name))),
      fc.tuple(fc.string(), anything).map(([name, value]) => ({ ...body, [name]: value })),
      fc.record(Object.fromEntries(names.map((name) => [name, anything]))),
    )
    .map((changed) => ({ ...sent, raw: JSON.stringify(changed) }));
}

/** Not JSON, or not said to be. */
function anyText(sent: Sent, body: object): fc.Arbitrary<Sent> {
  const text = JSON.stringify(body);
  const type = fc.constantFrom(
    ...['', 'text/plain', 'application/json; charset=utf-16', 'application/json, text/plain'],
    ...['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'json', '*/*'],
  );
  return fc.oneof(
    fc.string({ unit: 'binary' }).map((raw) => ({ ...sent, raw })),
    fc.nat({ max: text.length - 1 }).map((end) => ({ ...sent, raw: text.slice(0, end) })),
    fc
      .constantFrom(`${text}x`, ` ${text}{`, `[${text}]`, '[[[[', `"${'x'.repeat(9e5)}"`)
      .map((raw) => ({ ...sent, raw })),
    type.map((contentType) => ({
      ...sent,
      headers: { ...sent.headers, 'content-type': contentType },
    })),
  );
}

const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 300 }).map((text) => text.trim());

/** One that the route reads. */
function anyHeader({ parameters, name }: Operation, sent: Sent): fc.Arbitrary<Sent> {
  const names = parameters.flatMap((one) => (one.in === 'header' ? [one.name.toLowerCase()] : []));
  if (sent.session !== undefined) names.push('authorization');
  if (name.includes('webhooks')) names.push('x-twilio-signature');
  if (names.length === 0) names.push(sent.body ? 'content-type' : 'x-request-id');
  const value = fc.oneof(
    ascii,
    ascii.map((text) => `Bearer ${text}`),
    ascii.map((text) => `"${text}"`),
    fc.constantFrom('*', 'W/"x"', '"x", "y"', '', 'Bearer e30.e30.e30', 'Bearer ..'),
  );
  return fc
    .tuple(fc.constantFrom(...names), value)
    .map(([header, text]) => ({ ...sent, headers: { ...sent.headers, [header]: text } }));
}

function anyQuery(sent: Sent): fc.Arbitrary<Sent> {
  const [path = '', query = ''] = sent.path.split('?');
  const parts = query.split('&');
  const value = fc.oneof(
    fc.string({ unit: 'binary' }).map((text) => encodeURIComponent(text.toWellFormed())),
    fc.constantFrom('', '-1', '01', '1e3', '0x1', '1.0', '999999999999999', '9'.repeat(40)),
    fc.constantFrom('%00', '%ff', '%', '%ED%A0%80', '%C0%AF', '[]', '1&size=1', '1;2'),
  );
  const one = fc.constantFrom(...parts.map((part) => part.split('=')[0] ?? ''));
  return fc
    .oneof(
      fc
        .tuple(one, value)
        .map(([name, text]) =>
          parts.map((part) => (part.startsWith(`${name}=`) ? `${name}=${text}` : part)).join('&'),
        ),
      one.map((name) => parts.filter((part) => !part.startsWith(`${name}=`)).join('&')),
      fc.tuple(value, value).map(([name, text]) => `${query}&${name}=${text}`),
      fc.constantFrom(`${query}&${query}`, `${query}&__proto__=1`, `${query}&identity[]=1`, '?'),
    )
    .map((changed) => ({ ...sent, path: `${path}?${changed}` }));
}

function anyId(sent: Sent): fc.Arbitrary<Sent> {
  const id = fc.oneof(
    fc.stringMatching(/^[0-9a-f]{64}$/),
    fc
      .string({ unit: 'binary', minLength: 1 })
      .map((text) => encodeURIComponent(text.toWellFormed())),
    fc.constantFrom('%00', '%2e%2e%2f', 'A'.repeat(64), '0'.repeat(65), '%ff', '%', '__proto__'),
  );
  return id.map((text) => ({ ...sent, path: sent.path.replace(/[0-9a-f]{64}/, text) }));
}

/** Bodies that are too long, too deep or too many things; and secrets wherever somebody may put them. */
import { describe, expect, test } from 'vitest';
import { OPERATIONS, type DocumentedOperation } from './documented.ts';
import { EXAMPLES, startEverything, type Everything, type Sent } from './everything.ts';
import { secret } from './support.ts';

const WITH_BODIES = OPERATIONS.filter(
  ({ requestBody }) => requestBody?.content['application/json'],
);

async function exampleOf({ name }: DocumentedOperation, world: Everything): Promise<Sent> {
  const example = EXAMPLES[name];
  if (!example) throw new Error(`There is no good request to ${name}`);
  return example(world);
}

describe.each(WITH_BODIES)('$name', (operation) => {
  const { method, requestBody } = operation;
  const limit = Number(/\d+/.exec(requestBody?.description ?? '')?.[0]);

  test('takes as many bytes as it says, and not one more', async () => {
    const world = await startEverything();
    const { path, body, ...options } = await exampleOf(operation, world);
    const before = world.rows();
    const send = async (length: number) => {
      const text = JSON.stringify(body);
      const raw = text + ' '.repeat(length - Buffer.byteLength(text));
      return (await world.request(method, path, { ...options, raw })).status;
    };
    expect(await send(limit + 1)).toBe(413);
    expect(await send(limit * 20)).toBe(413);
    expect(world.rows()).toEqual(before);
    expect(await send(limit)).toBeLessThan(300);
  });

  test('refuses lists in lists, and a thousand members, as what they are', async () => {
    const world = await startEverything();
    const { path, body = {}, ...options } = await exampleOf(operation, world);
    const before = world.rows();
    const size = limit - JSON.stringify(body).length - 50;
    const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    const members = Array.from({ length: size / 12 }, (_, index) => `"m${index}":1`).join(',');
    const withMember = (name: string, json: string): string =>
      JSON.stringify({ ...body, [name]: 0 }).replace(`"${name}":0`, `"${name}":${json}`);
    const bodies = [
      deep(limit / 2),
      objects(Math.floor(size / 6)),
      `{${members}}`,
      `{"${'k'.repeat(size)}":1}`,
      '['.repeat(limit),
      '{"":'.repeat(limit / 4),
      ...Object.keys(body).flatMap((name) => [
        withMember(name, deep(size / 2)),
        withMember(name, '{"toString":1,"toJSON":1,"length":-1}'),
        withMember(name, '1e999'),
      ]),
      ...['__proto__', 'constructor', 'prototype', 'toString'].map(
        (name) => `{"${name}":{"identity":"bob"},${JSON.stringify(body).slice(1)}`,
      ),
    ];
    for (const raw of bodies) {
      const { status, json } = await world.request(method, path, { ...options, raw });
      expect([raw.slice(0, 60), status]).toEqual([raw.slice(0, 60), 400]);
      expect(String(json['detail']).length).toBeLessThanOrEqual(500);
    }
    expect(world.rows()).toEqual(before);
    expect(Reflect.get({}, 'identity')).toBeUndefined();
    expect(world.log()).not.toContain('"level":50');
  });
});

describe('a secret is in no log, in whatever place of a request it was:', () => {
  test.each(OPERATIONS)('$name', async (operation) => {
    const world = await startEverything();
    const canary = secret();
    const { path, body, ...options } = await exampleOf(operation, world);
    for (const text of [canary, `${canary}=`, `ünïcode ${canary}`]) {
      for (const sent of placesOf({ path, ...(body && { body }), ...options }, text)) {
        const { path: to, ...rest } = sent;
        const reply = await world.request(operation.method, to, rest);
        expect(reply.status).toBeLessThan(500);
      }
    }
    const parts = [canary, Buffer.from(canary, 'base64url').toString('hex')];
    for (const part of parts) expect(world.log()).not.toContain(part.slice(0, 12));
    expect(world.log().split('\n').length).toBeGreaterThan(10);
  });
});

/** The request with a text in each place; those that may be good nevertheless come last. */
function placesOf(sent: Sent, text: string): readonly Sent[] {
  const { path, body, headers } = sent;
  const encoded = encodeURIComponent(text);
  const names = ['authorization', 'if-match', 'content-type', 'x-twilio-signature'];
  const unread = ['x-request-id', 'user-agent', 'cookie', 'referer', 'origin', 'x-forwarded-for'];
  const withHeader = (name: string): Sent => ({
    ...sent,
    headers: { ...headers, [name]: `Bearer ${text.replaceAll(/[^ -~]/g, '')}` },
  });
  const withBodies: readonly Sent[] = body
    ? [
        { ...sent, raw: `${JSON.stringify(body)}${text}` },
        { ...sent, raw: text },
        { ...sent, body: { ...body, [text]: text } },
        ...Object.keys(body).map((name) => ({ ...sent, body: { ...body, [name]: text } })),
      ]
    : [];
  return [
    { ...sent, path: `${path}/${encoded}` },
    { ...sent, path: `/${encoded}${path}` },
    { ...sent, path: path.replace(/=[^&]*/g, `=${encoded}`).replace(/[0-9a-f]{64}/, encoded) },
    ...withBodies,
    ...names.map(withHeader),
    ...unread.map(withHeader),
    { ...sent, path: `${path}${path.includes('?') ? '&' : '?'}${encoded}=${encoded}` },
  ];
}

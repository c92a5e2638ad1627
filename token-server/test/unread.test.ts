import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { pino } from 'pino';
import { parseIdentity } from 'twilio-chat-encryption/protocol';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createApp } from '../src/http/app.ts';
import { NOTHING } from '../src/http/input.ts';
import { createLimiters, DEFAULT_RATE_LIMITS } from '../src/http/rate-limit.ts';
import { sessionRoute } from '../src/http/route.ts';
import { listen } from '../src/index.ts';
import { afterTest } from './support.ts';

// More than the system keeps of it.
const LONG = Buffer.alloc(20 * 1024 * 1024, '1');

const Response = z.tuple([z.custom<IncomingMessage>()]);

type Ask = (user: string) => Promise<IncomingMessage>;

/** A server of nothing but long answers, each of which waits for this. */
async function serving(ready = () => Promise.resolve()): Promise<{ ask: Ask; port: number }> {
  const route = sessionRoute({
    method: 'get',
    path: '/long',
    summary: 'A long answer.',
    takes: NOTHING,
    answers: { status: 200, schema: z.unknown() },
    async answer() {
      await ready();
      return { json: LONG };
    },
  });
  const app = createApp({
    routes: [route],
    authenticate: (req) =>
      Promise.resolve({ identity: parseIdentity(req.get('x-user')), version: null }),
    limiters: createLimiters(DEFAULT_RATE_LIMITS),
    logger: pino({ level: 'silent' }),
    observe: undefined,
    corsOrigins: [],
    trustProxy: false,
  });
  const { port, stop } = await listen(app, 0);
  afterTest(stop);
  const ask: Ask = async (user) => {
    const request = get({ port, path: '/long', headers: { 'x-user': user }, agent: false });
    request.on('error', () => undefined);
    afterTest(() => {
      request.destroy();
    });
    const [response] = Response.parse(await once(request, 'response'));
    return response;
  };
  return { ask, port };
}

async function lengthOf(response: IncomingMessage): Promise<number> {
  let length = 0;
  response.on('data', (chunk: Buffer) => (length += chunk.length));
  await once(response, 'end');
  return length;
}

test('who reads no answers has only so many kept, and others are none the worse', async () => {
  const { ask } = await serving();
  const unread = [await ask('alice'), await ask('alice'), await ask('alice')];
  expect(unread.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
  const refused = await ask('alice');
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '1']);
  expect(await lengthOf(await ask('bob'))).toBe(LONG.length);

  // Fetched, or given up.
  const [first, second, third] = unread;
  if (!first || !second || !third) throw new Error('There was no answer.');
  expect(await lengthOf(first)).toBe(LONG.length);
  await expect.poll(async () => (await ask('alice')).statusCode).toBe(200);
  second.destroy();
  await expect.poll(async () => (await ask('alice')).statusCode).toBe(200);
});

test('what nobody waits for any more is not kept', async () => {
  const gone: (() => void)[] = [];
  const isGone = Promise.withResolvers<undefined>();
  let asked = 0;
  const { ask, port } = await serving(async () => {
    asked += 1;
    if (asked <= 4) await isGone.promise;
  });
  for (let count = 0; count < 4; count++) {
    const request = get({ port, path: '/long', headers: { 'x-user': 'alice' }, agent: false });
    request.on('error', () => undefined);
    gone.push(() => request.destroy());
  }
  await expect.poll(() => asked).toBe(4);
  for (const leave of gone) leave();
  // They are gone for the server too, before it has the answers.
  expect(await lengthOf(await ask('bob'))).toBe(LONG.length);
  isGone.resolve(undefined);
  for (let count = 0; count < 3; count++) expect((await ask('alice')).statusCode).toBe(200);
});

test('all together have only so many kept', async () => {
  const { ask } = await serving();
  const users = Array.from({ length: 9 }, (_, count) => `user ${count}`);
  const statuses = await Promise.all(
    [...users, ...users, ...users].map(async (user) => (await ask(user)).statusCode),
  );
  expect(statuses.filter((status) => status === 200)).toHaveLength(25);
  expect(statuses.filter((status) => status === 503)).toHaveLength(2);
});

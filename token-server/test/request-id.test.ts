import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { start } from './support.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const named = (id: string) => ({ 'x-request-id': id, 'x-forwarded-for': '198.51.100.7' });

test('an answer tells under which name its request is in the logs', async () => {
  const { request, log } = await start();
  const replies = [
    await request('GET', '/v1/app'),
    await request('GET', '/v1/twilio-token'),
    await request('GET', '/nowhere'),
  ];
  const ids = replies.map(({ headers }) => headers.get('x-request-id'));
  expect(new Set(ids).size).toBe(3);
  for (const id of ids) {
    expect(id).toMatch(UUID);
    expect(log()).toContain(`"id":"${id}"`);
  }
});

test.each([randomUUID(), randomUUID().toUpperCase(), randomBytes(16).toString('hex')])(
  'a proxy whose word counts may give the name (%s)',
  async (id) => {
    const { request, log } = await start({ TRUST_PROXY: '1' });
    const reply = await request('GET', '/v1/app', { headers: named(id) });
    expect(reply.headers.get('x-request-id')).toBe(id);
    expect(log()).toContain(id);
  },
);

test('nobody else may', async () => {
  const id = randomUUID();
  for (const env of [{}, { TRUST_PROXY: '192.0.2.0/24' }]) {
    const { request, log } = await start(env);
    const reply = await request('GET', '/v1/app', { headers: named(id) });
    expect(reply.headers.get('x-request-id')).not.toBe(id);
    expect(log()).not.toContain(id);
  }
});

test.each([
  '1',
  'alice',
  randomBytes(32).toString('base64url'),
  randomBytes(32).toString('hex'),
  `${randomUUID()}, ${randomUUID()}`,
  `${randomUUID()}x`,
])('nor in another form (%s)', async (id) => {
  const { request, log } = await start({ TRUST_PROXY: '1' });
  const reply = await request('GET', '/v1/app', { headers: named(id) });
  expect(reply.headers.get('x-request-id')).toMatch(UUID);
  expect(log()).not.toContain(`"${id}"`);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPostgresDatabase } from './databases.ts';
import { liveCards } from './live-cards.ts';
import { startPostgres, type PostgresServer } from './postgres-server.ts';
import { makeCard, secret, start } from './support.ts';

// One of its own: others could not work while it is stopped.
let postgres: PostgresServer | undefined;

beforeAll(async () => {
  postgres = await startPostgres();
});

afterAll(() => postgres?.remove());

test('a server outlives its database, and needs no restart when it is back', async () => {
  if (postgres === undefined) throw new Error('There is no PostgreSQL');
  const url = await createPostgresDatabase({ server: postgres.url });
  const server = await start({ DATABASE_URL: url });
  const { request, session, log } = server;
  const token = await session('alice');
  const publish = async () =>
    request('POST', '/v1/cards', { session: token, body: { card: await makeCard('alice') } });
  const search = () =>
    request('POST', '/v1/cards/search', { session: token, body: { identities: ['alice'] } });
  const signUp = (identity: string) =>
    request('POST', '/v1/accounts', { body: { identity, authSecret: secret() } });
  expect((await publish()).status).toBe(201);

  const inFlight = Promise.all(Array.from({ length: 10 }, publish));
  await postgres.stop();
  const replies = [
    ...(await inFlight).filter(({ status }) => status !== 201),
    await publish(),
    await search(),
    await signUp('bob'),
    await request('GET', '/readyz'),
  ];
  for (const { status, headers, json } of replies) {
    expect([status, json['code'], json['detail']]).toEqual([
      503,
      'UNAVAILABLE',
      'The database does not answer.',
    ]);
    expect(headers.get('retry-after')).toBe('5');
    expect(headers.get('content-type')).toContain('application/problem+json');
  }
  expect((await request('GET', '/healthz')).status).toBe(200);
  expect(log()).toContain('ECONNREFUSED');

  await postgres.start();
  expect((await publish()).status).toBe(201);
  expect((await signUp('bob')).status).toBe(201);
  expect((await request('GET', '/readyz')).status).toBe(200);
  const found = await liveCards(server, token, ['alice']);
  const published = (await inFlight).filter(({ status }) => status === 201).length + 2;
  // What was answered as published is there; what was not may be.
  expect(found['alice']?.length).toBeGreaterThanOrEqual(published);
  expect(log()).not.toContain(new URL(url).password);
});

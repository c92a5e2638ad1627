import { Client } from 'pg';
import { expect, test } from 'vitest';
import { createPostgresDatabase } from './databases.ts';
import { afterTest, makeCard, secret, signUp, start, type Reply } from './support.ts';

test.each([
  // Whoever has a connection gives up after a second; with others waiting, somebody is always next.
  ['statements take too long', 1000, 12],
  // More than there are connections wait longer for one than anybody should.
  ['all connections are taken', 7000, 25],
])('when %s, nobody waits for ever, and it needs no restart', async (_, timeout, count) => {
  const url = new URL(await createPostgresDatabase());
  url.searchParams.set('statement_timeout', String(timeout));
  const server = await start({ DATABASE_URL: url.href });
  const { session } = await signUp(server, 'alice');
  const publish = async () =>
    server.request('POST', '/v1/cards', { session, body: { card: await makeCard('alice') } });
  const signUpSomebody = () =>
    server.request('POST', '/v1/accounts', { body: { identity: secret(), authSecret: secret() } });

  const lock = await lockTables(url.href);
  const begun = performance.now();
  const refused = await Promise.all([
    ...Array.from({ length: count }, () => publish()),
    signUpSomebody(),
  ]);
  for (const reply of refused) expectUnavailable(reply);
  expect(performance.now() - begun).toBeLessThan(20_000);
  expect((await server.request('GET', '/healthz')).status).toBe(200);

  await lock.release();
  expect((await publish()).status).toBe(201);
  expect((await signUpSomebody()).status).toBe(201);
  expect((await server.request('GET', '/readyz')).status).toBe(200);
});

function expectUnavailable({ status, headers, json }: Reply): void {
  expect([status, json['code']]).toEqual([503, 'UNAVAILABLE']);
  expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
}

/** Somebody else on the database, who works on the tables without a break. */
async function lockTables(url: string): Promise<{ release: () => Promise<void> }> {
  const client = new Client(url);
  await client.connect();
  afterTest(() => client.end());
  await client.query('begin');
  await client.query('lock table accounts, cards in access exclusive mode');
  return {
    async release() {
      await client.query('rollback');
    },
  };
}

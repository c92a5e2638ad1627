/**
 * The network to PostgreSQL is gone without a word: its connections stay open, and nothing comes through.
 * As after a pulled cable, or behind a firewall that forgot them.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createPostgresDatabase } from './databases.ts';
import { liveCards } from './live-cards.ts';
import { afterTest, makeCard, signUp, start } from './support.ts';

test('whoever waits for an answer is told to come again, and it needs no restart', async () => {
  const url = new URL(await createPostgresDatabase());
  const network = await openNetwork(Number(url.port));
  url.port = String(network.port);
  // By default 15 seconds.
  url.searchParams.set('query_timeout', '1500');
  const server = await start({ DATABASE_URL: url.href });
  const { session } = await signUp(server, 'alice');
  const publish = async () =>
    server.request('POST', '/v1/cards', { session, body: { card: await makeCard('alice') } });
  expect((await publish()).status).toBe(201);

  network.swallow();
  const begun = performance.now();
  const replies = await Promise.all([
    publish(),
    publish(),
    server.request('POST', '/v1/cards/search', { session, body: { identities: ['alice'] } }),
    server.request('GET', '/readyz'),
  ]);
  // Five more for those who wait for a new connection.
  expect(performance.now() - begun).toBeLessThan(12_000);
  for (const { status, headers, json } of replies) {
    expect([status, json['code']]).toEqual([503, 'UNAVAILABLE']);
    expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  }
  expect((await server.request('GET', '/healthz')).status).toBe(200);

  network.mend();
  // Connections that are open for nothing are given up as they are used.
  await expect.poll(async () => (await publish()).status, { timeout: 20_000 }).toBe(201);
  expect((await server.request('GET', '/readyz')).status).toBe(200);
  const found = await liveCards(server, session, ['alice']);
  // Two were answered; of the others each was stored or not.
  expect(found['alice']?.length).toBeGreaterThanOrEqual(2);
}, 60_000);

/** What stands between a server and its PostgreSQL. */
interface Network {
  readonly port: number;
  /** From now on nothing comes through, on old connections and new ones. */
  readonly swallow: () => void;
  /** New connections work again; the old ones stay dead. */
  readonly mend: () => void;
}

async function openNetwork(port: number): Promise<Network> {
  const sockets = new Set<Socket>();
  let isDead = false;
  const proxy = createServer((near) => {
    sockets.add(near);
    near.on('error', () => undefined);
    if (isDead) return;
    const far = connect(port, '127.0.0.1');
    sockets.add(far);
    far.on('error', () => undefined);
    near.pipe(far).pipe(near);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  afterTest(async () => {
    for (const socket of sockets) socket.destroy();
    const closed = once(proxy, 'close');
    proxy.close();
    await closed;
  });
  return {
    port: (proxy.address() as AddressInfo).port,
    swallow() {
      isDead = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    mend() {
      isDead = false;
    },
  };
}

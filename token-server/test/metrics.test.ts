import { connect } from 'node:net';
import { once } from 'node:events';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { openStore } from '../src/store/open.ts';
import { openSocket } from './raw-socket.ts';
import { makeCard, secret, signUp, start, type Harness } from './support.ts';

const TOKEN = 'm'.repeat(43);

/** What a server says of itself, as `name{labels}` and value. */
async function scrape({ request }: Pick<Harness, 'request'>): Promise<ReadonlyMap<string, number>> {
  const reply = await request('GET', '/metrics', { headers: { authorization: `Bearer ${TOKEN}` } });
  expect(reply.status).toBe(200);
  expect(reply.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  return samplesOf(reply.text);
}

function samplesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [, name = '', value] = /^(.*) (\S+)$/.exec(line) ?? [];
      return [name, Number(value)];
    }),
  );
}

describe('metrics', () => {
  test('count requests by route, method and status, and time them', async () => {
    const server = await start({ METRICS_TOKEN: TOKEN });
    const { session } = await signUp(server, 'alice');
    for (let time = 0; time < 3; time++) {
      await server.request('GET', `/v1/cards/${time}`, { session });
      await server.request('GET', `/nowhere/${time}`);
    }
    await server.request('PATCH', '/v1/accounts');
    const samples = await scrape(server);
    const count = (method: string, route: string, status: number) =>
      samples.get(
        `token_server_requests_total{method="${method}",route="${route}",status="${status}"}`,
      );
    expect(count('POST', '/v1/accounts', 201)).toBe(1);
    expect(count('POST', '/v1/sessions', 200)).toBe(1);
    expect(count('GET', '/v1/cards/:id', 400)).toBe(3);
    expect(count('GET', 'none', 404)).toBe(3);
    expect(count('other', '/v1/accounts', 405)).toBe(1);
    const labels = 'method="GET",route="/v1/cards/:id"';
    expect(samples.get(`token_server_request_duration_seconds_count{${labels}}`)).toBe(3);
    expect(samples.get(`token_server_request_duration_seconds_bucket{le="10",${labels}}`)).toBe(3);
  });

  test('count who left before the answer', async () => {
    const server = await start({ METRICS_TOKEN: TOKEN });
    const { socket } = await openSocket(Number(new URL(server.url).port));
    socket.write('POST /v1/accounts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n');
    socket.write('Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n');
    await once(socket, 'data');
    socket.resetAndDestroy();
    const name = 'token_server_requests_total{method="POST",route="/v1/accounts",status="aborted"}';
    await expect.poll(async () => (await scrape(server)).get(name)).toBe(1);
  });

  test('tell how much there is, and how the process does', async () => {
    const server = await start({ METRICS_TOKEN: TOKEN });
    const { session } = await signUp(server, 'alice');
    expect((await scrape(server)).get('token_server_log_entries')).toBe(0);
    for (let time = 0; time < 2; time++) {
      const card = await makeCard('alice');
      await server.request('POST', '/v1/cards', { session, body: { card } });
    }
    const soon = await scrape(server);
    expect(soon.get('token_server_log_entries')).toBe(2);
    // Counted once a minute.
    expect(soon.get('token_server_cards')).toBe(0);
    server.clock.now += 60_000;
    const later = await scrape(server);
    expect(later.get('token_server_cards')).toBe(2);
    expect(later.get('token_server_database_up')).toBe(1);
    expect(later.get('process_cpu_seconds_total')).toBeGreaterThan(0);
  });

  test('count which limits were hit', async () => {
    const rateLimits = { routeByAddress: { points: 2, seconds: 60 } };
    const server = await start({ METRICS_TOKEN: TOKEN }, { rateLimits });
    for (let time = 0; time < 5; time++) await server.request('GET', '/v1/app');
    const body = { identity: 'alice', authSecret: secret() };
    for (let time = 0; time < 2; time++) await server.request('POST', '/v1/sessions', { body });
    const samples = await scrape(server);
    expect(samples.get('token_server_limited_total{limiter="routeByAddress"}')).toBe(3);
    expect(samples.has('token_server_limited_total{limiter="signInByPair"}')).toBe(false);
  });

  test('name nobody, whatever was asked for', async () => {
    const server = await start({ METRICS_TOKEN: TOKEN });
    const { session } = await signUp(server, 'alice');
    await server.request('GET', '/v1/cards/alice', { session });
    await server.request('GET', '/alice');
    await server.request('GET', '/v1/log/map?identity=alice&size=0', { session });
    const socket = connect(Number(new URL(server.url).port), 'localhost');
    socket.end('PROPFIND /alice HTTP/1.1\r\nHost: alice\r\nConnection: close\r\n\r\n');
    await once(socket.resume(), 'close');
    const names = [...(await scrape(server)).keys()].join('\n');
    expect(names).not.toMatch(/alice|127\.0|::1/);
    expect(names).toContain('method="other"');
  });

  test('go on without the database, and say that it is not there', async () => {
    const { store } = await openStore('sqlite::memory:');
    const server = await start({ METRICS_TOKEN: TOKEN }, { store });
    expect((await scrape(server)).get('token_server_database_up')).toBe(1);
    await store.close();
    const samples = await scrape(server);
    expect(samples.get('token_server_database_up')).toBe(0);
    expect(samples.has('token_server_log_entries')).toBe(false);
    expect(samples.has('token_server_cards')).toBe(false);
    expect(samples.has('process_cpu_seconds_total')).toBe(true);
  });
});

describe('whoever has no token', () => {
  test.each([
    ['none', undefined],
    ['another', `Bearer ${'n'.repeat(43)}`],
    ['a part of it', `Bearer ${'m'.repeat(42)}`],
    ['more than it', `Bearer ${'m'.repeat(44)}`],
    ['another form', `Basic ${TOKEN}`],
  ])('gets nothing (%s)', async (_, authorization) => {
    const { request } = await start({ METRICS_TOKEN: TOKEN });
    const headers = authorization === undefined ? {} : { authorization };
    const reply = await request('GET', '/metrics', { headers });
    expect([reply.status, reply.json['code']]).toEqual([401, 'UNAUTHENTICATED']);
    expect(reply.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('nor with a session, and may not try for ever', async () => {
    const rateLimits = { routeByAddress: { points: 3, seconds: 60 } };
    const server = await start({ METRICS_TOKEN: TOKEN }, { rateLimits });
    const session = await server.session('alice');
    const statuses: number[] = [];
    for (let time = 0; time < 5; time++) {
      statuses.push((await server.request('GET', '/metrics', { session })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    await scrape(server);
  });

  test('finds it under no other path than the one that a proxy keeps to itself', async () => {
    const { request } = await start({ METRICS_TOKEN: TOKEN });
    const headers = { authorization: `Bearer ${TOKEN}` };
    for (const path of ['/METRICS', '/Metrics', '/metrics/', '//metrics', '/%6detrics/']) {
      expect([path, (await request('GET', path, { headers })).status]).toEqual([path, 404]);
    }
    expect((await request('GET', '/metrics', { headers })).status).toBe(200);
  });

  test('finds no such route when nothing is configured', async () => {
    const { request } = await start();
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await request('GET', '/metrics', { headers })).json['code']).toBe('NOT_FOUND');
  });
});

test('an application collects them in its own registry, and shows them itself', async () => {
  const metrics = new Registry();
  const server = await start({}, { metrics });
  await server.request('GET', '/v1/app');
  expect((await server.request('GET', '/metrics')).status).toBe(404);
  const samples = samplesOf(await metrics.metrics());
  const name = 'token_server_requests_total{method="GET",route="/v1/app",status="200"}';
  expect(samples.get(name)).toBe(1);
  // Those of the process are the application's.
  expect(samples.has('process_cpu_seconds_total')).toBe(false);
});

import { request as httpRequest } from 'node:http';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import express from 'express';
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { createTokenServer, listen, readConfig, type Store } from '../src/index.ts';
import { addressKey } from '../src/http/rate-limit.ts';
import { openStore } from '../src/store/open.ts';
import { WIDE_LIMITS } from './everything.ts';
import { afterTest, environment, pack, requester, secret, start } from './support.ts';

const good = JSON.stringify({ identity: 'alice', authSecret: secret() });

describe('every refusal is a problem document:', () => {
  test.each([
    ['an unknown route', 'GET', '/v2/accounts', {}, 404, 'NOT_FOUND'],
    ['an unknown route, posted', 'POST', '/', { raw: good }, 404, 'NOT_FOUND'],
    ['another method', 'GET', '/v1/accounts', {}, 405, 'METHOD_NOT_ALLOWED'],
    ['no body', 'POST', '/v1/accounts', {}, 415, null],
    ['an empty body', 'POST', '/v1/accounts', { raw: '' }, 400, 'INVALID_REQUEST'],
    ['broken JSON', 'POST', '/v1/accounts', { raw: good.slice(1) }, 400, 'INVALID_JSON'],
    ['half of the JSON', 'POST', '/v1/accounts', { raw: good.slice(0, 9) }, 400, 'INVALID_JSON'],
    ['a number', 'POST', '/v1/accounts', { raw: '7' }, 400, 'INVALID_JSON'],
    ['text', 'POST', '/v1/accounts', type('text/plain'), 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['a form', 'POST', '/v1/sessions', type('application/x-www-form-urlencoded'), 415, null],
    ['a multipart form', 'POST', '/v1/sessions', type('multipart/form-data'), 415, null],
    ['another JSON', 'POST', '/v1/sessions', type('application/problem+json'), 415, null],
    ['UTF-7', 'POST', '/v1/sessions', type('application/json; charset=utf-7'), 415, null],
    ['a long body', 'POST', '/v1/accounts', long(64 * 1024 + 1), 413, 'BODY_TOO_LARGE'],
    ['an ill-formed path', 'GET', '/v1/cards/%E0%A4%A', {}, 400, 'INVALID_REQUEST'],
  ])('%s', async (_, method, path, options, status, code) => {
    const { request } = await start();
    const reply = await request(method, path, options);
    expect(reply.status).toBe(status);
    expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(Object.keys(reply.json)).toEqual(['type', 'title', 'status', 'detail', 'code']);
    expect(reply.json['status']).toBe(status);
    expect(reply.json['code']).toBe(code ?? 'UNSUPPORTED_MEDIA_TYPE');
    expect(reply.text).not.toContain(good.slice(-20, -5));
  });

  test('a compressed body', async () => {
    const { url } = await start();
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const body = new Uint8Array(gzipSync(good));
    const reply = await fetch(`${url}/v1/accounts`, { method: 'POST', headers, body });
    expect(reply.status).toBe(415);
  });

  test('a long body that does not announce its length', async () => {
    const { url } = await start();
    const request = httpRequest(`${url}/v1/accounts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
    });
    request.on('error', () => undefined);
    request.end(' '.repeat(70 * 1024));
    expect(await once(request, 'response')).toMatchObject([{ statusCode: 413 }]);
    request.destroy();
  });

  test('a member called __proto__', async () => {
    const { request } = await start();
    const raw = `{"__proto__":{"admin":true},${good.slice(1)}`;
    expect((await request('POST', '/v1/accounts', { raw })).status).toBe(400);
  });

  test('a defect, of which only the log knows the cause', async () => {
    const { store } = await openStore('sqlite::memory:');
    afterTest(() => store.close());
    const broken: Store = { ...store, addAccount: () => Promise.reject(new Error('disk on fire')) };
    const { request, log } = await start({}, { store: broken });
    const reply = await request('POST', '/v1/accounts', { raw: good });
    expect([reply.status, reply.json['code']]).toEqual([500, 'INTERNAL']);
    expect(reply.text).not.toContain('fire');
    expect(log()).toContain('disk on fire');
  });
});

test('no JSON whatever makes the server fail', async () => {
  const { request, session, log } = await start({}, { rateLimits: WIDE_LIMITS });
  const token = await session('alice');
  const paths = ['/v1/accounts', '/v1/sessions', '/v1/cards', '/v1/cards/search', '/v1/password'];
  const anything = fc.jsonValue({ noUnicodeString: false });
  const shaped = fc.record(
    {
      identity: anything,
      authSecret: fc.oneof(anything, fc.stringMatching(/^[\w-]{42}[AEIM]$/)),
      card: fc.oneof(anything, anything.map(pack)),
      identities: fc.oneof(anything, fc.array(fc.string({ unit: 'binary' }))),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), fc.oneof(anything, shaped), async (path, body) => {
      const raw = JSON.stringify(body);
      const reply = await request('POST', path, { session: token, raw });
      expect(reply.status).toBeLessThan(500);
    }),
    { numRuns: 150 },
  );
  expect(log()).not.toContain('INTERNAL');
});

function type(contentType: string) {
  return { raw: good, headers: { 'content-type': contentType } };
}

function long(length: number) {
  return { raw: JSON.stringify({ identity: 'x'.repeat(length - 15) }) };
}

test('a search may be longer than other bodies, and not endless', async () => {
  const { request, session } = await start();
  const token = await session('alice');
  const names = (length: number) => ({ identities: Array(500).fill('x'.repeat(length)) });
  const fits = await request('POST', '/v1/cards/search', { session: token, body: names(900) });
  expect(fits.status).toBe(200);
  const over = await request('POST', '/v1/cards/search', { session: token, body: names(1100) });
  expect([over.status, over.json['code']]).toEqual([413, 'BODY_TOO_LARGE']);
});

test('the server says what it is, for display', async () => {
  const { request } = await start({ ORIGIN: 'https://chat.example' });
  const { json } = await request('GET', '/v1/app');
  expect(Object.keys(json)).toEqual(['appKey', 'logKey', 'origin']);
  expect(json['appKey']).toMatch(/^[\w-]{43}$/);
  expect(json['logKey']).toMatch(/^[\w-]{43}$/);
  expect(json['origin']).toBe('https://chat.example');
  expect(json['appKey']).not.toBe(json['logKey']);
});

test.each(['application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
  'JSON may be sent as %s',
  async (contentType) => {
    const { request } = await start();
    const reply = await request('POST', '/v1/accounts', type(contentType));
    expect(reply.status).toBe(201);
  },
);

describe('headers', () => {
  test('protect browsers and say nothing of the software', async () => {
    const { headers } = await (await start()).request('GET', '/v1/app');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(headers.has('x-powered-by')).toBe(false);
  });

  test('a listed origin may call', async () => {
    const { request } = await start({ CORS_ORIGINS: 'https://a.example,https://b.example' });
    const headers = { origin: 'https://b.example', 'access-control-request-method': 'POST' };
    const preflight = await request('OPTIONS', '/v1/sessions', { headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://b.example');
    expect(preflight.headers.get('access-control-allow-headers')).toBe(
      'Authorization, Content-Type, If-Match, If-None-Match',
    );
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, POST, PUT, DELETE');
    expect(preflight.headers.get('access-control-expose-headers')).toBe(
      'ETag, Retry-After, X-Request-Id',
    );
    expect(preflight.headers.has('access-control-allow-credentials')).toBe(false);
    // Errors too must be readable for the page.
    const refused = await request('POST', '/v1/sessions', { raw: '{', headers });
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://b.example');
    expect(refused.headers.get('vary')).toContain('Origin');
  });

  test.each(['https://c.example', 'null', 'https://a.example.evil', 'http://a.example'])(
    'the origin %s may not',
    async (origin) => {
      const { request } = await start({ CORS_ORIGINS: 'https://a.example' });
      const headers = { origin, 'access-control-request-method': 'POST' };
      const preflight = await request('OPTIONS', '/v1/sessions', { headers });
      expect(preflight.status).toBe(405);
      expect(preflight.headers.has('access-control-allow-origin')).toBe(false);
    },
  );
});

test('the app mounts below a path of another app', async () => {
  const server = await createTokenServer(readConfig(environment()), {
    scryptCost: { logN: 4, r: 8, p: 1 },
    logger: pino({ enabled: false }),
  });
  const parent = express().use('/chat', server.app);
  const listening = await listen(parent, 0);
  afterTest(async () => {
    await listening.stop();
    await server.close();
  });
  const request = requester(`http://localhost:${listening.port}/chat`);
  expect((await request('GET', '/healthz')).status).toBe(200);
  expect((await request('GET', '/nowhere')).json['code']).toBe('NOT_FOUND');
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['64:ff9b::192.0.2.1', '192.0.2.1'],
  ['64:ff9b::c000:202', '192.0.2.2'],
  ['192.0.2.1:443', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:1:2::1', '2001:db8:1:2::/64'],
  ['[2001:db8:1:2::1]:443', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8::/64'],
  ['::1', '::/64'],
  ['fe80::1%eth0', 'fe80::/64'],
  ['010.0.0.1', '203.0.113.9'],
  ['10.1', '203.0.113.9'],
  ['nonsense', '203.0.113.9'],
  ['', '203.0.113.9'],
])('%s counts as %s', (told, key) => {
  expect(addressKey(told, '203.0.113.9')).toBe(key);
});

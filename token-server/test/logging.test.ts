import express from 'express';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { requestLogger } from '../src/http/logging.ts';
import { listen, openStore, type Store } from '../src/index.ts';
import { afterTest, makeCard, secret, start } from './support.ts';

test('no secret reaches the log, whatever is done with it', async () => {
  const { store } = await openStore('sqlite::memory:');
  let broken = false;
  const fragile: Store = {
    ...store,
    addAccount: (account) =>
      broken ? Promise.reject(new Error('disk on fire')) : store.addAccount(account),
  };
  const { request, env, log } = await start({}, { store: fragile });
  const authSecret = secret();
  const body = { identity: 'alice', authSecret };
  await request('POST', '/v1/accounts', { body });
  const signedIn = await request('POST', '/v1/sessions', { body });
  const session = z.string().parse(signedIn.json['token']);
  const issued = await request('GET', '/v1/twilio-token', { session });
  await request('POST', '/v1/cards', { session, body: { card: await makeCard('alice') } });
  await request('POST', '/v1/cards/search', { session, body: { identities: ['alice'] } });

  // Whatever goes wrong, and wherever a confused client puts things.
  const raw = JSON.stringify(body);
  await request('POST', '/v1/sessions', { raw: `${raw}}` });
  await request('POST', '/v1/sessions', { raw: raw.slice(0, -2) });
  await request('POST', '/v1/sessions', { raw, headers: { 'content-type': 'text/plain' } });
  await request('POST', '/v1/sessions', { body: { ...body, [authSecret]: authSecret } });
  await request('POST', '/v1/sessions', { body: { ...body, identity: authSecret } });
  await request('POST', `/v1/sessions?authSecret=${authSecret}&token=${session}`, { body });
  await request('GET', `/v1/twilio-token?token=${session}`, { session });
  await request('GET', `/v1/cards/${session}`, { session });
  await request('GET', `/v1/cards/${authSecret}`, { session });
  await request('GET', `/${session}/${authSecret}`, { session: session.slice(1) });
  await request('GET', '/v1/twilio-token', { headers: { cookie: session, 'x-token': session } });
  broken = true;
  await request('POST', '/v1/accounts', { session, body: { identity: 'bob', authSecret } });
  await store.close();

  const secrets = [
    authSecret,
    Buffer.from(authSecret, 'base64url').toString('hex'),
    ...session.split('.').slice(1),
    ...z.string().parse(issued.json['token']).split('.').slice(1),
    env['TWILIO_API_SECRET'] ?? '',
    env['APP_PRIVATE_KEY'] ?? '',
    env['LOG_PRIVATE_KEY'] ?? '',
    env['SESSION_SECRET'] ?? '',
  ];
  for (const each of secrets) {
    expect(each.length).toBeGreaterThan(20);
    expect(log()).not.toContain(each);
    expect(log()).not.toContain(each.slice(0, 16));
  }
  expect(log()).toContain('disk on fire');
  expect(log().split('\n').length).toBeGreaterThan(17);
});

test('a line tells method, path, status and code', async () => {
  const { request, log } = await start();
  await request('GET', '/v1/twilio-token?x=1');
  expect(JSON.parse(log())).toMatchObject({
    req: { method: 'GET', path: '/v1/twilio-token' },
    res: { status: 401 },
    code: 'UNAUTHENTICATED',
  });
});

test('what a handler logs itself is redacted', async () => {
  const lines: string[] = [];
  const app = express()
    .use(requestLogger(pino({}, { write: (line) => lines.push(line) })))
    .use((req, res) => {
      const { authorization } = req.headers;
      req.log.info({ authSecret: 'quiet', session: { token: 'quiet' }, authorization }, 'loud');
      req.log.info({ copy: { headers: { authorization } } }, 'louder');
      res.end();
    });
  const listening = await listen(app, 0);
  afterTest(() => listening.stop());
  await fetch(`http://localhost:${listening.port}/`, { headers: { authorization: 'quiet' } });
  expect(lines.join('')).toContain('louder');
  expect(lines.join('')).not.toContain('quiet');
});

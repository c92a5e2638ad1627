import { expect, test } from 'vitest';
import { ServerError } from '../src/index.ts';
import { secret, start, type Harness } from './support.ts';

function ask({ request }: Harness, user?: string) {
  const headers: Record<string, string> = user === undefined ? {} : { 'x-user': user };
  return request('GET', '/v1/twilio-token', { headers });
}

/** A server in an application that puts the name of whoever signed in there into a header. */
function startMounted(): Promise<Harness> {
  return start({}, { authenticate: (req) => req.get('x-user') ?? null });
}

test('the application in whose app a server is mounted may say who sent a request', async () => {
  const server = await startMounted();
  expect((await ask(server, 'alice')).json).toMatchObject({ identity: 'alice' });
  const search = { headers: { 'x-user': 'bob' }, body: { identities: ['alice'] } };
  expect((await server.request('POST', '/v1/cards/search', search)).status).toBe(200);
  const later = await start({}, { authenticate: () => Promise.resolve('carol') });
  expect((await ask(later)).json).toMatchObject({ identity: 'carol' });
});

test('who is nobody to it is not let in, and no session takes the place of what it says', async () => {
  const server = await startMounted();
  const nobody = await ask(server);
  expect([nobody.status, nobody.json['code']]).toEqual([401, 'UNAUTHENTICATED']);
  const withAccounts = await start({ SESSION_SECRET: server.env['SESSION_SECRET'] ?? '' });
  const session = await withAccounts.session('alice');
  expect((await server.request('GET', '/v1/twilio-token', { session })).status).toBe(401);
});

test('what could be nobody’s identity is refused, whoever says it', async () => {
  for (const identity of ['', ' alice', 'ali\u200bce', 'a'.repeat(257)]) {
    const server = await start({}, { authenticate: () => identity });
    const { status, json } = await ask(server);
    expect([status, json['code']]).toEqual([400, 'INVALID_IDENTITY']);
  }
});

test('there are no accounts beside it', async () => {
  const server = await startMounted();
  const body = { identity: 'alice', authSecret: secret() };
  for (const path of ['/v1/accounts', '/v1/sessions']) {
    expect((await server.request('POST', path, { body })).json['code']).toBe('NOT_FOUND');
  }
});

test('when it fails, that is no answer for whoever asks, unless it is meant to be', async () => {
  const failing = await start({}, { authenticate: () => Promise.reject(new Error('internals')) });
  const failed = await ask(failing);
  expect([failed.status, failed.json['code']]).toEqual([500, 'INTERNAL']);
  expect(failed.text).not.toContain('internals');
  const authenticate = () => {
    throw new ServerError('UNAVAILABLE', 'Signing in is down.');
  };
  const down = await ask(await start({}, { authenticate }));
  expect([down.status, down.json['code']]).toEqual([503, 'UNAVAILABLE']);
});

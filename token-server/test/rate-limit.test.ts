import { describe, expect, test } from 'vitest';
import { openStore, ServerError, type Store } from '../src/index.ts';
import { afterTest, secret, start, type Harness, type Reply } from './support.ts';

const TEN_AN_HOUR = { points: 10, seconds: 3600 };

function signIn({ request }: Harness, identity: string, authSecret: string, from = '192.0.2.1') {
  const headers = { 'x-forwarded-for': from };
  return request('POST', '/v1/sessions', { body: { identity, authSecret }, headers });
}

async function statuses(replies: readonly Promise<Reply>[]): Promise<number[]> {
  return (await Promise.all(replies)).map(({ status }) => status).toSorted();
}

describe('guessing a secret', () => {
  test('ends after ten tries, also when they are made at once', async () => {
    const server = await start();
    const tries = Array.from({ length: 13 }, () => signIn(server, 'alice', secret()));
    expect(await statuses(tries)).toEqual([...Array<number>(10).fill(401), 429, 429, 429]);
    const reply = await signIn(server, 'alice', secret());
    expect([reply.status, reply.json['code']]).toEqual([429, 'RATE_LIMITED']);
    const wait = Number(reply.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(800);
    expect(wait).toBeLessThanOrEqual(900);
  });

  test('does not keep the owner out who comes from elsewhere', async () => {
    const server = await start({ TRUST_PROXY: '1' });
    const body = { identity: 'alice', authSecret: secret() };
    await server.request('POST', '/v1/accounts', { body });
    await statuses(Array.from({ length: 11 }, () => signIn(server, 'alice', secret())));
    expect((await signIn(server, 'alice', body.authSecret)).status).toBe(429);
    expect((await signIn(server, 'alice', body.authSecret, '198.51.100.7')).status).toBe(200);
  });

  test('is counted over all addresses too', async () => {
    const rateLimits = { signInByIdentity: TEN_AN_HOUR };
    const server = await start({ TRUST_PROXY: '1' }, { rateLimits });
    const tries = Array.from({ length: 12 }, (_, i) =>
      signIn(server, 'alice', secret(), `198.51.100.${i}`),
    );
    expect(await statuses(tries)).toEqual([...Array<number>(10).fill(401), 429, 429]);
    expect((await signIn(server, 'bob', secret(), '198.51.100.1')).status).toBe(401);
  });

  test('is counted over all identities of an address, and of an IPv6 network', async () => {
    const rateLimits = { signInByAddress: TEN_AN_HOUR };
    const server = await start({ TRUST_PROXY: '1' }, { rateLimits });
    const tries = Array.from({ length: 12 }, (_, i) =>
      signIn(server, `user-${i}`, secret(), `2001:db8::${i}`),
    );
    expect(await statuses(tries)).toEqual([...Array<number>(10).fill(401), 429, 429]);
    expect((await signIn(server, 'bob', secret(), '2001:db8:0:1::1')).status).toBe(401);
  });

  test('starts over once the right secret was given', async () => {
    const server = await start();
    const body = { identity: 'alice', authSecret: secret() };
    await server.request('POST', '/v1/accounts', { body });
    for (let round = 0; round < 3; round++) {
      const tries = Array.from({ length: 9 }, () => signIn(server, 'alice', secret()));
      expect(await statuses(tries)).toEqual(Array(9).fill(401));
      expect((await signIn(server, 'alice', body.authSecret)).status).toBe(200);
    }
  });

  test('is none where the server could not look, and its owner tried again and again', async () => {
    const { store } = await openStore('sqlite::memory:');
    afterTest(() => store.close());
    let isAway = false;
    const away: Store = {
      ...store,
      findAccount: async (identity) => {
        if (isAway) throw new ServerError('UNAVAILABLE', 'The database does not answer.');
        return store.findAccount(identity);
      },
    };
    const rateLimits = { signInByIdentity: TEN_AN_HOUR };
    const server = await start({}, { store: away, rateLimits });
    const body = { identity: 'alice', authSecret: secret() };
    await server.request('POST', '/v1/accounts', { body });
    isAway = true;
    const tries = Array.from({ length: 30 }, () => signIn(server, 'alice', body.authSecret));
    for (const status of await statuses(tries)) expect([429, 503]).toContain(status);
    for (let count = 0; count < 15; count++) {
      expect((await signIn(server, 'alice', body.authSecret)).status).toBe(503);
    }
    isAway = false;
    expect((await signIn(server, 'alice', body.authSecret)).status).toBe(200);
    const guesses = Array.from({ length: 12 }, () => signIn(server, 'alice', secret()));
    expect(await statuses(guesses)).toEqual([...Array<number>(10).fill(401), 429, 429]);
  });

  test('may go on after the time that was told', async () => {
    const server = await start({}, { rateLimits: { signInByPair: { points: 1, seconds: 1 } } });
    await signIn(server, 'alice', secret());
    const reply = await signIn(server, 'alice', secret());
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([429, '1']);
    await new Promise((resolve) => setTimeout(resolve, 1050));
    expect((await signIn(server, 'alice', secret())).status).toBe(401);
  });

  test('cannot hide behind ports, brackets, zones or nonsense that a proxy passes on', async () => {
    const disguises = [
      (i: number) => `198.51.100.7:${1000 + i}`,
      (i: number) => `[2001:db8::${i}]:443`,
      (i: number) => `2001:db8::1%${i}`,
      (i: number) => (i % 2 === 0 ? '::ffff:198.51.100.7' : '::FFFF:c633:6407'),
      (i: number) => `no-address-${i}`,
      (i: number) => `0${i}`,
    ];
    for (const disguise of disguises) {
      const rateLimits = { signInByAddress: TEN_AN_HOUR };
      const server = await start({ TRUST_PROXY: '1' }, { rateLimits });
      const tries = Array.from({ length: 12 }, (_, i) =>
        signIn(server, `user-${i}`, secret(), disguise(i)),
      );
      expect(await statuses(tries), disguise(1)).toEqual([
        ...Array<number>(10).fill(401),
        429,
        429,
      ]);
    }
  });

  test('cannot hide behind a header that no proxy vouches for', async () => {
    const server = await start();
    const tries = Array.from({ length: 12 }, (_, i) =>
      signIn(server, 'alice', secret(), `198.51.100.${i}`),
    );
    expect(await statuses(tries)).toEqual([...Array<number>(10).fill(401), 429, 429]);
  });
});

test('accounts are made at a limited rate', async () => {
  const server = await start({}, { rateLimits: { signUpByAddress: TEN_AN_HOUR } });
  const before = server.rows();
  const tries = Array.from({ length: 12 }, (_, i) =>
    server.request('POST', '/v1/accounts', {
      body: { identity: `user-${i}`, authSecret: secret() },
    }),
  );
  expect(await statuses(tries)).toEqual([...Array<number>(10).fill(201), 429, 429]);
  expect(before).not.toEqual(server.rows());
});

test('every route is limited by address, each on its own', async () => {
  const server = await start({}, { rateLimits: { routeByAddress: TEN_AN_HOUR } });
  const tries = Array.from({ length: 12 }, () => server.request('GET', '/v1/app'));
  expect(await statuses(tries)).toEqual([...Array<number>(10).fill(200), 429, 429]);
  expect((await server.request('GET', '/healthz')).status).toBe(200);
});

test('every route for somebody is limited by identity, wherever they are', async () => {
  const rateLimits = { routeByIdentity: TEN_AN_HOUR };
  const server = await start({ TRUST_PROXY: '1' }, { rateLimits });
  const session = await server.session('alice');
  const ask = (token: string, i: number) =>
    server.request('GET', '/v1/twilio-token', {
      session: token,
      headers: { 'x-forwarded-for': `198.51.100.${i}` },
    });
  const tries = Array.from({ length: 12 }, (_, i) => ask(session, i));
  expect(await statuses(tries)).toEqual([...Array<number>(10).fill(200), 429, 429]);
  expect((await ask(await server.session('bob'), 1)).status).toBe(200);
});

import { describe, expect, test, vi } from 'vitest';
import { ServerError, type SharedCounts } from '../src/index.ts';
import { createSharedLimiter, sweep } from '../src/http/limiter.ts';
import { createPostgresDatabase, open, query } from './databases.ts';
import { afterTest, makeCard, secret, start, type Harness, type Reply } from './support.ts';

const TEN_AN_HOUR = { points: 10, seconds: 3600 };

/** Two servers of one database, behind one proxy each. */
async function startTwo(rateLimits = {}): Promise<{ url: string; servers: [Harness, Harness] }> {
  const url = await createPostgresDatabase();
  const first = await start({ DATABASE_URL: url, TRUST_PROXY: '1' }, { rateLimits });
  return { url, servers: [first, await start(first.env, { rateLimits })] };
}

function signIn({ request }: Harness, identity: string, authSecret = secret(), from = 1) {
  const headers = { 'x-forwarded-for': `192.0.2.${from}` };
  return request('POST', '/v1/sessions', { body: { identity, authSecret }, headers });
}

/** Sends something so many times, to each server in turn. */
async function alternate(
  servers: readonly Harness[],
  count: number,
  send: (server: Harness, i: number) => Promise<Reply>,
): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) {
    for (const server of servers.slice(i % 2, (i % 2) + 1)) {
      statuses.push((await send(server, i)).status);
    }
  }
  return statuses;
}

const TEN_WRONG = Array<number>(10).fill(401);

describe('on two servers of one database, guessing a secret', () => {
  test('ends after ten tries, wherever they are made', async () => {
    const { servers } = await startTwo();
    const tries = await alternate(servers, 12, (server) => signIn(server, 'alice'));
    expect(tries).toEqual([...TEN_WRONG, 429, 429]);
    for (const server of servers) {
      const { status, headers, json } = await signIn(server, 'alice');
      expect([status, json['code']]).toEqual([429, 'RATE_LIMITED']);
      const wait = Number(headers.get('retry-after'));
      expect(wait).toBeGreaterThan(800);
      expect(wait).toBeLessThanOrEqual(900);
    }
  });

  test('ends after ten tries, also when they are made at once', async () => {
    const { servers } = await startTwo();
    const tries = servers.flatMap((server) => Array.from({ length: 8 }, () => server));
    const replies = await Promise.all(tries.map((server) => signIn(server, 'alice')));
    const statuses = replies.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([...TEN_WRONG, ...Array<number>(6).fill(429)]);
  });

  test('is counted for an identity over all addresses', async () => {
    const { servers } = await startTwo({ signInByIdentity: TEN_AN_HOUR });
    const tries = await alternate(servers, 12, (server, i) => signIn(server, 'alice', secret(), i));
    expect(tries).toEqual([...TEN_WRONG, 429, 429]);
  });

  test('is counted for an address over all identities', async () => {
    const { servers } = await startTwo({ signInByAddress: TEN_AN_HOUR });
    const tries = await alternate(servers, 12, (server, i) => signIn(server, `user-${i}`));
    expect(tries).toEqual([...TEN_WRONG, 429, 429]);
  });

  test('starts over on both once the right secret was given to one', async () => {
    const { servers } = await startTwo();
    const body = { identity: 'alice', authSecret: secret() };
    await servers[0].request('POST', '/v1/accounts', { body });
    for (const server of servers) {
      expect(await alternate(servers, 9, () => signIn(server, 'alice'))).toEqual(
        Array<number>(9).fill(401),
      );
      expect((await signIn(server, 'alice', body.authSecret)).status).toBe(200);
    }
  });
});

test('what changes something is limited by identity over all servers, and reading on each', async () => {
  const { servers, url } = await startTwo({
    changeByIdentity: TEN_AN_HOUR,
    routeByIdentity: TEN_AN_HOUR,
  });
  const session = await servers[0].session('alice');
  const counted = async () => (await query(url, 'select key from rate_limits')).length;
  const before = await counted();
  const read = (server: Harness) => server.request('GET', '/v1/log/head', { session });
  expect(await alternate(servers, 20, read)).toEqual(Array<number>(20).fill(200));
  expect((await read(servers[0])).status).toBe(429);
  // Reading was counted without the database.
  expect(await counted()).toBe(before);

  const card = await makeCard('alice');
  const publish = ({ request }: Harness) =>
    request('POST', '/v1/cards', { session, body: { card } });
  expect(await alternate(servers, 11, publish)).toEqual([...Array<number>(10).fill(201), 429]);
  expect(await counted()).toBe(before + 1);
});

test('names that are long, or would be something else in SQL, are counted like others', async () => {
  const { servers } = await startTwo();
  for (const identity of ['é'.repeat(256), "'; drop table rate_limits; --", '__proto__', '🦊']) {
    const tries = await alternate(servers, 11, (server) => signIn(server, identity));
    expect(tries).toEqual([...TEN_WRONG, 429]);
    await query(servers[0].env['DATABASE_URL'] ?? '', 'delete from rate_limits');
  }
});

describe('the table of counts', () => {
  test('loses what is over, and nothing else', async () => {
    const url = await createPostgresDatabase();
    const counts = countsOf(await open(url));
    const limiter = (seconds: number) =>
      createSharedLimiter(`in${seconds}`, { points: 9, seconds }, counts);
    await limiter(1).consume('a');
    await limiter(60).consume('b');
    const stop = sweep(counts, () => Date.now() + 2000, 5);
    afterTest(stop);
    const keys = async () =>
      (await query(url, 'select key from rate_limits')).map(({ key }) => String(key));
    await vi.waitFor(async () => {
      expect(await keys()).toEqual(['in60:b']);
    });
  });

  test('counts anew when the time is over, also before a row is deleted', async () => {
    const counts = countsOf(await open(await createPostgresDatabase()));
    const limiter = createSharedLimiter('short', { points: 1, seconds: 1 }, counts);
    await limiter.consume('a');
    await expect(limiter.consume('a')).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryAfter: 1,
    });
    await new Promise((resolve) => setTimeout(resolve, 1050));
    await limiter.consume('a');
  });
});

describe('while the database does not answer', () => {
  test('each server counts for itself, and does not open', async () => {
    const limiter = createSharedLimiter('name', { points: 2, seconds: 60 }, failing(outage()));
    await limiter.consume('a');
    await limiter.giveBack('a');
    await limiter.consume('a');
    await limiter.consume('a');
    await expect(limiter.consume('a')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await limiter.reset('a');
    await limiter.consume('a');
  });

  test('a defect is none of its outages, and is not hidden', async () => {
    const limiter = createSharedLimiter(
      'name',
      { points: 2, seconds: 60 },
      failing(new Error('no table')),
    );
    await expect(limiter.consume('a')).rejects.toThrow('no table');
  });

  test('and when the right secret was read on a host that is read-only, it is let in', async () => {
    const { url, servers } = await startTwo();
    const body = { identity: 'alice', authSecret: secret() };
    const [server] = servers;
    await server.request('POST', '/v1/accounts', { body });
    const { pathname } = new URL(url);
    await query(url, `alter database ${pathname.slice(1)} set default_transaction_read_only = on`);
    // For connections that are made from now on, as after a failover.
    const own = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`;
    await query(url, own);
    await vi.waitFor(async () => {
      expect((await server.request('GET', '/readyz')).status).toBe(200);
    });
    expect((await signIn(server, 'alice', body.authSecret)).status).toBe(200);
    const tries = await alternate([server, server], 11, () => signIn(server, 'alice'));
    expect(tries).toEqual([...TEN_WRONG, 429]);
  });
});

function countsOf({ counts }: { readonly counts?: SharedCounts }): SharedCounts {
  if (counts === undefined) throw new Error('This store has no counts.');
  return counts;
}

function failing(error: Error): SharedCounts {
  return { query: () => Promise.reject(error), deleteExpired: () => Promise.reject(error) };
}

function outage(): ServerError {
  return new ServerError('UNAVAILABLE', 'The database does not answer.');
}

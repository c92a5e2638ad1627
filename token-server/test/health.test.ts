import { join } from 'node:path';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { createTokenServer, listen, readConfig, type Store } from '../src/index.ts';
import { openStore } from '../src/store/open.ts';
import { afterTest, environment, requester, start, temporaryFolder } from './support.ts';

describe('health', () => {
  test('the process and its database answer', async () => {
    const { request } = await start();
    for (const path of ['/healthz', '/readyz']) {
      const reply = await request('GET', path);
      expect([reply.status, reply.json]).toEqual([200, { status: 'ok' }]);
    }
  });

  test('without its database the process still answers', async () => {
    const { store } = await openStore('sqlite::memory:');
    const { request } = await start({}, { store });
    await store.close();
    expect((await request('GET', '/healthz')).status).toBe(200);
    const reply = await request('GET', '/readyz');
    expect([reply.status, reply.json['code']]).toEqual([503, 'UNAVAILABLE']);
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
  });

  test('a database that is older than the server is not ready, until it is migrated', async () => {
    const file = join(temporaryFolder(), 'server.db');
    const { request } = await start({ DATABASE_URL: `sqlite:${file}` });
    const database = new Database(file);
    afterTest(() => {
      database.close();
    });
    const [last] = database.prepare('select * from kysely_migration order by name desc').all();
    database.exec(
      'delete from kysely_migration where name = (select max(name) from kysely_migration)',
    );
    const reply = await request('GET', '/readyz');
    expect([reply.status, reply.json['detail']]).toEqual([
      503,
      'The database is older than this server.',
    ]);
    database.prepare('insert into kysely_migration values (@name, @timestamp)').run(last);
    database.exec(`insert into kysely_migration values ('9999-of-a-newer-server', '')`);
    expect((await request('GET', '/readyz')).status).toBe(200);
  });

  test('a database that does not answer at all is not waited for long, nor asked twice', async () => {
    const { store } = await openStore('sqlite::memory:');
    afterTest(() => store.close());
    let pings = 0;
    const stuck: Store = {
      ...store,
      ping() {
        pings++;
        return new Promise(() => undefined);
      },
    };
    const { request } = await start({}, { store: stuck });
    const begun = performance.now();
    const replies = await Promise.all(Array.from({ length: 20 }, () => request('GET', '/readyz')));
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([503]));
    expect(pings).toBe(1);
  });

  test('probes are not limited', async () => {
    const rateLimits = { routeByAddress: { points: 1, seconds: 60 } };
    const { request } = await start({}, { rateLimits });
    for (const path of ['/healthz', '/healthz', '/readyz', '/readyz']) {
      expect((await request('GET', path)).status).toBe(200);
    }
  });

  test('a server that is mounted elsewhere is not ready either once it was told to drain', async () => {
    const server = await createTokenServer(readConfig(environment()), {
      logger: pino({ enabled: false }),
    });
    const { port, stop } = await listen(server.app, 0);
    afterTest(async () => {
      await stop();
      await server.close();
    });
    const request = requester(`http://localhost:${port}`);
    expect((await request('GET', '/readyz')).status).toBe(200);
    server.drain();
    expect((await request('GET', '/readyz')).json['code']).toBe('UNAVAILABLE');
    expect((await request('GET', '/healthz')).status).toBe(200);
    expect((await request('GET', '/v1/app')).status).toBe(200);
  });
});

/** SQL in every field, on every database: it is text like any other, of whoever sent it. */
import { describe, expect, test } from 'vitest';
import { openStore } from '../src/index.ts';
import { DATABASES } from './databases.ts';
import { EXAMPLES, settle, startEverything, type Person } from './everything.ts';
import { OPERATIONS } from './documented.ts';
import { liveCards } from './live-cards.ts';
import { afterTest, secret } from './support.ts';

/** Each could be somebody's identity. */
const INJECTIONS = [
  "' or '1'='1",
  "alice' --",
  "alice'; drop table accounts; --",
  "'; update accounts set secret_hash = ''; --",
  "'; insert into cards select * from cards; --",
  "alice'/**/union/**/select/**/secret_hash/**/from/**/accounts--",
  "'||(select secret_hash from accounts limit 1)||'",
  "' and 1=cast((select version()) as int) --",
  "'; select pg_sleep(10); --",
  "');attach database '/tmp/x' as x;--",
  '" or ""="',
  '`accounts`',
  '[accounts]',
  '$1',
  '$$alice$$',
  '?',
  '?1',
  ':identity',
  '@identity',
  '{0}',
  'ali%',
  'ali_e',
  'al*',
  "\\' or 1=1 --",
  "E'\\047'",
  '\\',
  '%27%20or%201=1--',
  'ʼ or 1=1 --',
  '＇ or 1=1 --',
] as const;

/** Enough for fields that are checked before any database is asked. */
const SOME = INJECTIONS.slice(0, 10);

describe.each(DATABASES)('on $name,', ({ create }) => {
  async function setUp() {
    const url = await create();
    const world = await startEverything({ DATABASE_URL: url });
    const { store } = await openStore(url);
    afterTest(() => store.close());
    /** What there is of Alice, and how much of everything. */
    const look = async () => ({
      account: await store.findAccount('alice'),
      backup: await store.findBackup('alice'),
      card: await store.findCard(world.alice.device.card.id),
      entries: await store.log.size(),
      cards: await store.audit.countCards(),
    });
    return { world, look };
  }

  test('SQL for a name is the name of somebody, who has their own and nothing else', async () => {
    const { world, look } = await setUp();
    const { request, alice } = world;
    const before = await look();
    const people: Person[] = [];
    for (const name of INJECTIONS) people.push(await settle(world, name));
    const count = INJECTIONS.length;
    expect(await look()).toEqual({ ...before, entries: 1 + count, cards: 1 + count });

    const found = await liveCards(world, alice.session, ['alice', ...INJECTIONS]);
    expect(Object.values(found).map((cards) => cards.length)).toEqual(Array(1 + count).fill(1));
    for (const { identity, session, authSecret } of people) {
      const wrong = { identity, authSecret: alice.authSecret };
      const refused = await request('POST', '/v1/sessions', { body: wrong });
      expect(refused.json['code']).toBe('WRONG_CREDENTIALS');
      const path = `/v1/log/map?size=1&identity=${encodeURIComponent(identity)}`;
      const map = await request('GET', path, { session });
      expect(map.json).toMatchObject({ lookup: { found: [{ entries: [] }] } });
      const deleted = await request('DELETE', '/v1/account', { session, body: { authSecret } });
      expect(deleted.status).toBe(204);
    }
    expect(await look()).toEqual({ ...before, entries: 1 + 2 * count, cards: 1 + count });
    expect((await request('GET', '/v1/backup', { session: alice.session })).status).toBe(200);
    expect(world.log()).not.toContain('"level":50');
  });

  test('SQL in place of anything else is refused, and changes nothing', async () => {
    const { world, look } = await setUp();
    const before = await look();
    for (const { name, method, parameters } of OPERATIONS) {
      const sent = await EXAMPLES[name]?.(world);
      if (sent?.session === undefined || name === 'GET /metrics') continue;
      const { path, session, body = {}, headers = {} } = sent;
      for (const sql of SOME) {
        const changes = [
          ...Object.keys(body)
            .filter((member) => !['identities', 'from'].includes(member))
            .map((member) => ({ path, body: { ...body, [member]: sql } })),
          ...(name.endsWith('search') ? [{ path, body: { ...body, from: sql } }] : []),
          ...(Object.keys(body).length > 0 ? [{ path, body: { ...body, [sql]: sql } }] : []),
          ...parameters
            .filter(isNoName)
            .map((parameter) => changed(parameter, { path, headers }, sql)),
          { path, ...(sent.body && { body }), headers: { ...headers, authorization: latin(sql) } },
        ];
        for (const change of changes) {
          const { path: to, ...options } = { session, headers, ...change };
          const { status } = await world.request(method, to, options);
          expect([name, change, status >= 400 && status < 500]).toEqual([name, change, true]);
        }
      }
    }
    expect(await look()).toEqual(before);
    const signIn = { identity: 'alice', authSecret: secret() };
    for (const sql of SOME) {
      const reply = await world.request('POST', '/v1/sessions', {
        body: { ...signIn, authSecret: sql },
      });
      expect(reply.json['code']).toBe('INVALID_REQUEST');
    }
    expect(world.log()).not.toContain('"level":50');
  });
});

type Parameter = (typeof OPERATIONS)[number]['parameters'][number];

/** For a name SQL is fine. */
function isNoName({ name }: Parameter): boolean {
  return name !== 'identity';
}

/** A header has no other characters. */
function latin(text: string): string {
  return text.replaceAll(/[^ -~]/g, "'");
}

function changed(
  { in: place, name }: Parameter,
  { path, headers }: { readonly path: string; readonly headers: Readonly<Record<string, string>> },
  sql: string,
) {
  const text = encodeURIComponent(sql);
  if (place === 'path') return { path: path.replace(/[0-9a-f]{64}/, text) };
  if (place === 'header') return { path, headers: { ...headers, [name]: `"${latin(sql)}"` } };
  return { path: path.replace(new RegExp(`${name}=[^&]*`), () => `${name}=${text}`) };
}

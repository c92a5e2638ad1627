import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openStore, type Store } from '../src/index.ts';
import { DATABASES, open, query } from './databases.ts';
import { afterTest, makeCard, secret, signIn, signUp, start, type Harness } from './support.ts';

const ACCOUNT = { identity: 'é🦊', secretHash: 'hash', createdAt: 1 };

/** Two servers of one application on one database. */
async function startTwo(url: string): Promise<readonly [Harness, Harness]> {
  // Who waits for another's lock of a SQLite file blocks the process, and here both are in one.
  const deps = url.startsWith('sqlite:') ? { store: await open(url) } : {};
  const one = await start({ DATABASE_URL: url }, deps);
  return [one, await start(one.env, deps)];
}

function put({ request }: Harness, session: string, headers: Record<string, string>) {
  return request('PUT', '/v1/backup', { session, body: { backup: secret() }, headers });
}

async function codeOf({ request }: Harness, session: string): Promise<unknown> {
  const { status, json } = await request('GET', '/v1/twilio-token', { session });
  return status === 200 ? 'signed in' : json['code'];
}

// What the third migration and later ones added is taken away again.
const BEFORE_BACKUPS = [
  'alter table accounts drop column session_version',
  'alter table accounts drop column deleted_at',
  'drop table backups',
  'drop table rate_limits',
  "delete from kysely_migration where name >= '0003'",
];

describe.each(DATABASES)('$name', ({ create }) => {
  test('an account of before there were versions has the first one', async () => {
    const url = await create();
    const { store } = await openStore(url);
    await store.addAccount(ACCOUNT);
    await store.close();
    await run(url, BEFORE_BACKUPS);
    const { store: later, applied } = await openStore(url);
    afterTest(() => later.close());
    expect(applied).toEqual(['0003-backups', '0004-rate-limits']);
    expect(await later.findAccount('é🦊')).toEqual({ ...ACCOUNT, sessionVersion: 0 });
  });

  test('an account has a version of its sessions, and stays taken when it is deleted', async () => {
    const store = await open(await create());
    await store.addAccount(ACCOUNT);
    await store.addAccount({ ...ACCOUNT, identity: 'bob' });
    await store.transaction((transaction) =>
      transaction.changeAccount('é🦊', { secretHash: 'other', sessionVersion: 1 }),
    );
    const changed = { ...ACCOUNT, secretHash: 'other', sessionVersion: 1 };
    expect(await store.findAccount('é🦊')).toEqual(changed);
    await store.transaction((transaction) =>
      transaction.deleteAccount('é🦊', { deletedAt: 2 ** 45, sessionVersion: 2 }),
    );
    const deleted = { ...ACCOUNT, secretHash: null, sessionVersion: 2 };
    expect(await store.findAccount('é🦊')).toEqual(deleted);
    expect(await store.transaction((transaction) => transaction.findAccount('é🦊'))).toEqual(
      deleted,
    );
    expect(await store.addAccount(ACCOUNT)).toBe(false);
    expect(await store.findAccount('é🦊')).toEqual(deleted);
    expect(await store.findAccount('bob')).toMatchObject({ secretHash: 'hash', sessionVersion: 0 });
  });

  test('a backup is stored, replaced and deleted, each identity for itself', async () => {
    const store = await open(await create());
    const [one, other] = [backup('one'), backup('other')];
    await store.transaction((transaction) => transaction.putBackup('é🦊', one));
    await store.transaction((transaction) => transaction.putBackup('e', other));
    expect(await store.findBackup('é🦊')).toEqual(one);
    await store.transaction((transaction) => transaction.putBackup('é🦊', other));
    expect(await store.findBackup('é🦊')).toEqual(other);
    expect(await etagIn(store, 'é🦊')).toBe('other');
    await store.transaction((transaction) => transaction.deleteBackup('é🦊'));
    await store.transaction((transaction) => transaction.deleteBackup('nobody'));
    expect(await store.findBackup('é🦊')).toBeNull();
    expect(await etagIn(store, 'é🦊')).toBeNull();
    expect(await store.findBackup('e')).toEqual(other);
  });

  test('the live cards of an identity are those that did not end', async () => {
    const store = await open(await create());
    const ids = await store.transaction(async (transaction) => {
      for (const [id, identity] of [
        ['b', 'alice'],
        ['a', 'alice'],
        ['c', 'alice'],
        ['d', 'bob'],
      ]) {
        const card = { id: `${id}`, identity: `${identity}`, exported: '', approvedAt: 1 };
        await transaction.addCard({ ...card, keys: [`${id}`] });
      }
      await transaction.endCard('b', 1, null);
      return transaction.liveCardIds('alice');
    });
    expect(ids).toEqual(['a', 'c']);
  });

  test('of many who replace one backup at once, on two servers, one does', async () => {
    const servers = await startTwo(await create());
    const { session } = await signUp(servers[0], 'alice');
    let etag = (await put(servers[1], session, { 'if-none-match': '*' })).headers.get('etag') ?? '';
    for (let round = 0; round < 3; round++) {
      const replies = await Promise.all(
        Array.from({ length: 8 }, () =>
          servers.map((server) => put(server, session, { 'if-match': etag })),
        ).flat(),
      );
      expect(replies.map(({ status }) => status).toSorted()).toEqual([
        200,
        ...Array<number>(15).fill(412),
      ]);
      const [winner] = replies.filter(({ status }) => status === 200);
      etag = winner?.headers.get('etag') ?? '';
      for (const { request } of servers) {
        expect((await request('GET', '/v1/backup', { session })).headers.get('etag')).toBe(etag);
      }
    }
  });

  test('of many first backups at once, on two servers, one is stored', async () => {
    const servers = await startTwo(await create());
    const { session } = await signUp(servers[0], 'alice');
    const replies = await Promise.all(
      Array.from({ length: 5 }, () =>
        servers.map((server) => put(server, session, { 'if-none-match': '*' })),
      ).flat(),
    );
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(replies.filter(({ status }) => status === 412)).toHaveLength(9);
  });

  test('a new password ends the sessions of before on the other server too', async () => {
    const [one, other] = await startTwo(await create());
    const { session, authSecret } = await signUp(one, 'alice');
    expect(await codeOf(other, session)).toBe('signed in');
    const newAuthSecret = secret();
    const body = { authSecret, newAuthSecret };
    const { json } = await one.request('POST', '/v1/password', { session, body });
    expect(await codeOf(other, session)).toBe('SESSION_EXPIRED');
    expect((await put(other, session, { 'if-none-match': '*' })).status).toBe(401);
    const token = z.string().parse(json['token']);
    expect(await codeOf(other, token)).toBe('signed in');
    const fresh = await signIn(other, { identity: 'alice', authSecret: newAuthSecret });
    expect(await codeOf(one, fresh)).toBe('signed in');
  });

  test('of two who change one password at once, on two servers, one does', async () => {
    const [one, other] = await startTwo(await create());
    const { session, authSecret } = await signUp(one, 'alice');
    const replies = await Promise.all(
      [one, other, one, other].map(({ request }) =>
        request('POST', '/v1/password', { session, body: { authSecret, newAuthSecret: secret() } }),
      ),
    );
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401]);
  });

  test('an account is deleted on all servers, with its cards and its backup', async () => {
    const url = await create();
    const [one, other] = await startTwo(url);
    const { session, authSecret } = await signUp(one, 'alice');
    const card = await makeCard('alice');
    await one.request('POST', '/v1/cards', { session, body: { card } });
    await put(one, session, { 'if-none-match': '*' });
    const deleting = one.request('DELETE', '/v1/account', { session, body: { authSecret } });
    // Whatever the other server is asked meanwhile.
    const meanwhile = await Promise.all([
      ...Array.from({ length: 5 }, async () =>
        other.request('POST', '/v1/cards', { session, body: { card: await makeCard('alice') } }),
      ),
      put(other, session, { 'if-match': '"another"' }),
      put(other, session, { 'if-none-match': '*' }),
    ]);
    expect((await deleting).status).toBe(204);
    for (const { status } of meanwhile) expect([201, 401, 412]).toContain(status);
    expect(await codeOf(other, session)).toBe('SESSION_EXPIRED');
    const store = await open(url);
    expect(await store.transaction((one) => one.liveCardIds('alice'))).toEqual([]);
    expect(await store.findBackup('alice')).toBeNull();
    const again = { identity: 'alice', authSecret };
    expect((await other.request('POST', '/v1/accounts', { body: again })).status).toBe(409);
  });
});

async function run(url: string, statements: readonly string[]): Promise<void> {
  if (!url.startsWith('sqlite:')) {
    for (const statement of statements) await query(url, statement);
    return;
  }
  const database = new Database(url.slice('sqlite:'.length));
  for (const statement of statements) database.exec(statement);
  database.close();
}

function backup(name: string) {
  return { etag: name, backup: `<${name}>` };
}

function etagIn(store: Store, identity: string): Promise<string | null> {
  return store.transaction((transaction) => transaction.backupEtag(identity));
}

import { base64url, parseRevocation } from 'twilio-chat-encryption/protocol';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openStore, type Store } from '../src/index.ts';
import { createKeeper, findingsOf } from './keeper.ts';
import { liveCards } from './live-cards.ts';
import { openWatched, sendHalf } from './slow-request.ts';
import { afterTest, makeCard, secret, signUp, start, type Harness } from './support.ts';

const PATH = '/v1/account';

function remove({ request }: Harness, session: string, authSecret: string) {
  return request('DELETE', PATH, { session, body: { authSecret } });
}

async function publish({ request }: Harness, session: string, card: string): Promise<string> {
  const { json } = await request('POST', '/v1/cards', { session, body: { card } });
  return z.string().parse(json['card']);
}

/** A server on which alice has two live cards, and a backup. */
async function withAlice() {
  const { store } = await openStore('sqlite::memory:');
  afterTest(() => store.close());
  const server = await start({}, { store });
  const alice = await signUp(server, 'alice');
  const cards = [
    await publish(server, alice.session, await makeCard('alice')),
    await publish(server, alice.session, await makeCard('alice')),
  ];
  const headers = { 'if-none-match': '*' };
  const body = { backup: secret() };
  await server.request('PUT', '/v1/backup', { session: alice.session, body, headers });
  return { server, store, cards, ...alice };
}

describe('an account that is deleted', () => {
  test('signs nobody in any more, and its sessions end', async () => {
    const { server, session, authSecret } = await withAlice();
    const other = await server.session('bob');
    const reply = await remove(server, session, authSecret);
    expect([reply.status, reply.text]).toEqual([204, '']);
    for (const path of ['/v1/twilio-token', '/v1/backup', '/v1/log/head']) {
      const refused = await server.request('GET', path, { session });
      expect([refused.status, refused.json['code']]).toEqual([401, 'SESSION_EXPIRED']);
    }
    const body = { identity: 'alice', authSecret };
    const signedIn = await server.request('POST', '/v1/sessions', { body });
    expect([signedIn.status, signedIn.json['code']]).toEqual([401, 'WRONG_CREDENTIALS']);
    expect((await server.request('GET', '/v1/twilio-token', { session: other })).status).toBe(200);
  });

  test('leaves nothing of its secret and its backup', async () => {
    const { server, store, session, authSecret } = await withAlice();
    await remove(server, session, authSecret);
    expect(await store.findBackup('alice')).toBeNull();
    expect(await store.findAccount('alice')).toMatchObject({ secretHash: null });
  });

  test('has no live cards: the log says that the application revoked them', async () => {
    const { server, store, cards, session, authSecret } = await withAlice();
    const bob = await server.session('bob');
    const bobs = await publish(server, bob, await makeCard('bob'));
    await remove(server, session, authSecret);
    expect(await liveCards(server, bob, ['alice', 'bob'])).toEqual({ alice: [], bob: [bobs] });
    // Both approvals are still there, and then a revocation of each.
    const contents = (await store.log.entriesOf(['alice'], 5)).map(({ content }) => content);
    expect(contents.slice(0, 2)).toEqual(cards);
    const records = await store.audit.cardsOf(['alice']);
    expect(records.map(({ exported }) => exported).toSorted()).toEqual(cards.toSorted());
    for (const { id, revocation } of records) {
      expect(contents.slice(2)).toContain(revocation);
      const said = { cardId: id, reason: 'retired', signer: 'app', revokedAt: server.clock.now };
      expect(parseRevocation(revocation ?? '')).toMatchObject(said);
    }
    const seed = (name: string) => base64url.decode(server.env[name] ?? '') ?? new Uint8Array();
    const seeds = { app: seed('APP_PRIVATE_KEY'), log: seed('LOG_PRIVATE_KEY') };
    expect(await findingsOf(await createKeeper(store, seeds))).toEqual([]);
  });

  test('keeps its name: nobody signs up with it again', async () => {
    const { server, session, authSecret } = await withAlice();
    await remove(server, session, authSecret);
    for (const each of [authSecret, secret()]) {
      const body = { identity: 'alice', authSecret: each };
      const reply = await server.request('POST', '/v1/accounts', { body });
      expect([reply.status, reply.json['code']]).toEqual([409, 'ACCOUNT_EXISTS']);
    }
  });

  test('may have had no cards and no backup', async () => {
    const server = await start();
    const { session, authSecret } = await signUp(server, 'alice');
    expect((await remove(server, session, authSecret)).status).toBe(204);
    const again = await remove(server, session, authSecret);
    expect([again.status, again.json['code']]).toEqual([401, 'SESSION_EXPIRED']);
  });

  test('may have as many cards as an identity can have', async () => {
    const server = await start();
    const { session, authSecret } = await signUp(server, 'alice');
    for (let count = 0; count < 16; count++) {
      await publish(server, session, await makeCard('alice'));
    }
    expect((await remove(server, session, authSecret)).status).toBe(204);
    expect(await liveCards(server, await server.session('bob'), ['alice'])).toEqual({ alice: [] });
  });

  test('gets no card and no backup that was on its way', async () => {
    const { store, reads } = await openWatched();
    const server = await start({}, { store });
    const { session, authSecret } = await signUp(server, 'alice');
    const before = reads();
    const card = { card: await makeCard('alice') };
    const backup = { backup: secret() };
    const headers = { 'if-none-match': '*' };
    const sent = { session, headers };
    const finishes = [
      sendHalf(server.url, { ...sent, method: 'POST', path: '/v1/cards', body: card }),
      sendHalf(server.url, { ...sent, method: 'PUT', path: '/v1/backup', body: backup }),
    ];
    // The session was good when the server looked.
    await expect.poll(reads).toBe(before + 2);
    expect((await remove(server, session, authSecret)).status).toBe(204);
    for (const finish of finishes) expect(await finish()).toBe(401);
    expect(await store.audit.cardsOf(['alice'])).toEqual([]);
    expect(await store.findBackup('alice')).toBeNull();
  });
});

describe('an account is not deleted', () => {
  test('by who does not know its password', async () => {
    const server = await start();
    const { session } = await signUp(server, 'alice');
    await publish(server, session, await makeCard('alice'));
    const before = server.rows();
    const reply = await remove(server, session, secret());
    expect([reply.status, reply.json['code']]).toEqual([401, 'WRONG_CREDENTIALS']);
    expect(server.rows()).toEqual(before);
  });

  test("by somebody else, even with its owner's secret", async () => {
    const server = await start();
    const { authSecret } = await signUp(server, 'alice');
    const bob = await server.session('bob');
    const before = server.rows();
    expect((await remove(server, bob, authSecret)).status).toBe(401);
    expect(server.rows()).toEqual(before);
  });

  test.each([
    ['no secret', {}],
    ['a short secret', { authSecret: 'c2hvcnQ' }],
    ['an identity', { authSecret: secret(), identity: 'bob' }],
  ])('with %s', async (_, body) => {
    const server = await start();
    const session = await server.session('alice');
    const reply = await server.request('DELETE', PATH, { session, body });
    expect([reply.status, reply.json['code']]).toEqual([400, 'INVALID_REQUEST']);
  });

  test('without a body', async () => {
    const server = await start();
    const session = await server.session('alice');
    const reply = await server.request('DELETE', PATH, { session });
    expect([reply.status, reply.json['code']]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });

  test('by half: what fails in between leaves cards, backup, account and log as they were', async () => {
    const { store } = await openStore('sqlite::memory:');
    afterTest(() => store.close());
    let isBroken = false;
    const fragile: Store = {
      ...store,
      transaction: (work) =>
        store.transaction((transaction) =>
          work({
            ...transaction,
            deleteAccount: (identity, changes) =>
              isBroken
                ? Promise.reject(new Error('disk on fire'))
                : transaction.deleteAccount(identity, changes),
          }),
        ),
    };
    const server = await start({}, { store: fragile });
    const { session, authSecret } = await signUp(server, 'alice');
    const card = await publish(server, session, await makeCard('alice'));
    const headers = { 'if-none-match': '*' };
    const body = { backup: secret() };
    await server.request('PUT', '/v1/backup', { session, body, headers });
    const size = await store.log.size();
    isBroken = true;
    expect((await remove(server, session, authSecret)).status).toBe(500);
    expect(await store.log.size()).toBe(size);
    expect(await store.audit.cardsOf(['alice'])).toMatchObject([{ exported: card, endedAt: null }]);
    expect((await server.request('GET', '/v1/backup', { session })).json).toEqual(body);
    isBroken = false;
    expect((await remove(server, session, authSecret)).status).toBe(204);
  });
});

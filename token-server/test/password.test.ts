import {
  createRevocation,
  endorseCard,
  exportCard,
  parseIdentity,
} from 'twilio-chat-encryption/protocol';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { makeDevice } from './keeper.ts';
import { openWatched, sendHalf } from './slow-request.ts';
import { secret, signIn, signUp, start, type Harness } from './support.ts';

const PATH = '/v1/password';

function change({ request }: Harness, session: string, authSecret: string, newAuthSecret: string) {
  return request('POST', PATH, { session, body: { authSecret, newAuthSecret } });
}

function tokenOf({ json }: { readonly json: Record<string, unknown> }): string {
  return z.string().parse(json['token']);
}

async function codeOf({ request }: Harness, session: string): Promise<unknown> {
  const reply = await request('GET', '/v1/twilio-token', { session });
  return reply.status === 200 ? 'signed in' : [reply.status, reply.json['code']];
}

describe('a new password', () => {
  test('signs in instead of the old one', async () => {
    const server = await start();
    const { session, authSecret } = await signUp(server, 'alice');
    const newAuthSecret = secret();
    expect((await change(server, session, authSecret, newAuthSecret)).status).toBe(200);
    const attempt = (each: string) =>
      server.request('POST', '/v1/sessions', { body: { identity: 'alice', authSecret: each } });
    const old = await attempt(authSecret);
    expect([old.status, old.json['code']]).toEqual([401, 'WRONG_CREDENTIALS']);
    const fresh = await attempt(newAuthSecret);
    expect(fresh.status).toBe(200);
    expect(await codeOf(server, tokenOf(fresh))).toBe('signed in');
  });

  test('ends all sessions of before, and gives a new one for an hour', async () => {
    const server = await start();
    const { session, authSecret } = await signUp(server, 'alice');
    const other = await signIn(server, { identity: 'alice', authSecret });
    const bob = await server.session('bob');
    const { json, headers } = await change(server, session, authSecret, secret());
    expect(Object.keys(json)).toEqual(['token', 'expiresAt']);
    expect(json['expiresAt']).toBe((Math.floor(server.clock.now / 1000) + 3600) * 1000);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(await codeOf(server, session)).toEqual([401, 'SESSION_EXPIRED']);
    expect(await codeOf(server, other)).toEqual([401, 'SESSION_EXPIRED']);
    expect(await codeOf(server, tokenOf({ json }))).toBe('signed in');
    expect(await codeOf(server, bob)).toBe('signed in');
  });

  test('may be changed again, also to an earlier one, which brings no session back', async () => {
    const server = await start();
    const { session, authSecret } = await signUp(server, 'alice');
    const between = secret();
    const second = tokenOf(await change(server, session, authSecret, between));
    const third = tokenOf(await change(server, second, between, authSecret));
    expect(await codeOf(server, session)).toEqual([401, 'SESSION_EXPIRED']);
    expect(await codeOf(server, second)).toEqual([401, 'SESSION_EXPIRED']);
    expect(await codeOf(server, third)).toBe('signed in');
  });

  test('that is the old one ends the sessions of all other devices', async () => {
    const server = await start();
    const { session, authSecret } = await signUp(server, 'alice');
    const kept = tokenOf(await change(server, session, authSecret, authSecret));
    expect(await codeOf(server, session)).toEqual([401, 'SESSION_EXPIRED']);
    expect(await codeOf(server, kept)).toBe('signed in');
  });

  test('is set once, also when it is changed many times at the same moment', async () => {
    const server = await start();
    const { session, authSecret } = await signUp(server, 'alice');
    const secrets = Array.from({ length: 8 }, () => secret());
    const replies = await Promise.all(
      secrets.map((each) => change(server, session, authSecret, each)),
    );
    const winners = replies.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    const codes = replies.filter(({ status }) => status !== 200).map(({ json }) => json['code']);
    // Who comes later finds the session ended already.
    for (const code of codes) expect(['WRONG_CREDENTIALS', 'SESSION_EXPIRED']).toContain(code);
    const newAuthSecret = secrets[replies.findIndex(({ status }) => status === 200)] ?? '';
    const token = await signIn(server, { identity: 'alice', authSecret: newAuthSecret });
    expect(await codeOf(server, token)).toBe('signed in');
  });
});

describe('a password is not changed', () => {
  test('by who does not know the old one', async () => {
    const server = await start();
    const { session } = await signUp(server, 'alice');
    const before = server.rows();
    const reply = await change(server, session, secret(), secret());
    expect([reply.status, reply.json['code']]).toEqual([401, 'WRONG_CREDENTIALS']);
    expect(server.rows()).toEqual(before);
    expect(await codeOf(server, session)).toBe('signed in');
  });

  test("by somebody else, even with its owner's secret", async () => {
    const server = await start();
    const { authSecret } = await signUp(server, 'alice');
    const { session } = await signUp(server, 'bob');
    const before = server.rows();
    expect((await change(server, session, authSecret, secret())).status).toBe(401);
    expect(server.rows()).toEqual(before);
  });

  test('by who signed in for an account that was ended since', async () => {
    const server = await start();
    const { session, authSecret } = await signUp(server, 'alice');
    await change(server, session, authSecret, authSecret);
    const before = server.rows();
    const reply = await change(server, session, authSecret, secret());
    expect([reply.status, reply.json['code']]).toEqual([401, 'SESSION_EXPIRED']);
    expect(server.rows()).toEqual(before);
  });

  const good = { authSecret: secret(), newAuthSecret: secret() };

  test.each([
    ['no new secret', { authSecret: secret() }],
    ['no old secret', { newAuthSecret: secret() }],
    ['a short new secret', { ...good, newAuthSecret: 'c2hvcnQ' }],
    ['a padded new secret', { ...good, newAuthSecret: secret() + '=' }],
    ['a number for a secret', { ...good, authSecret: 7 }],
    ['an identity', { ...good, identity: 'bob' }],
  ])('with %s', async (_, body) => {
    const server = await start();
    const session = await server.session('alice');
    const before = server.rows();
    const reply = await server.request('POST', PATH, { session, body });
    expect([reply.status, reply.json['code']]).toEqual([400, 'INVALID_REQUEST']);
    expect(server.rows()).toEqual(before);
  });

  test('with a long body', async () => {
    const server = await start();
    const session = await server.session('alice');
    const reply = await change(server, session, secret(), 'A'.repeat(2000));
    expect([reply.status, reply.json['code']]).toEqual([413, 'BODY_TOO_LARGE']);
  });
});

test('guesses count together, wherever they are made', async () => {
  const server = await start();
  const { session, authSecret } = await signUp(server, 'alice');
  const guesses = [
    () =>
      server.request('POST', '/v1/sessions', { body: { identity: 'alice', authSecret: secret() } }),
    () => change(server, session, secret(), secret()),
    () => server.request('DELETE', '/v1/account', { session, body: { authSecret: secret() } }),
  ];
  const tries = await Promise.all(
    Array.from({ length: 4 }, () => guesses.map((each) => each())).flat(),
  );
  expect(tries.map(({ status }) => status).toSorted()).toEqual([
    ...Array<number>(10).fill(401),
    429,
    429,
  ]);
  const before = server.rows();
  // The right one too, so that an answer tells nothing.
  const right = await change(server, session, authSecret, secret());
  expect([right.status, right.json['code']]).toEqual([429, 'RATE_LIMITED']);
  expect(right.headers.has('retry-after')).toBe(true);
  expect(server.rows()).toEqual(before);
});

test('a wrong old password and an account that is not there cost the same answer', async () => {
  const server = await start();
  const { session, authSecret } = await signUp(server, 'alice');
  await server.request('DELETE', '/v1/account', { session, body: { authSecret } });
  await server.session('bob');
  const attempt = (identity: string) =>
    server.request('POST', '/v1/sessions', { body: { identity, authSecret } });
  const [deleted, wrong] = [await attempt('alice'), await attempt('bob')];
  expect([deleted.status, deleted.text]).toEqual([wrong.status, wrong.text]);
  expect(deleted.json['code']).toBe('WRONG_CREDENTIALS');
});

test('what was on its way under a session that was ended is not carried out', async () => {
  const { store, reads } = await openWatched();
  const server = await start({}, { store });
  const { session, authSecret } = await signUp(server, 'alice');
  const publish = (card: string, as: string) =>
    server.request('POST', '/v1/cards', { session: as, body: { card } });
  const [phone, laptop, next] = [await device(), await device(), await device()];
  for (const { card } of [phone, laptop]) {
    expect((await publish(exportCard(card), session)).status).toBe(201);
  }
  const cards = () => store.audit.cardsOf(['alice']);
  const stored = await cards();

  const before = reads();
  const half = (path: string, body: unknown) =>
    sendHalf(server.url, { method: 'POST', path, session, body });
  const signer = { id: phone.card.id, signingKey: phone.key };
  const content = { cardId: laptop.card.id, reason: 'retired', revokedAt: 5 } as const;
  const revocation = await createRevocation({ ...content, signer: phone.card.id }, phone.key);
  const finishes = [
    half('/v1/cards', { card: exportCard(next.card) }),
    half('/v1/cards', { card: exportCard(await endorseCard(laptop.card, signer)) }),
    half(`/v1/cards/${laptop.card.id}/revocation`, { revocation }),
  ];
  // The session was good when the server looked.
  await expect.poll(reads).toBe(before + finishes.length);
  const token = tokenOf(await change(server, session, authSecret, secret()));
  const statuses = await Promise.all(finishes.map((finish) => finish()));
  expect(statuses).toEqual([401, 401, 401]);
  expect(await cards()).toEqual(stored);

  // Nothing but the session was wrong with it.
  expect((await publish(exportCard(next.card), token)).status).toBe(201);
});

const device = () => makeDevice(parseIdentity('alice'));

test('a session that was ended does not use up what its owner may ask', async () => {
  const rateLimits = { routeByIdentity: { points: 3, seconds: 3600 } };
  const server = await start({}, { rateLimits });
  const { session, authSecret } = await signUp(server, 'alice');
  const token = tokenOf(await change(server, session, authSecret, secret()));
  for (let count = 0; count < 5; count++) {
    expect(await codeOf(server, session)).toEqual([401, 'SESSION_EXPIRED']);
  }
  expect(await codeOf(server, token)).toBe('signed in');
});

test('no secret reaches the log', async () => {
  const server = await start();
  const { session, authSecret } = await signUp(server, 'alice');
  const newAuthSecret = secret();
  const body = { authSecret, newAuthSecret };
  const raw = JSON.stringify(body);
  await server.request('POST', PATH, { session, raw: `${raw}}` });
  await server.request('POST', PATH, { session, raw, headers: { 'content-type': 'text/plain' } });
  await server.request('POST', PATH, { session, body: { ...body, [newAuthSecret]: authSecret } });
  await server.request('POST', `${PATH}?newAuthSecret=${newAuthSecret}`, { session });
  const token = tokenOf(await server.request('POST', PATH, { session, body }));
  await server.request('DELETE', '/v1/account', { session: token, raw: raw.slice(0, -3) });
  const last = { authSecret: newAuthSecret };
  const reply = await server.request('DELETE', '/v1/account', { session: token, body: last });
  expect(reply.status).toBe(204);
  for (const each of [authSecret, newAuthSecret, ...token.split('.').slice(1)]) {
    expect(server.log()).not.toContain(each.slice(0, 16));
  }
});

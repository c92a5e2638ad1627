import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { parseIdentity } from 'twilio-chat-encryption/protocol';
import { describe, expect, test } from 'vitest';
import { createAccounts } from '../src/domain/accounts.ts';
import { DEFAULT_SCRYPT_COST, hashSecret, secretMatches } from '../src/domain/secret-hash.ts';
import { openStore } from '../src/index.ts';
import { afterTest, makeCard, secret, start } from './support.ts';

describe('signing up and in', () => {
  test('gives a session', async () => {
    const { request, clock } = await start();
    const body = { identity: 'alice', authSecret: secret() };
    const created = await request('POST', '/v1/accounts', { body });
    expect([created.status, created.json]).toEqual([201, { identity: 'alice' }]);
    const { status, json, headers } = await request('POST', '/v1/sessions', { body });
    expect(status).toBe(200);
    expect(json['expiresAt']).toBe((Math.floor(clock.now / 1000) + 3600) * 1000);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('a wrong secret and an unknown identity get the same answer', async () => {
    const { request, rows } = await start();
    await request('POST', '/v1/accounts', { body: { identity: 'alice', authSecret: secret() } });
    const before = rows();
    const wrong = await request('POST', '/v1/sessions', {
      body: { identity: 'alice', authSecret: secret() },
    });
    const unknown = await request('POST', '/v1/sessions', {
      body: { identity: 'nobody', authSecret: secret() },
    });
    expect(wrong.status).toBe(401);
    expect(wrong.json).toEqual({
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      detail: 'The identity or the secret is wrong.',
      code: 'WRONG_CREDENTIALS',
    });
    expect([unknown.status, unknown.text]).toEqual([wrong.status, wrong.text]);
    expect(rows()).toEqual(before);
  });

  test('a wrong secret and an unknown identity cost the same', async () => {
    const { store } = await openStore('sqlite::memory:');
    afterTest(() => store.close());
    const parts = { store, cost: DEFAULT_SCRYPT_COST, now: Date.now, random: randomBytes };
    const accounts = await createAccounts(parts);
    await accounts.signUp(parseIdentity('alice'), randomBytes(32));
    // Processor time, of all threads: unlike the clock it does not depend on what else runs.
    const cost = async (identity: string): Promise<number> => {
      const started = process.cpuUsage();
      for (let i = 0; i < 3; i++) {
        const checked = accounts.check(parseIdentity(identity), randomBytes(32));
        await expect(checked).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' });
      }
      const { user, system } = process.cpuUsage(started);
      return user + system;
    };
    const ratio = (await cost('nobody')) / (await cost('alice'));
    expect(ratio).toBeGreaterThan(0.4);
    expect(ratio).toBeLessThan(2.5);
  });

  test('an identity signs up once, also when twice at the same moment', async () => {
    const { request, rows } = await start();
    const attempts = Array.from({ length: 8 }, () => ({ identity: 'alice', authSecret: secret() }));
    const replies = await Promise.all(
      attempts.map((body) => request('POST', '/v1/accounts', { body })),
    );
    expect(replies.map(({ status }) => status).toSorted()).toEqual([
      201,
      ...Array<number>(7).fill(409),
    ]);
    const before = rows();
    const again = await request('POST', '/v1/accounts', { body: attempts[0] });
    expect([again.status, again.json['code']]).toEqual([409, 'ACCOUNT_EXISTS']);
    expect(rows()).toEqual(before);
  });

  test('is not for the name of somebody who came by another sign-in, with cards or a backup', async () => {
    const { store } = await openStore('sqlite::memory:');
    afterTest(() => store.close());
    const before = await start({}, { store, authenticate: (req) => req.get('x-user') ?? null });
    const card = { card: await makeCard('alice') };
    const backup = { backup: secret() };
    const sent = [
      before.request('POST', '/v1/cards', { body: card, headers: { 'x-user': 'alice' } }),
      before.request('PUT', '/v1/backup', {
        body: backup,
        headers: { 'x-user': 'bob', 'if-none-match': '*' },
      }),
    ];
    expect((await Promise.all(sent)).map(({ status }) => status)).toEqual([201, 200]);

    const { request } = await start(before.env, { store });
    const signUp = async (identity: string) => {
      const body = { identity, authSecret: secret() };
      return (await request('POST', '/v1/accounts', { body })).status;
    };
    expect([await signUp('alice'), await signUp('bob'), await signUp('carol')]).toEqual([
      409, 409, 201,
    ]);
  });

  test('identities are compared exactly', async () => {
    const { request, session } = await start();
    await session('alice');
    for (const identity of ['Alice', 'alice.', 'аlice']) {
      const body = { identity, authSecret: secret() };
      expect((await request('POST', '/v1/accounts', { body })).status).toBe(201);
    }
  });
});

describe('the body', () => {
  test.each([' alice', 'alice ', 'al\u00a0ice', '\u2800'])(
    'cannot name an identity that looks like another: %j',
    async (identity) => {
      const { request } = await start();
      const body = { identity, authSecret: secret() };
      expect((await request('POST', '/v1/accounts', { body })).status).toBe(400);
    },
  );

  const good = { identity: 'alice', authSecret: secret() };

  test.each([
    ['no secret', { identity: 'alice' }],
    ['no identity', { authSecret: secret() }],
    ['a number for a secret', { ...good, authSecret: 7 }],
    ['a short secret', { ...good, authSecret: 'c2hvcnQ' }],
    ['a long secret', { ...good, authSecret: 'A'.repeat(44) }],
    ['a padded secret', { ...good, authSecret: secret() + '=' }],
    ['stray bits in the secret', { ...good, authSecret: 'A'.repeat(42) + 'B' }],
    ['an object for an identity', { ...good, identity: { $ne: null } }],
    ['one member too many', { ...good, admin: true }],
    ['an array', [good]],
    ['null', null],
  ])('%s is refused', async (_, body) => {
    const { request, rows } = await start();
    const before = rows();
    for (const path of ['/v1/accounts', '/v1/sessions']) {
      const reply = await request('POST', path, { raw: JSON.stringify(body) });
      expect(reply.status).toBe(400);
      expect(reply.json['code']).toMatch(/^INVALID_(REQUEST|JSON)$/);
    }
    expect(rows()).toEqual(before);
  });

  test.each([
    ['', 'empty'],
    ['a'.repeat(257), 'too long'],
    ['a\u0000b', 'zero byte'],
    ['a\nb', 'line feed'],
    ['alice\u202e', 'bidirectional override'],
    ['ali\u200bce', 'zero-width space'],
    ['ali\u200dce', 'zero-width joiner'],
    ['e\u0301', 'not NFC'],
    ['\ud800', 'lone surrogate'],
    ['\ufeffalice', 'byte order mark'],
  ])('the identity %j is refused (%s)', async (identity) => {
    const { request, rows } = await start();
    const before = rows();
    const body = { identity, authSecret: secret() };
    for (const path of ['/v1/accounts', '/v1/sessions']) {
      const reply = await request('POST', path, { body });
      expect([reply.status, reply.json['code']]).toEqual([400, 'INVALID_IDENTITY']);
    }
    expect(rows()).toEqual(before);
  });

  test.each([
    '__proto__',
    'constructor',
    'toString',
    "'; drop table accounts; --",
    '" or ""="',
    '%',
    '../../etc/passwd',
    'Zoë 🦊 山田',
    'é'.repeat(256),
    '0',
    'null',
  ])('the identity %j is one like any other', async (identity) => {
    const { request, session } = await start();
    const token = await session(identity);
    const reply = await request('GET', '/v1/twilio-token', { session: token });
    expect(reply.json['identity']).toBe(identity);
  });
});

test('a stored secret matches itself and nothing else', async () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const cost = { logN: 2, r: 1, p: 1 };
  await fc.assert(
    fc.asyncProperty(bytes, bytes, async (one, other) => {
      const stored = await hashSecret(one, cost, randomBytes);
      expect(await secretMatches(one, stored)).toBe(true);
      expect(await secretMatches(other, stored)).toBe(Buffer.compare(one, other) === 0);
      expect(await hashSecret(one, cost, randomBytes)).not.toBe(stored);
    }),
  );
  const stored = await hashSecret(randomBytes(32), DEFAULT_SCRYPT_COST, randomBytes);
  expect(stored).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$[\w-]{22}\$[\w-]{43}$/);
  await expect(secretMatches(randomBytes(32), 'damaged')).rejects.toThrow('damaged');
});

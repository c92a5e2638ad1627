import { createHmac, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import {
  claims,
  keySet,
  makeKey,
  sign,
  startIssuer,
  type Issuer,
  type IssuerKey,
} from './issuer.ts';
import { openWatched } from './slow-request.ts';
import { makeCard, secret, signUp, start, type Harness, type Reply } from './support.ts';

const RSA = makeKey('rsa-1', 'RS256');
const EC = makeKey('ec-1', 'ES256');
const OTHER = makeKey('rsa-2', 'RS256');

interface Setting {
  readonly issuer: Issuer;
  readonly server: Harness;
}

async function setUp(env: Record<string, string> = {}, keys = [RSA, EC]): Promise<Setting> {
  const issuer = await startIssuer(...keys);
  return { issuer, server: await start({ ...issuer.env, ...env }) };
}

function ask({ request }: Harness, session: string): Promise<Reply> {
  return request('GET', '/v1/twilio-token', { session });
}

async function codeOf(server: Harness, session: string): Promise<unknown> {
  const { status, json } = await ask(server, session);
  return status === 200 ? json['identity'] : [status, json['code']];
}

const INVALID = [401, 'SESSION_INVALID'];
const EXPIRED = [401, 'SESSION_EXPIRED'];
const NO_IDENTITY = [400, 'INVALID_IDENTITY'];
const UNAVAILABLE = [503, 'UNAVAILABLE'];

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe("with tokens of the application's own sign-in", () => {
  test('the token is the session, on every route that needs one', async () => {
    const { server } = await setUp();
    const session = sign(RSA);
    expect(await codeOf(server, session)).toBe('alice');
    expect(await codeOf(server, sign(EC, { sub: 'bob' }))).toBe('bob');
    const { request } = server;
    const card = await makeCard('alice');
    const published = await request('POST', '/v1/cards', { session, body: { card } });
    expect(published.status).toBe(201);
    const stored = await request('PUT', '/v1/backup', {
      session,
      body: { backup: secret() },
      headers: { 'if-none-match': '*' },
    });
    expect(stored.status).toBe(200);
    const search = { session, body: { identities: ['alice'] } };
    expect((await request('POST', '/v1/cards/search', search)).status).toBe(200);
    const others = { session: sign(RSA, { sub: 'bob' }), body: { card: await makeCard('alice') } };
    expect((await request('POST', '/v1/cards', others)).json['code']).toBe('IDENTITY_MISMATCH');
  });

  test('there are no accounts: nobody signs up under the name of somebody else', async () => {
    const { server } = await setUp();
    const session = sign(RSA);
    const body = { identity: 'alice', authSecret: secret() };
    for (const [method, path] of [
      ['POST', '/v1/accounts'],
      ['POST', '/v1/sessions'],
      ['POST', '/v1/password'],
      ['DELETE', '/v1/account'],
    ] as const) {
      const { status, json } = await server.request(method, path, { session, body });
      expect([path, status, json['code']]).toEqual([path, 404, 'NOT_FOUND']);
    }
  });

  test('a token costs no look at the accounts, and one question for keys', async () => {
    const issuer = await startIssuer(RSA, EC);
    const { store, reads } = await openWatched();
    const server = await start(issuer.env, { store });
    const tokens = Array.from({ length: 20 }, (_, i) => sign(RSA, { sub: `user-${i}` }));
    await Promise.all(tokens.map((token) => ask(server, token)));
    expect(await codeOf(server, sign(EC))).toBe('alice');
    expect([reads(), issuer.asked]).toEqual([0, 1]);
  });

  test('a session of this server is worth nothing, whatever secret signed it', async () => {
    const { server } = await setUp();
    const withAccounts = await start({ SESSION_SECRET: server.env['SESSION_SECRET'] ?? '' });
    const { session } = await signUp(withAccounts, 'alice');
    expect(await codeOf(withAccounts, session)).toBe('alice');
    expect(await codeOf(server, session)).toEqual(INVALID);
    expect(await codeOf(withAccounts, sign(RSA))).toEqual(INVALID);
  });

  test('who changed a password here before is known by tokens like anybody else', async () => {
    const { store } = await openWatched();
    await store.addAccount({ identity: 'alice', secretHash: 'old', createdAt: 1 });
    await store.transaction((transaction) =>
      transaction.changeAccount('alice', { secretHash: 'new', sessionVersion: 3 }),
    );
    const issuer = await startIssuer(RSA);
    const server = await start(issuer.env, { store });
    const put = () =>
      server.request('PUT', '/v1/backup', {
        session: sign(RSA),
        body: { backup: secret() },
        headers: { 'if-none-match': '*' },
      });
    expect((await put()).status).toBe(200);
    // A name that was deleted stays taken.
    await store.transaction(async (transaction) => {
      await transaction.deleteBackup('alice');
      await transaction.deleteAccount('alice', { deletedAt: 1, sessionVersion: 4 });
    });
    expect((await put()).json['code']).toBe('SESSION_EXPIRED');
  });

  test('neither tokens nor what is in them is in the log or in an answer', async () => {
    const { server, issuer } = await setUp();
    const tokens = [sign(RSA), sign(OTHER), sign(RSA, { sub: 'a\u0000b' }), sign(RSA, { exp: 1 })];
    issuer.answer = 500;
    const replies = [];
    for (const token of tokens) replies.push(await ask(server, token));
    issuer.answer = keySet(RSA);
    server.clock.now += 10_000;
    for (const token of tokens) replies.push(await ask(server, token));
    const [, ...refusals] = replies.toReversed();
    const seen = server.log() + refusals.map(({ text }) => text).join('');
    for (const token of tokens) {
      for (const piece of token.split('.')) expect(seen).not.toContain(piece);
    }
  });
});

describe('a key', () => {
  test('that is new is found, and one that was removed is not used any more', async () => {
    const { server, issuer } = await setUp({}, [RSA]);
    expect(await codeOf(server, sign(RSA))).toBe('alice');
    issuer.answer = keySet(RSA, OTHER);
    server.clock.now += 31_000;
    expect(await codeOf(server, sign(OTHER))).toBe('alice');
    expect(issuer.asked).toBe(2);
    issuer.answer = keySet(OTHER);
    expect(await codeOf(server, sign(RSA))).toBe('alice');
    server.clock.now += 10 * 60_000;
    expect(await codeOf(server, sign(RSA))).toEqual(INVALID);
    expect(await codeOf(server, sign(OTHER))).toBe('alice');
  });

  test('of an invented name is asked for once in a while, and keeps nobody else out', async () => {
    const { server, issuer } = await setUp();
    for (let i = 0; i < 50; i++) {
      expect(await codeOf(server, sign(OTHER, {}, { kid: `invented-${i}` }))).toEqual(INVALID);
    }
    expect(issuer.asked).toBe(1);
    server.clock.now += 31_000;
    const invented = Array.from({ length: 20 }, (_, i) => sign(OTHER, {}, { kid: `more-${i}` }));
    await Promise.all(invented.map((token) => ask(server, token)));
    expect(issuer.asked).toBe(2);
    expect(await codeOf(server, sign(RSA))).toBe('alice');
    server.clock.now += 11 * 60_000;
    expect(await codeOf(server, sign(RSA, { exp: 4e9 }))).toBe('alice');
  });

  test.each([
    '../../etc/passwd',
    'https://evil.example/jwks.json',
    "' or 1=1 --",
    '__proto__',
    'constructor',
    '',
    'rsa-1\u0000',
    'RSA-1',
    'k'.repeat(5000),
    null,
    7,
    ['rsa-1'],
    { toString: 'rsa-1' },
  ])('is not had by the name %j', async (kid) => {
    const { server, issuer } = await setUp();
    expect(await codeOf(server, forged(RSA, { kid }))).toEqual(INVALID);
    expect(await codeOf(server, forged(OTHER, { kid }))).toEqual(INVALID);
    expect(issuer.asked).toBeLessThanOrEqual(1);
  });

  test('without a name is the only one, or none', async () => {
    const { server, issuer } = await setUp();
    expect(await codeOf(server, forged(RSA, { kid: undefined }))).toEqual(INVALID);
    issuer.answer = { keys: [{ ...RSA.jwk, kid: undefined, alg: undefined, use: undefined }] };
    server.clock.now += 31_000;
    expect(await codeOf(server, forged(RSA, { kid: undefined }))).toBe('alice');
    expect(await codeOf(server, forged(OTHER, { kid: undefined }))).toEqual(INVALID);
  });

  test('for something else, too short, or with its private half does not check tokens', async () => {
    const short = { ...OTHER, ...pair(1024) };
    const jwks: [IssuerKey, Record<string, unknown>][] = [
      [RSA, { ...RSA.jwk, use: 'enc' }],
      [RSA, { ...RSA.jwk, alg: 'RS512' }],
      [RSA, { ...RSA.privateKey.export({ format: 'jwk' }), kid: RSA.kid, alg: 'RS256' }],
      [RSA, { kty: 'oct', kid: RSA.kid, k: secret() }],
      [short, { ...short.publicKey.export({ format: 'jwk' }), kid: short.kid }],
    ];
    for (const [key, jwk] of jwks) {
      const { server, issuer } = await setUp();
      issuer.answer = { keys: [jwk, EC.jwk] };
      const token = key === short ? forged(short, {}) : sign(key);
      expect(await codeOf(server, token)).toEqual(INVALID);
      expect(await codeOf(server, sign(EC))).toBe('alice');
    }
  });

  test('may be one of a thousand, and of two with one name', async () => {
    const { server, issuer } = await setUp();
    const many = Array.from({ length: 1000 }, (_, i) => ({ ...OTHER.jwk, kid: `key-${i}` }));
    const twin = { ...EC, kid: 'twin', jwk: { ...EC.jwk, kid: 'twin' } };
    issuer.answer = { keys: [...many, { ...RSA.jwk, kid: 'twin' }, twin.jwk, RSA.jwk] };
    expect(await codeOf(server, sign(RSA))).toBe('alice');
    expect(await codeOf(server, sign(twin))).toBe('alice');
    expect(await codeOf(server, sign({ ...OTHER, kid: 'key-999' }))).toBe('alice');
    expect(issuer.asked).toBe(1);
  });
});

describe('when the keys cannot be had,', () => {
  const answers: Record<string, object | string | number> = {
    'the server fails': 500,
    'it sends somewhere else': 302,
    'it does not know them': 404,
    'they are no JSON': '<html>',
    'they are JSON of something else': '[]',
    'there are none': { keys: [] },
    'they are text': { keys: 'keys' },
    'they are garbage': { keys: [null, 7, 'key', [], {}, { kty: 'RSA', e: 'AQAB' }] },
    'they are too many': `{"keys":[${'{},'.repeat(800_000)}{}]}`,
  };

  test.each(Object.entries(answers))('%s: it is not the token’s fault', async (_, answer) => {
    const { server, issuer } = await setUp();
    issuer.answer = answer;
    const { status, json, headers } = await ask(server, sign(RSA));
    expect([status, json['code']]).toEqual(UNAVAILABLE);
    expect(headers.get('retry-after')).toBe('5');
    // Not asked again at once, and back as soon as they are.
    expect(await codeOf(server, sign(RSA))).toEqual(UNAVAILABLE);
    expect(issuer.asked).toBe(1);
    issuer.answer = keySet(RSA);
    server.clock.now += 5_000;
    expect(await codeOf(server, sign(RSA))).toBe('alice');
  });

  test('those that are known go on for an hour, and nobody has to sign in again', async () => {
    const { server, issuer } = await setUp();
    const token = sign(RSA, { exp: 4e9 });
    expect(await codeOf(server, token)).toBe('alice');
    issuer.stop();
    server.clock.now += 59 * 60_000;
    expect(await codeOf(server, token)).toBe('alice');
    expect(await codeOf(server, sign(OTHER, { exp: 4e9 }))).toEqual(UNAVAILABLE);
    server.clock.now += 60_000;
    expect(await codeOf(server, token)).toEqual(UNAVAILABLE);
  });

  // Shorter than the server is waited for.
  test('nobody waits for them while those that are known go on', { timeout: 4_500 }, async () => {
    const { server, issuer } = await setUp();
    const token = sign(RSA, { exp: 4e9 });
    expect(await codeOf(server, token)).toBe('alice');
    server.clock.now += 10 * 60_000;
    issuer.answer = 500;
    expect(await codeOf(server, token)).toBe('alice');
    server.clock.now += 5_000;
    issuer.answer = null;
    expect(await codeOf(server, token)).toBe('alice');
    await expect.poll(() => issuer.asked).toBe(3);
    expect(await codeOf(server, token)).toBe('alice');
  });

  test('among garbage, those that are keys are used', async () => {
    const { server, issuer } = await setUp();
    issuer.answer = {
      keys: [null, {}, { kty: 'RSA', kid: 'rsa-1' }, { kty: 'EC' }, EC.jwk, RSA.jwk],
    };
    expect(await codeOf(server, sign(RSA))).toBe('alice');
  });

  test('a server that never answers is waited for a few seconds', { timeout: 20_000 }, async () => {
    const { server, issuer } = await setUp();
    issuer.answer = null;
    expect(await codeOf(server, sign(RSA))).toEqual(UNAVAILABLE);
  });
});

describe('a token is refused', () => {
  const now = () => Math.floor(Date.now() / 1000);
  const AUDIENCE = 'https://chat.example';
  const refused: Record<string, [unknown, () => string]> = {
    'of another issuer': [INVALID, () => sign(RSA, { iss: 'https://sign-in.example' })],
    'of a list of issuers': [INVALID, () => sign(RSA, { iss: ['https://sign-in.example/'] })],
    'of no issuer': [INVALID, () => sign(RSA, { iss: undefined })],
    'for another audience': [INVALID, () => sign(RSA, { aud: `${AUDIENCE}/` })],
    'for no audience': [INVALID, () => sign(RSA, { aud: undefined })],
    'that has ended': [EXPIRED, () => sign(RSA, { exp: now() - 31 })],
    'that never ends': [INVALID, () => sign(RSA, { exp: undefined })],
    'that ends at a text': [INVALID, () => sign(RSA, { exp: '4000000000' })],
    'that is not valid yet': [INVALID, () => sign(RSA, { nbf: now() + 60 })],
    'of another key': [INVALID, () => sign({ ...OTHER, kid: RSA.kid })],
    'of another key for ES256': [INVALID, () => sign({ ...makeKey('', 'ES256'), kid: EC.kid })],
    'of a key for another algorithm': [INVALID, () => sign({ ...EC, kid: RSA.kid })],
    'with an algorithm that is not taken': [INVALID, () => forged(RSA, { alg: 'RS512' })],
    'with one of another curve': [INVALID, () => forged(EC, { alg: 'ES384' })],
    'with alg none': [INVALID, () => `${part({ alg: 'none', kid: RSA.kid })}.${part(claims())}.`],
    'with alg nOnE': [INVALID, () => `${part({ alg: 'nOnE', kid: RSA.kid })}.${part(claims())}.`],
    'without alg': [INVALID, () => forged(RSA, { alg: undefined })],
    'with the public key as the secret of HS256': [INVALID, () => confused('HS256')],
    'with an HMAC under the name of RS256': [INVALID, () => confused('RS256')],
    'with a critical extension': [INVALID, () => forged(RSA, { crit: ['b64'], b64: false })],
    'that is longer than a header': [
      [431, undefined],
      () => sign(RSA, { more: 'x'.repeat(20_000) }),
    ],
    'that is long': [INVALID, () => sign(RSA, { more: 'x'.repeat(8_000) })],
    'whose parts are no JSON': [INVALID, () => 'e30x.e30x.e30x'],
    'that is no JWT': [INVALID, () => 'abc'],
    'whose claims are text': [
      INVALID,
      () => jwt.sign('alice', RSA.privateKey, { algorithm: 'RS256', keyid: RSA.kid }),
    ],
    'whose claims are a list': [INVALID, () => forged(RSA, {}, [])],
    'with no identity': [NO_IDENTITY, () => sign(RSA, { sub: undefined })],
    'with a number for an identity': [NO_IDENTITY, () => sign(RSA, { sub: 7 })],
    'with a list for an identity': [NO_IDENTITY, () => sign(RSA, { sub: ['alice'] })],
    'with null for an identity': [NO_IDENTITY, () => sign(RSA, { sub: null })],
    'with an empty identity': [NO_IDENTITY, () => sign(RSA, { sub: '' })],
    'with a long identity': [NO_IDENTITY, () => sign(RSA, { sub: 'a'.repeat(257) })],
    'with control characters': [NO_IDENTITY, () => sign(RSA, { sub: 'ali\u0000ce' })],
    'with a line feed': [NO_IDENTITY, () => sign(RSA, { sub: 'alice\n' })],
    'with a space around': [NO_IDENTITY, () => sign(RSA, { sub: ' alice' })],
    'with an invisible character': [NO_IDENTITY, () => sign(RSA, { sub: 'ali\u200bce' })],
    'with a bidirectional override': [NO_IDENTITY, () => sign(RSA, { sub: 'alice\u202e' })],
    'with an identity that is not NFC': [NO_IDENTITY, () => sign(RSA, { sub: 'e\u0301' })],
  };

  test.each(Object.entries(refused))('%s', async (_, [code, make]) => {
    const { server } = await setUp();
    expect(await codeOf(server, make())).toEqual(code);
    expect(server.log()).not.toContain('"level":50');
  });

  test('that was changed by one bit', async () => {
    const { server } = await setUp();
    const [header = '', body = '', signature = ''] = sign(EC).split('.');
    const bytes = Buffer.from(signature, 'base64url');
    bytes.writeUInt8(bytes.readUInt8(5) ^ 1, 5);
    expect(await codeOf(server, `${header}.${body}.${bytes.toString('base64url')}`)).toEqual(
      INVALID,
    );
    expect(await codeOf(server, `${header}.${part(claims({ sub: 'bob' }))}.${signature}`)).toEqual(
      INVALID,
    );
  });

  test('whatever key it brings, or says where to find one', async () => {
    const { server, issuer } = await setUp();
    const evil = await startIssuer(OTHER);
    for (const header of [
      { jwk: OTHER.jwk },
      { jku: evil.url },
      { x5u: evil.url },
      { x5c: [OTHER.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')] },
      { jwk: OTHER.jwk, jku: evil.url, kid: OTHER.kid },
    ]) {
      expect(await codeOf(server, sign({ ...OTHER, kid: RSA.kid }, {}, header))).toEqual(INVALID);
      // They are not looked at, so they do no harm either.
      expect(await codeOf(server, sign(RSA, {}, { ...header, kid: RSA.kid }))).toBe('alice');
    }
    expect([evil.asked, issuer.asked]).toEqual([0, 1]);
  });
});

describe('a token is taken', () => {
  const now = () => Math.floor(Date.now() / 1000);

  test.each([
    ['for several audiences', () => ({ aud: ['https://other.example', 'https://chat.example'] })],
    ['by a clock that is a little behind', () => ({ nbf: now() + 15 })],
    ['by a clock that is a little ahead', () => ({ exp: now() - 15 })],
    ['with claims of all kinds', () => ({ scope: 'openid', ['constructor']: 1, __proto__: 2 })],
  ])('%s', async (_, changes) => {
    const { server } = await setUp();
    expect(await codeOf(server, sign(RSA, changes()))).toBe('alice');
  });

  test.each(['__proto__', 'constructor', 'аlice', 'é'.repeat(256), 'auth0|5f7c', 'Zoë 🦊'])(
    'for the identity %j, which is one like any other',
    async (sub) => {
      const { server } = await setUp();
      expect(await codeOf(server, sign(RSA, { sub }))).toBe(sub);
    },
  );

  test('for the identity in the claim that is configured, and in no other', async () => {
    const { server } = await setUp({ AUTH_IDENTITY_CLAIM: 'https://chat.example/name' });
    const changes = { sub: 'x', 'https://chat.example/name': 'bob' };
    expect(await codeOf(server, sign(RSA, changes))).toBe('bob');
    expect(await codeOf(server, sign(RSA))).toEqual(NO_IDENTITY);
    const inherited = await setUp({ AUTH_IDENTITY_CLAIM: 'constructor' });
    expect(await codeOf(inherited.server, sign(RSA))).toEqual(NO_IDENTITY);
  });

  test('with the algorithms that are configured, and no others', async () => {
    const key = makeKey('ec-384', 'ES384');
    const { server } = await setUp({ AUTH_ALGORITHMS: 'ES384' }, [key, RSA]);
    expect(await codeOf(server, sign(key))).toBe('alice');
    expect(await codeOf(server, sign(RSA))).toEqual(INVALID);
  });
});

/** A token with a header of any kind over claims of any kind, with a right signature. */
function forged(
  { algorithm, kid, privateKey }: IssuerKey,
  header: Record<string, unknown>,
  body: unknown = claims(),
): string {
  const signed = `${part({ alg: algorithm, kid, ...header })}.${part(body)}`;
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
  const hash = header['alg'] === 'RS512' ? 'sha512' : 'sha256';
  return `${signed}.${signBytes(hash, Buffer.from(signed), key).toString('base64url')}`;
}

/** A token whose signature is an HMAC with what everybody knows: the public key. */
function confused(alg: string): string {
  const signed = `${part({ alg, kid: RSA.kid })}.${part(claims())}`;
  const pem = RSA.publicKey.export({ format: 'pem', type: 'spki' });
  return `${signed}.${createHmac('sha256', pem).update(signed).digest('base64url')}`;
}

function pair(modulusLength: number) {
  return generateKeyPairSync('rsa', { modulusLength });
}

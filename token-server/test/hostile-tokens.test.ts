/** Tokens that count nowhere, sent to every route that needs one, with a request that is good otherwise. */
import { createHmac } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { OPERATIONS } from './documented.ts';
import { equip, EXAMPLES, startEverything, WIDE_LIMITS, type Everything } from './everything.ts';
import { claims, makeKey, sign, startIssuer } from './issuer.ts';
import { secret, start } from './support.ts';

const RSA = makeKey('rsa-1', 'RS256');
const OTHER = makeKey('rsa-2', 'RS256');

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Sends each of the headers to each route, and gives the codes of the answers. */
async function refusals(world: Everything, headers: Record<string, string>): Promise<Set<unknown>> {
  const codes = new Set<unknown>();
  const before = world.rows();
  for (const { name, method } of OPERATIONS) {
    const sent = await EXAMPLES[name]?.(world);
    if (sent?.session === undefined) continue;
    const { path, body, raw } = sent;
    const reply = await world.request(method, path, {
      headers: { ...sent.headers, ...headers },
      ...(body && { body }),
      ...(raw !== undefined && { raw }),
    });
    if (reply.json['code'] !== 'NOT_FOUND') expect([name, reply.status]).toEqual([name, 401]);
    codes.add(reply.json['code']);
  }
  expect(world.rows()).toEqual(before);
  expect(world.log()).not.toContain('"level":50');
  return codes;
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

const INVALID = 'SESSION_INVALID';
const EXPIRED = 'SESSION_EXPIRED';
const MISSING = 'UNAUTHENTICATED';

describe('no route takes', () => {
  const ISS = 'twilio-chat-encryption-server';
  const AUD = 'twilio-chat-encryption-session';
  const iat = Math.floor(Date.now() / 1000);
  const good = { iss: ISS, aud: AUD, sub: 'alice', iat, exp: iat + 3600, ver: 0 };
  const keyOf = ({ env }: Everything) => Buffer.from(env['SESSION_SECRET'] ?? '', 'base64url');
  const head = part({ alg: 'HS256', typ: 'JWT' });

  const headers: Record<string, [unknown, (world: Everything) => Record<string, string>]> = {
    'a session of another server': [INVALID, () => bearer(jwt.sign(good, secret()))],
    'a session of no key': [INVALID, () => bearer(`${part({ alg: 'none' })}.${part(good)}.`)],
    'a session that has ended': [
      EXPIRED,
      (world) => bearer(jwt.sign({ ...good, iat: iat - 3700, exp: iat - 100 }, keyOf(world))),
    ],
    'a session of another version of the account': [
      EXPIRED,
      (world) => bearer(jwt.sign({ ...good, ver: 1 }, keyOf(world))),
    ],
    'claims of somebody else under a good signature': [
      INVALID,
      ({ alice: { session } }) =>
        bearer([head, part({ ...good, sub: 'bob' }), session.split('.')[2]].join('.')),
    ],
    'a session with more behind it': [
      INVALID,
      ({ alice: { session } }) => bearer(`${session}.e30`),
    ],
    'a session with something in front': [
      INVALID,
      ({ alice: { session } }) => bearer(`e30.${session}`),
    ],
    'an empty signature': [INVALID, () => bearer(`${head}.${part(good)}.`)],
    dots: [INVALID, () => bearer('..')],
    'what is longer than a token': [INVALID, () => bearer(`e30.${'A'.repeat(12_000)}.AA`)],
    'two sessions': [MISSING, ({ alice: { session } }) => bearer(`${session}, Bearer ${session}`)],
    'a session under another name': [
      MISSING,
      ({ alice: { session } }) => ({ authorization: `Token ${session}` }),
    ],
    'a session as a password': [
      MISSING,
      ({ alice: { session } }) => ({
        authorization: `Basic ${Buffer.from(`alice:${session}`).toString('base64')}`,
      }),
    ],
    'a session in another header': [
      MISSING,
      ({ alice: { session } }) => ({
        cookie: `session=${session}; token=${session}`,
        'x-authorization': `Bearer ${session}`,
        'proxy-authorization': `Bearer ${session}`,
        'x-access-token': session,
      }),
    ],
    nothing: [MISSING, () => ({})],
  };

  test.each(Object.entries(headers))('%s', async (_, [code, make]) => {
    const world = await startEverything();
    const codes = await refusals(world, make(world));
    // For metrics there is no session to be right or wrong.
    codes.delete(MISSING);
    expect([...codes]).toEqual(code === MISSING ? [] : [code]);
  });

  test('a session that somebody kept from before the password was changed', async () => {
    const world = await startEverything();
    const { session, authSecret } = world.alice;
    const body = { authSecret, newAuthSecret: authSecret };
    const { json } = await world.request('POST', '/v1/password', { session, body });
    expect([...(await refusals(world, bearer(session)))].sort()).toEqual([EXPIRED, MISSING]);
    const current = z.string().parse(json['token']);
    expect((await world.request('GET', '/v1/backup', { session: current })).status).toBe(200);
  });

  test("a token for Twilio, or that for metrics, but for metrics'", async () => {
    const world = await startEverything();
    const { session } = world.alice;
    const { json } = await world.request('GET', '/v1/twilio-token', { session });
    const token = z.string().parse(json['token']);
    expect([...(await refusals(world, bearer(token)))].sort()).toEqual([INVALID, MISSING]);
    const metrics = { session: world.metricsToken };
    expect((await world.request('GET', '/v1/backup', metrics)).json['code']).toBe(INVALID);
  });

  test('a session in the query or in the body', async () => {
    const world = await startEverything();
    const { session } = world.alice;
    const query = `access_token=${session}&token=${session}&session=${session}`;
    const before = world.rows();
    const got = await world.request('GET', `/v1/backup?${query}`);
    const body = { backup: secret(), token: session, access_token: session };
    const put = await world.request('PUT', '/v1/backup', { body });
    expect([got.json['code'], put.json['code']]).toEqual([MISSING, MISSING]);
    expect(world.rows()).toEqual(before);
    expect(world.log()).not.toContain(session.slice(0, 60));
  });
});

describe("no route takes, where the application's own sign-in issues tokens,", () => {
  const now = Math.floor(Date.now() / 1000);
  const pem = RSA.publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const hmac = (key: string | Buffer, header: object): string => {
    const signed = `${part({ kid: RSA.kid, ...header })}.${part(claims())}`;
    return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
  };
  const tokens: Record<string, [unknown, (evil: string) => string]> = {
    'a token of no key': [
      INVALID,
      () => `${part({ alg: 'none', kid: 'rsa-1' })}.${part(claims())}.`,
    ],
    'an HMAC with the public key': [INVALID, () => hmac(pem, { alg: 'HS256' })],
    'an HMAC with the public key without its last line end': [
      INVALID,
      () => hmac(pem.trim(), { alg: 'HS256' }),
    ],
    'an HMAC with the bytes of the public key': [
      INVALID,
      () => hmac(RSA.publicKey.export({ format: 'der', type: 'spki' }), { alg: 'HS256' }),
    ],
    'an HMAC with the published key': [
      INVALID,
      () => hmac(JSON.stringify(RSA.jwk), { alg: 'HS256' }),
    ],
    'an HMAC with nothing, by a name for it': [
      INVALID,
      () => hmac('', { alg: 'HS256', kid: '/dev/null' }),
    ],
    'a key that is where the token says': [
      INVALID,
      (evil) => sign(OTHER, {}, { jku: evil, x5u: evil, kid: RSA.kid }),
    ],
    'a key that the token brings': [
      INVALID,
      () => sign(OTHER, {}, { jwk: OTHER.jwk, kid: RSA.kid }),
    ],
    'a key by the name of a file': [INVALID, () => sign(OTHER, {}, { kid: '../../jwks.json' })],
    'a key by a name for SQL': [INVALID, () => sign(OTHER, {}, { kid: "x' union select 'rsa-1" })],
    'a token that has ended': [EXPIRED, () => sign(RSA, { exp: now - 60 })],
    'a token for somebody else to read': [
      INVALID,
      () => sign(RSA, { aud: 'https://other.example' }),
    ],
  };

  test.each(Object.entries(tokens))('%s', async (_, [code, make]) => {
    const issuer = await startIssuer(RSA);
    const evil = await startIssuer(OTHER);
    const metricsToken = secret();
    const server = await start(
      { ...issuer.env, METRICS_TOKEN: metricsToken },
      { rateLimits: WIDE_LIMITS },
    );
    const person = { identity: 'alice', session: sign(RSA), authSecret: secret() };
    const alice = await equip(server, person);
    const world = { ...server, alice, metricsToken, authToken: '' };
    const codes = await refusals(world, bearer(make(evil.url)));
    // For metrics, and for accounts, which this server has not.
    for (const other of [MISSING, 'NOT_FOUND']) codes.delete(other);
    expect([...codes]).toEqual([code]);
    expect([evil.asked, issuer.asked]).toEqual([0, 1]);
  });
});

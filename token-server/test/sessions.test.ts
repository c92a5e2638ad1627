import { createHmac, generateKeyPairSync } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openWatched } from './slow-request.ts';
import { start, type Harness } from './support.ts';

const ISS = 'twilio-chat-encryption-server';
const AUD = 'twilio-chat-encryption-session';

function claims(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const iat = Math.floor(Date.now() / 1000);
  return { iss: ISS, aud: AUD, sub: 'alice', iat, exp: iat + 3600, ...changes };
}

function without(name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims()).filter(([key]) => key !== name));
}

function keyOf({ env }: Harness): Buffer {
  return Buffer.from(env['SESSION_SECRET'] ?? '', 'base64url');
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

async function refusal({ request }: Harness, session: string | undefined): Promise<unknown> {
  const reply = await request('GET', '/v1/twilio-token', { session });
  expect(reply.status).toBe(401);
  expect(reply.headers.get('www-authenticate')).toBe('Bearer');
  return reply.json['code'];
}

describe('a session', () => {
  test('is what this suite thinks it is', async () => {
    const server = await start();
    const session = jwt.sign(claims(), keyOf(server), { algorithm: 'HS256' });
    const reply = await server.request('GET', '/v1/twilio-token', { session });
    expect(reply.status).toBe(200);
  });

  test('may be of somebody without an account, whom the application knows from elsewhere', async () => {
    const server = await start();
    const asked = async (changes: Record<string, unknown>) => {
      const session = jwt.sign(claims(changes), keyOf(server));
      return (await server.request('GET', '/v1/twilio-token', { session })).json;
    };
    expect(await asked({ sub: 'somebody' })).toMatchObject({ identity: 'somebody' });
    expect(await asked({ sub: 'somebody', ver: 1 })).toMatchObject({ code: 'SESSION_EXPIRED' });
  });

  test('costs one look at the account', async () => {
    const { store, reads } = await openWatched();
    const server = await start({}, { store });
    const session = await server.session('alice');
    const before = reads();
    expect((await server.request('GET', '/v1/twilio-token', { session })).status).toBe(200);
    expect(reads()).toBe(before + 1);
    // None for what no key of ours signed.
    await server.request('GET', '/v1/twilio-token', { session: session.slice(1) });
    expect(reads()).toBe(before + 1);
  });

  test('ends after an hour', async () => {
    const server = await start();
    const session = await server.session('alice');
    server.clock.now += 3_590_000;
    expect((await server.request('GET', '/v1/twilio-token', { session })).status).toBe(200);
    server.clock.now += 10_000;
    expect(await refusal(server, session)).toBe('SESSION_EXPIRED');
  });

  test('is needed by every route that serves somebody', async () => {
    const server = await start();
    const id = '0'.repeat(64);
    for (const [method, path] of [
      ['GET', '/v1/twilio-token'],
      ['POST', '/v1/cards'],
      ['GET', `/v1/cards/${id}`],
      ['POST', '/v1/cards/search'],
      ['GET', '/v1/backup'],
      ['PUT', '/v1/backup'],
      ['DELETE', '/v1/backup'],
      ['POST', '/v1/password'],
      ['DELETE', '/v1/account'],
    ] as const) {
      const reply = await server.request(method, path);
      expect([path, reply.status, reply.json['code']]).toEqual([path, 401, 'UNAUTHENTICATED']);
    }
  });

  test.each(['', 'Basic abc', 'Bearer', 'Bearer a b', 'Bearer ä', 'bearer'])(
    'is not read from the header %j',
    async (authorization) => {
      const { request } = await start();
      const reply = await request('GET', '/v1/twilio-token', { headers: { authorization } });
      expect(reply.json['code']).toBe('UNAUTHENTICATED');
    },
  );
});

describe('a forged session is refused:', () => {
  const forgeries: Record<string, (server: Harness) => string> = {
    'another key': () => jwt.sign(claims(), 'x'.repeat(32)),
    'the secret as text': ({ env }) => jwt.sign(claims(), env['SESSION_SECRET'] ?? ''),
    'alg none': () => `${part({ alg: 'none', typ: 'JWT' })}.${part(claims())}.`,
    'alg None': () => `${part({ alg: 'None', typ: 'JWT' })}.${part(claims())}.`,
    'alg none with a signature': () => `${part({ alg: 'none' })}.${part(claims())}.AAAA`,
    'alg HS512 with the right key': (server) =>
      jwt.sign(claims(), keyOf(server), { algorithm: 'HS512' }),
    RS256: () => {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      return jwt.sign(claims(), privateKey, { algorithm: 'RS256' });
    },
    'an RS256 header over the right HMAC': (server) => {
      const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims())}`;
      return `${signed}.${createHmac('sha256', keyOf(server)).update(signed).digest('base64url')}`;
    },
    'another audience': (server) => jwt.sign(claims({ aud: 'backup' }), keyOf(server)),
    'two audiences': (server) => jwt.sign(claims({ aud: [AUD, 'backup'] }), keyOf(server)),
    'another issuer': (server) => jwt.sign(claims({ iss: 'somebody' }), keyOf(server)),
    'no subject': (server) => jwt.sign(without('sub'), keyOf(server)),
    'no expiry': (server) => jwt.sign(without('exp'), keyOf(server)),
    'a life of a year': (server) => jwt.sign(claims({ exp: 4102444800 }), keyOf(server)),
    'issued tomorrow': (server) => {
      const iat = Math.floor(Date.now() / 1000) + 86_400;
      return jwt.sign(claims({ iat, exp: iat + 3600 }), keyOf(server));
    },
    'a claim too many': (server) => jwt.sign(claims({ admin: true }), keyOf(server)),
    'a version that is no number': (server) => jwt.sign(claims({ ver: '0' }), keyOf(server)),
    'a version below the first': (server) => jwt.sign(claims({ ver: -1 }), keyOf(server)),
    'a claim that is text': (server) => jwt.sign(JSON.stringify('alice'), keyOf(server)),
    'no JWT at all': () => 'abc',
    'parts that are no JSON': () => 'e30x.e30x.e30x',
  };

  test.each(Object.entries(forgeries))('%s', async (_, forge) => {
    const server = await start();
    expect(await refusal(server, forge(server))).toBe('SESSION_INVALID');
  });

  test('one bit of the signature', async () => {
    const server = await start();
    const session = await server.session('alice');
    const [head = '', body = '', signature = ''] = session.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0);
    const forged = `${head}.${body}.${bytes.toString('base64url')}`;
    expect(await refusal(server, forged)).toBe('SESSION_INVALID');
  });

  test('a subject that is no identity', async () => {
    const server = await start();
    const session = jwt.sign(claims({ sub: 'a\u202eb' }), keyOf(server));
    const reply = await server.request('GET', '/v1/twilio-token', { session });
    expect(reply.json['code']).toBe('SESSION_INVALID');
  });
});

describe('sessions and Twilio tokens are not interchangeable', () => {
  // The secrets should never be the same; the tokens must not be confused even if they are.
  const shared = Buffer.alloc(32, 'k');
  const same = {
    SESSION_SECRET: shared.toString('base64url'),
    TWILIO_API_SECRET: shared.toString(),
  };

  test.each([
    ['with secrets of their own', {}],
    ['with one secret for both', same],
  ])('%s', async (_, changes) => {
    const server = await start(changes);
    const session = await server.session('alice');
    const { json } = await server.request('GET', '/v1/twilio-token', { session });
    expect(await refusal(server, z.string().parse(json['token']))).toBe('SESSION_INVALID');
    const asTwilioToken = z.object({ grants: z.unknown() });
    expect(asTwilioToken.safeParse(jwt.decode(session)).data?.grants).toBeUndefined();
    expect(jwt.decode(session)).not.toMatchObject({ iss: server.env['TWILIO_API_KEY'] });
  });
});

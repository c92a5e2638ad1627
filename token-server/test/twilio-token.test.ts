import jwt from 'jsonwebtoken';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { start } from './support.ts';

const Token = z.object({
  header: z.looseObject({ alg: z.string(), cty: z.string() }),
  payload: z.looseObject({ exp: z.int(), iat: z.int(), grants: z.unknown() }),
});

test('the token has the grants, the identity and the life that Twilio expects', async () => {
  const push = 'CR' + 'c'.repeat(32);
  const { request, session, env } = await start({ TWILIO_PUSH_CREDENTIAL_SID: push });
  const reply = await request('GET', '/v1/twilio-token', { session: await session('alice') });
  expect(reply.status).toBe(200);
  expect(reply.headers.get('cache-control')).toBe('no-store');

  const token = z.string().parse(reply.json['token']);
  const verified: unknown = jwt.verify(token, env['TWILIO_API_SECRET'] ?? '', {
    algorithms: ['HS256'],
    complete: true,
  });
  const { header, payload } = Token.parse(verified);
  expect(header).toEqual({ alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1' });
  expect(payload).toMatchObject({
    iss: env['TWILIO_API_KEY'],
    sub: env['TWILIO_ACCOUNT_SID'],
    grants: {
      identity: 'alice',
      chat: { service_sid: env['TWILIO_CHAT_SERVICE_SID'], push_credential_sid: push },
    },
  });
  expect(payload.exp - payload.iat).toBe(3600);
  expect(reply.json).toEqual({ token, identity: 'alice', expiresAt: payload.exp * 1000 });
});

test('the token is of the region and for the time that are configured', async () => {
  const { request, session, env } = await start({ TWILIO_REGION: 'ie1', TWILIO_TOKEN_TTL: '600' });
  const reply = await request('GET', '/v1/twilio-token', { session: await session('alice') });
  const verified: unknown = jwt.verify(
    z.string().parse(reply.json['token']),
    env['TWILIO_API_SECRET'] ?? '',
    { algorithms: ['HS256'], complete: true },
  );
  const { header, payload } = Token.parse(verified);
  expect(header).toMatchObject({ twr: 'ie1' });
  expect(payload.exp - payload.iat).toBe(600);
  expect(reply.json['expiresAt']).toBe(payload.exp * 1000);
});

test('no request can name another identity', async () => {
  const { request, session } = await start();
  const alice = await session('alice');
  await session('bob');
  const reply = await request('GET', '/v1/twilio-token?identity=bob', {
    session: alice,
    headers: { 'x-identity': 'bob' },
  });
  expect(reply.json['identity']).toBe('alice');
});

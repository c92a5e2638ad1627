import jwt from 'jsonwebtoken';
import twilio from 'twilio';
import { describe, expect, test } from 'vitest';
import { createRoom } from './support/rooms.ts';
import { next } from './support/sdk.ts';
import { accessToken, createWorld, PAIRS, SDKS, type World } from './support/world.ts';
import { openRaw } from './support/wire.ts';

const OTHER = 'f'.repeat(32);

describe('a connection is refused', () => {
  const cases: [string, number, (world: World) => unknown][] = [
    ['without a token', 20101, () => undefined],
    ['with something else than a token', 20101, () => 'x.y.z'],
    [
      'with a token whose claims are no JSON',
      20101,
      () => {
        const header = { alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1' };
        const parts = [JSON.stringify(header), '{', 'signature'];
        return parts.map((part) => Buffer.from(part).toString('base64url')).join('.');
      },
    ],
    [
      'with a forged signature',
      20107,
      ({ emulator: { config } }) => accessToken({ ...config, apiSecret: 'guessed' }, 'alice'),
    ],
    ['with an expired token', 20104, (world) => world.token('alice', -10)],
    [
      'with a token of another key',
      20103,
      ({ emulator: { config } }) => accessToken({ ...config, apiKey: `SK${OTHER}` }, 'alice'),
    ],
    [
      'with a token of another account',
      20103,
      ({ emulator: { config } }) => accessToken({ ...config, accountSid: `AC${OTHER}` }, 'alice'),
    ],
    [
      'with a grant for another service',
      20106,
      ({ emulator: { config } }) => accessToken({ ...config, serviceSid: `IS${OTHER}` }, 'alice'),
    ],
    [
      'with a grant for another product',
      20106,
      ({ emulator: { config } }) => {
        const { AccessToken } = twilio.jwt;
        const { accountSid, apiKey, apiSecret } = config;
        const token = new AccessToken(accountSid, apiKey, apiSecret, { identity: 'alice' });
        token.addGrant(new AccessToken.VideoGrant());
        return token.toJwt();
      },
    ],
    ['with an empty identity', 20106, (world) => resigned(world, { grants: grants(world, '') })],
    ['with a token for more than a day', 20157, (world) => world.token('alice', 86_401)],
    ['with a token without an end', 20104, (world) => resigned(world, { exp: undefined })],
    ['with a token that is not signed', 20102, (world) => resigned(world, {}, 'none')],
    ['with a token signed by another algorithm', 20102, (world) => resigned(world, {}, 'HS512')],
  ];

  test.each(cases)('%s (%i)', async (_what, code, make) => {
    const world = await createWorld();
    const { ask, request } = await openRaw(world.emulator);
    const { header } = await ask({ method: 'init', token: make(world) });
    expect(header['status']).toMatchObject({ code: 401, errorCode: code });
    expect((await request('GET', '/Client/v2/Configuration')).status).toBe(NaN);
  });

  test.each(SDKS)('and $name says so', async (sdk) => {
    const { emulator, adopt } = await createWorld();
    const forged = accessToken({ ...emulator.config, apiSecret: 'guessed' }, 'alice');
    const client = sdk.open(forged, emulator.clientOptions);
    adopt(client.raw);
    const error = await next(client, 'connectionError', ({ terminal }) => terminal);
    expect(error).toMatchObject({ httpStatusCode: 401, errorCode: 20107 });
    expect(client.raw.connectionState).toBe('denied');
  });
});

describe('the life of a token', () => {
  test.each(PAIRS)(
    '$label: ends with a notice three minutes ahead, and a new token prolongs it',
    async ({ ours: first, theirs: second }) => {
      let ahead = 0;
      const { device, emulator } = await createWorld({ now: () => Date.now() + ahead });
      const [alice, bob] = [await device(first, 'alice'), await device(second, 'bob')];
      const [ours, theirs] = await createRoom(emulator, alice, [bob]);
      if (theirs === undefined) expect.fail();
      const notices = [next(alice, 'tokenAboutToExpire'), next(bob, 'tokenAboutToExpire')];
      ahead = 3600_000 - 179_000;
      await Promise.all(notices);

      const { config } = emulator;
      await alice.raw.updateToken(later(config, 'alice', ahead));
      const expired = next(bob, 'tokenExpired');
      const left = next(bob, 'connectionStateChanged', (state) => state === 'disconnected');
      ahead = 3600_000;
      await expired;
      expect(await ours.raw.sendMessage('still here')).toBe(0);
      expect(alice.raw.connectionState).toBe('connected');

      // The SDK loses a token it is given before it is done with disconnecting.
      await left;
      const heard = next(theirs, 'messageAdded');
      await bob.raw.updateToken(later(config, 'bob', ahead));
      expect((await heard).body).toBe('still here');
      expect(await theirs.raw.sendMessage('here again')).toBe(1);
    },
  );

  test('is not prolonged by a bad token or by a token for somebody else', async () => {
    const world = await createWorld();
    const raw = await openRaw(world.emulator);
    await raw.ask({ method: 'init', token: world.token('alice') });
    for (const token of ['x', world.token('bob'), world.token('alice', -1), null]) {
      const { header } = await raw.ask({ method: 'update', token });
      expect(header['status']).toMatchObject({ code: 401 });
    }
    const { header } = await raw.ask({ method: 'update', token: world.token('alice', 10) });
    expect(header['status']).toMatchObject({ code: 200 });
  });
});

function grants(world: World, identity: string): object {
  return { identity, chat: { service_sid: world.emulator.config.serviceSid } };
}

/** A good token with other claims or with another algorithm. */
function resigned(world: World, claims: object, algorithm: jwt.Algorithm = 'HS256'): string {
  const { accountSid, apiKey, apiSecret } = world.emulator.config;
  const now = Math.floor(Date.now() / 1000);
  const full = { iss: apiKey, sub: accountSid, iat: now, exp: now + 60, ...claims };
  const payload = JSON.stringify({ grants: grants(world, 'alice'), ...full });
  const header = { alg: algorithm, typ: 'JWT', cty: 'twilio-fpa;v=1' };
  return jwt.sign(payload, algorithm === 'none' ? '' : apiSecret, { algorithm, header });
}

/** A token made at a time ahead. */
function later(config: World['emulator']['config'], identity: string, ahead: number): string {
  const { accountSid, apiKey, apiSecret, serviceSid } = config;
  const iat = Math.floor((Date.now() + ahead) / 1000);
  return jwt.sign(
    { iat, exp: iat + 3600, grants: { identity, chat: { service_sid: serviceSid } } },
    apiSecret,
    {
      issuer: apiKey,
      subject: accountSid,
      header: { alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1' },
    },
  );
}

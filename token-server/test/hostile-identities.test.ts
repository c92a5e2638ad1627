/** Somebody else's name, and names that nobody can have, in every place where a name can stand. */
import fc from 'fast-check';
import jwt from 'jsonwebtoken';
import {
  createRevocation,
  endorseCard,
  exportCard,
  isEncryptionError,
  parseCardId,
  parseIdentity,
  succeedCard,
} from 'twilio-chat-encryption/protocol';
import { expect, inject, test } from 'vitest';
import { settle, startEverything, type Everything, type Person, type Sent } from './everything.ts';
import { makeDevice } from './keeper.ts';
import { liveCards } from './live-cards.ts';
import { makeCard, pack, packText, secret, textOf, unpack } from './support.ts';

const isLong = inject('longRuns');

interface Scene {
  readonly world: Everything;
  readonly alice: Person;
  readonly mallory: Person;
}

interface Attempt {
  readonly method: string;
  readonly sent: Sent;
  readonly refusal: readonly [number, string];
}

const MISMATCH = [403, 'IDENTITY_MISMATCH'] as const;
const MALFORMED = [400, 'INVALID_REQUEST'] as const;
const NOT_HERS = [422, 'REVOCATION_INVALID'] as const;
const NO_LINK = [422, 'LINK_INVALID'] as const;
const WRONG = [401, 'WRONG_CREDENTIALS'] as const;
const NOWHERE = [404, 'NOT_FOUND'] as const;

/** All that Mallory, who is signed in, does as if she were Alice. */
const ATTEMPTS: Readonly<Record<string, (scene: Scene) => Attempt | Promise<Attempt>>> = {
  'signs up': () => ({
    method: 'POST',
    sent: { path: '/v1/accounts', body: { identity: 'alice', authSecret: secret() } },
    refusal: [409, 'ACCOUNT_EXISTS'],
  }),
  'signs in with her own secret': ({ mallory: { authSecret } }) => ({
    method: 'POST',
    sent: { path: '/v1/sessions', body: { identity: 'alice', authSecret } },
    refusal: WRONG,
  }),
  'sets a password, with that of Alice': ({ alice, mallory: { session } }) => {
    const body = { authSecret: alice.authSecret, newAuthSecret: secret() };
    return { method: 'POST', sent: { path: '/v1/password', session, body }, refusal: WRONG };
  },
  'sets a password, naming Alice': ({ mallory: { session, authSecret } }) => {
    const body = { authSecret, newAuthSecret: secret(), identity: 'alice' };
    return { method: 'POST', sent: { path: '/v1/password', session, body }, refusal: MALFORMED };
  },
  'deletes the account, with the password of Alice': ({ alice, mallory: { session } }) => {
    const body = { authSecret: alice.authSecret };
    return { method: 'DELETE', sent: { path: '/v1/account', session, body }, refusal: WRONG };
  },
  'deletes the account, naming Alice': ({ mallory: { session, authSecret } }) => {
    const body = { authSecret, identity: 'alice' };
    return { method: 'DELETE', sent: { path: '/v1/account', session, body }, refusal: MALFORMED };
  },
  'gets the backup by its path': ({ mallory: { session } }) => ({
    method: 'GET',
    sent: { path: '/v1/backup/alice', session },
    refusal: NOWHERE,
  }),
  'stores a backup by its path': ({ mallory: { session } }) => ({
    method: 'PUT',
    sent: { path: '/v1/backup/alice', session, body: { backup: secret() } },
    refusal: NOWHERE,
  }),
  'stores a backup, naming Alice': ({ mallory: { session, etag } }) => ({
    method: 'PUT',
    sent: {
      path: '/v1/backup',
      session,
      body: { backup: secret(), identity: 'alice' },
      headers: { 'if-match': etag },
    },
    refusal: MALFORMED,
  }),
  'stores a backup, knowing that of Alice': ({ alice, mallory: { session } }) => ({
    method: 'PUT',
    sent: {
      path: '/v1/backup',
      session,
      body: { backup: secret() },
      headers: { 'if-match': alice.etag },
    },
    refusal: [412, 'PRECONDITION_FAILED'],
  }),
  'deletes a backup, knowing that of Alice': ({ alice, mallory: { session } }) => ({
    method: 'DELETE',
    sent: { path: '/v1/backup', session, headers: { 'if-match': alice.etag } },
    refusal: [412, 'PRECONDITION_FAILED'],
  }),
  'gets a token by its path': ({ mallory: { session } }) => ({
    method: 'GET',
    sent: { path: '/v1/twilio-token/alice', session },
    refusal: NOWHERE,
  }),
  'gets a card by a name': ({ mallory: { session } }) => ({
    method: 'GET',
    sent: { path: '/v1/cards/alice', session },
    refusal: MALFORMED,
  }),
  'publishes a card of Alice': async ({ mallory: { session } }) => ({
    method: 'POST',
    sent: { path: '/v1/cards', session, body: { card: await makeCard('alice') } },
    refusal: MISMATCH,
  }),
  'publishes the card of Alice again': ({ alice: { device }, mallory: { session } }) => ({
    method: 'POST',
    sent: { path: '/v1/cards', session, body: { card: exportCard(device.card) } },
    refusal: MISMATCH,
  }),
  'vouches for the card of Alice': async ({ alice, mallory: { session, device } }) => {
    const endorser = { id: device.card.id, signingKey: device.key };
    const card = exportCard(await endorseCard(alice.device.card, endorser));
    return {
      method: 'POST',
      sent: { path: '/v1/cards', session, body: { card } },
      refusal: MISMATCH,
    };
  },
  'writes the name of Alice into her own card': async ({ mallory: { session } }) => ({
    method: 'POST',
    sent: {
      path: '/v1/cards',
      session,
      body: { card: renamed(await makeCard('mallory'), 'alice') },
    },
    refusal: [422, 'CARD_INVALID'],
  }),
  'names Alice beside a card of her own': async ({ mallory: { session } }) => ({
    method: 'POST',
    sent: {
      path: '/v1/cards',
      session,
      body: { card: await makeCard('mallory'), identity: 'alice' },
    },
    refusal: MALFORMED,
  }),
  'has a card that Alice vouches for, by her own signature': async ({ alice, mallory }) =>
    publishing(mallory, {
      endorser: { id: alice.device.card.id, signingKey: mallory.device.key },
    }),
  'has a card that Alice does vouch for': async ({ alice, mallory }) =>
    publishing(mallory, {
      endorser: { id: alice.device.card.id, signingKey: alice.device.key },
    }),
  'has a card that follows one of Alice': async ({ alice: { device }, mallory: { session } }) => {
    const next = await makeDevice(parseIdentity('mallory'), device.card);
    const card = exportCard(await succeedCard(next.card, device.key));
    return {
      method: 'POST',
      sent: { path: '/v1/cards', session, body: { card } },
      refusal: NO_LINK,
    };
  },
  'has a card with the keys of Alice': async ({ alice: { device }, mallory: { session } }) => {
    // The signing key is that of Alice, as it stands in her card, and the signature her own.
    const json = unpack(await makeCard('mallory'));
    const snapshot = textOf(json.contentSnapshot);
    const key = /"signingKey":"([^"]*)"/.exec(
      textOf(unpack(exportCard(device.card)).contentSnapshot),
    );
    const changed = snapshot.replace(/"signingKey":"[^"]*"/, `"signingKey":"${key?.[1] ?? ''}"`);
    const card = pack({ ...json, contentSnapshot: packText(changed) });
    return {
      method: 'POST',
      sent: { path: '/v1/cards', session, body: { card } },
      refusal: [422, 'CARD_INVALID'],
    };
  },
  'revokes the card of Alice': async (scene) =>
    revoking(scene, { session: 'mallory', card: 'alice', signer: 'mallory', refusal: MISMATCH }),
  'revokes the card of Alice with what Alice signed': async (scene) =>
    revoking(scene, { session: 'mallory', card: 'alice', signer: 'alice', refusal: MISMATCH }),
  'has Alice revoke her card by a signature of another': async (scene) =>
    revoking(scene, { session: 'alice', card: 'alice', signer: 'mallory', refusal: NOT_HERS }),
  'revokes the card of Alice at the place of her own': async (scene) =>
    revoking(scene, {
      session: 'mallory',
      card: 'alice',
      at: 'mallory',
      signer: 'mallory',
      refusal: NOT_HERS,
    }),
  'revokes the card of Alice in the name of the application': async (scene) =>
    revoking(scene, { session: 'alice', card: 'alice', signer: 'app', refusal: NOT_HERS }),
};

async function publishing(
  { session }: Person,
  { endorser }: { readonly endorser: Parameters<typeof endorseCard>[1] },
): Promise<Attempt> {
  const { card } = await makeDevice(parseIdentity('mallory'));
  const body = { card: exportCard(await endorseCard(card, endorser)) };
  return { method: 'POST', sent: { path: '/v1/cards', session, body }, refusal: NO_LINK };
}

interface RevocationAttempt {
  readonly session: 'alice' | 'mallory';
  /** Whose it is about. */
  readonly card: 'alice' | 'mallory';
  /** Whose is in the path. Default: the same. */
  readonly at?: 'alice' | 'mallory';
  readonly signer: 'alice' | 'mallory' | 'app';
  readonly refusal: readonly [number, string];
}

async function revoking(
  scene: Scene,
  { session, card, at = card, signer, refusal }: RevocationAttempt,
): Promise<Attempt> {
  const cardId = scene[card].device.card.id;
  const by = signer === 'app' ? 'app' : scene[signer].device.card.id;
  const { key } = scene[signer === 'app' ? 'mallory' : signer].device;
  const content = { cardId, reason: 'compromised', revokedAt: 5, signer: by } as const;
  const body = { revocation: await createRevocation(content, key) };
  const path = `/v1/cards/${parseCardId(scene[at].device.card.id)}/revocation`;
  return { method: 'POST', sent: { path, session: scene[session].session, body }, refusal };
}

/** Under the same signature. */
function renamed(card: string, identity: string): string {
  const json = unpack(card);
  const snapshot = textOf(json.contentSnapshot).replace('"mallory"', JSON.stringify(identity));
  return pack({ ...json, contentSnapshot: packText(snapshot) });
}

test('nobody acts as somebody else, whatever the place of the name', async () => {
  const world = await startEverything();
  const { alice } = world;
  const mallory = await settle(world, 'mallory');
  const before = world.rows();
  for (const [what, make] of Object.entries(ATTEMPTS)) {
    const { method, sent, refusal } = await make({ world, alice, mallory });
    const { path, ...options } = sent;
    const { status, json, text } = await world.request(method, path, options);
    expect([what, status, json['code']]).toEqual([what, ...refusal]);
    expect(world.rows(), what).toEqual(before);
    expect(text).not.toContain(alice.authSecret);
  }
  expect(world.log()).not.toContain('"level":50');
});

test('a name beside the session is that of nobody', async () => {
  const world = await startEverything();
  const { session } = await settle(world, 'mallory');
  const query = '?identity=alice&sub=alice&user=alice&as=alice';
  const headers = Object.fromEntries(
    ['identity', 'user', 'forwarded-user', 'auth-request-user', 'authenticated-userid']
      .flatMap((name) => [`x-${name}`, `x-twilio-${name}`])
      .concat('from', 'remote-user', 'cookie')
      .map((name) => [name, name === 'cookie' ? 'identity=alice; session=alice' : 'alice']),
  );
  const mine = (await world.request('GET', '/v1/backup', { session })).json;
  expect(
    await world.request('GET', `/v1/twilio-token${query}`, { session, headers }),
  ).toMatchObject({
    json: { identity: 'mallory' },
  });
  expect((await world.request('GET', `/v1/backup${query}`, { session, headers })).json).toEqual(
    mine,
  );
  const nobody = await world.request('GET', `/v1/backup${query}`, { headers });
  expect(nobody.json['code']).toBe('UNAUTHENTICATED');
});

function canBe(text: string): boolean {
  try {
    parseIdentity(text);
    return true;
  } catch (error) {
    if (isEncryptionError(error)) return false;
    throw error;
  }
}

test(
  'a name that nobody can have is refused in every place, and stored in none',
  {
    ...(isLong && { timeout: 600_000 }),
  },
  async () => {
    const world = await startEverything();
    const { request, alice, env } = world;
    const { session, authSecret } = alice;
    const key = Buffer.from(env['SESSION_SECRET'] ?? '', 'base64url');
    const template = await makeCard('mallory');
    const before = world.rows();
    const names = fc
      .oneof(
        fc.string({ unit: 'binary', maxLength: 20 }),
        fc
          .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
          .map((units) => String.fromCharCode(...units)),
        fc.constantFrom(
          '',
          ' ',
          'alice ',
          'alice\u0000',
          '\u0000',
          'ali\u200bce',
          '\ud800',
          'a\udc00b',
        ),
        fc.constantFrom(
          '\u202ealice',
          'alice\n',
          '\ufeffalice',
          'e\u0301',
          '\u2126',
          '\uffff',
          '\u3164',
        ),
        fc.constantFrom(
          'a'.repeat(257),
          'é'.repeat(300),
          'x'.repeat(40_000),
          '\u{1f600}'.repeat(129),
        ),
        fc.string({ minLength: 257, maxLength: 400 }),
      )
      .filter((name) => !canBe(name));
    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        const codeOf = async (method: string, path: string, options: object): Promise<unknown> =>
          (await request(method, path, options)).json['code'];
        const body = { identity: name, authSecret };
        expect(await codeOf('POST', '/v1/accounts', { body })).toBe('INVALID_IDENTITY');
        expect(await codeOf('POST', '/v1/sessions', { body })).toBe('INVALID_IDENTITY');
        const card = renamed(template, name);
        const refused = await codeOf('POST', '/v1/cards', { session, body: { card } });
        expect(['CARD_INVALID', 'BODY_TOO_LARGE']).toContain(refused);
        const found = await request('POST', '/v1/cards/search', {
          session,
          body: { identities: [name] },
        });
        expect(found.json).toMatchObject({ lookup: { found: [] } });
        // The others have no form for a lone surrogate, or no room.
        if (name.length > 1000 || !name.isWellFormed()) return;
        const query = encodeURIComponent(name);
        const map = await codeOf('GET', `/v1/log/map?size=1&identity=${query}`, { session });
        expect(map).toBe('INVALID_IDENTITY');
        const iat = Math.floor(Date.now() / 1000);
        const claims = { sub: name, iat, exp: iat + 60 };
        const forged = jwt.sign(
          {
            ...claims,
            iss: 'twilio-chat-encryption-server',
            aud: 'twilio-chat-encryption-session',
          },
          key,
        );
        expect(await codeOf('GET', '/v1/backup', { session: forged })).toBe('SESSION_INVALID');
      }),
      { numRuns: isLong ? 1000 : 40 },
    );
    expect(world.rows()).toEqual(before);
    expect(world.log()).not.toContain('"level":50');
  },
);

test('people whose names look alike, or are names of something else, stay apart', async () => {
  const world = await startEverything();
  const { request } = world;
  const names = [
    ...['Alice', 'аlice', 'ａlice', 'alice2', 'al', 'alicé', 'ALICE', 'alice alice'],
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', 'null', 'undefined'],
    ...[
      'true',
      '0',
      '{}',
      '[]',
      'app',
      'self',
      '*',
      '.',
      '..',
      '../alice',
      '/v1/backup',
      '%61lice',
    ],
    ...[
      'alice%00',
      'alice&identity=bob',
      'alice#',
      'alice?',
      '${alice}',
      '{{alice}}',
      '<b>alice</b>',
    ],
  ];
  const people = new Map<string, Person>([['alice', world.alice]]);
  for (const name of names) people.set(name, await settle(world, name));
  const { session, authSecret } = people.get('__proto__') ?? world.alice;
  const gone = await request('DELETE', '/v1/account', { session, body: { authSecret } });
  expect(gone.status).toBe(204);
  people.delete('__proto__');
  const backups = new Set<unknown>();
  const cards = await liveCards(world, world.alice.session, [...names, 'alice']);
  for (const [name, person] of people) {
    const { json } = await request('GET', '/v1/backup', { session: person.session });
    backups.add(json['backup']);
    const issued = await request('GET', '/v1/twilio-token', { session: person.session });
    expect(issued.json['identity']).toBe(name);
    expect(cards[name]).toHaveLength(1);
    const path = `/v1/log/map?size=1&identity=${encodeURIComponent(name)}`;
    const map = await request('GET', path, { session: world.alice.session });
    const entries = name === 'alice' ? 1 : 0;
    expect(map.json).toMatchObject({ lookup: { found: [{ entries: { length: entries } }] } });
  }
  expect(backups.size).toBe(people.size);
});

test('bytes that are no UTF-8 are nobody, and not somebody with marks in the name', async () => {
  const world = await startEverything();
  const before = world.rows();
  const [start, end] = ['{"identity":"ali', `ce","authSecret":"${secret()}"}`].map((text) =>
    Buffer.from(text),
  );
  for (const bytes of [
    [0xff],
    [0xed, 0xa0, 0x80],
    [0xc0, 0xaf],
    [0xf5, 0x80, 0x80, 0x80],
    [0xe2, 0x82],
  ]) {
    const body = Buffer.concat([start ?? Buffer.of(), Buffer.from(bytes), end ?? Buffer.of()]);
    const response = await fetch(`${world.url}/v1/accounts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Uint8Array(body),
    });
    expect([bytes, response.status, await response.json()]).toMatchObject([
      bytes,
      400,
      { code: 'INVALID_JSON' },
    ]);
  }
  expect(world.rows()).toEqual(before);
});

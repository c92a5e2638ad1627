import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import {
  approveCard,
  base64url,
  checkApproval,
  curves,
  exportCard,
  importCard,
  lookupFromJson,
} from 'twilio-chat-encryption/protocol';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { liveCards } from './live-cards.ts';
import {
  makeCard,
  pack,
  packText,
  seed,
  start,
  textOf,
  unpack,
  type ExportedJson,
  type Harness,
} from './support.ts';

async function publish({ request }: Harness, session: string, card: unknown) {
  return request('POST', '/v1/cards', { session, body: { card } });
}

async function search({ request }: Harness, session: string, identities: unknown) {
  return request('POST', '/v1/cards/search', { session, body: { identities } });
}

/** Expects a refusal that leaves no trace in the database. */
async function expectRefused(
  server: Harness,
  session: string,
  card: unknown,
  refusal: [number, string],
) {
  const before = server.rows();
  const reply = await publish(server, session, card);
  expect([reply.status, reply.json['code']]).toEqual(refusal);
  expect(server.rows()).toEqual(before);
}

describe('publishing', () => {
  test('takes the largest card that a device of suite 2 can make', async () => {
    const server = await start();
    const session = await server.session('alice');
    const names = Array.from({ length: 16 }, (_, at) => String.fromCharCode(97 + at));
    const fields = Object.fromEntries(names.map((name) => [name, 'é'.repeat(192)]));
    const published = await publish(
      server,
      session,
      await makeCard('alice', { pqSeed: seed(), fields }),
    );
    expect(published.status).toBe(201);
    const card = await importCard(z.string().parse(published.json['card']));
    expect(card.pqEncryptionKey).toHaveLength(1216);
    expect(card.snapshot.length).toBeGreaterThan(8000);
    expect(await liveCards(server, session, ['alice'])).toEqual({
      alice: [published.json['card']],
    });
  });

  test('adds the approval of the application, and others find the card', async () => {
    const server = await start();
    const [alice, bob] = [await server.session('alice'), await server.session('bob')];
    const mine = await makeCard('alice', { fields: { role: 'nurse' } });
    const published = await publish(server, alice, mine);
    expect(published.status).toBe(201);

    const card = await importCard(z.string().parse(published.json['card']));
    const info = await server.request('GET', '/v1/app');
    const appKey = base64url.decode(z.string().parse(info.json['appKey']));
    const pinned = await (await curves()).importVerifyingKey(appKey ?? new Uint8Array());
    await checkApproval(card, [pinned]);
    expect(card.id).toBe((await importCard(mine)).id);
    expect(card.signatures.map(({ signer }) => signer)).toEqual(['self', 'app']);
    expect(textOf(base64url.encode(card.signatures[1]?.extra ?? new Uint8Array()))).toBe(
      JSON.stringify({ approvedAt: server.clock.now }),
    );

    const exported = published.json['card'];
    const got = await server.request('GET', `/v1/cards/${card.id}`, { session: bob });
    expect([got.status, got.json]).toEqual([200, { card: exported }]);
    const found = await liveCards(server, bob, ['carol', 'alice', 'alice']);
    expect(found).toEqual({ alice: [exported], carol: [] });
  });

  test('the same card again answers the same card', async () => {
    const server = await start();
    const session = await server.session('alice');
    const card = await makeCard('alice');
    const first = await publish(server, session, card);
    const before = server.rows();
    server.clock.now += 60_000;
    for (const again of [card, first.json['card']]) {
      const reply = await publish(server, session, again);
      expect([reply.status, reply.json]).toEqual([201, first.json]);
    }
    expect(server.rows()).toEqual(before);
  });

  test('also when twenty ask at once', async () => {
    const server = await start();
    const session = await server.session('alice');
    const card = await makeCard('alice');
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => publish(server, session, card)),
    );
    expect(replies.map(({ status }) => status)).toEqual(Array(20).fill(201));
    expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
    expect(await liveCards(server, session, ['alice'])).toEqual({
      alice: [replies[0]?.json['card']],
    });
  });

  test('a card with an endorsement of nobody is refused', async () => {
    const server = await start();
    const session = await server.session('alice');
    const json = unpack(await makeCard('alice'));
    json.signatures.push(endorsement());
    await expectRefused(server, session, pack(json), [422, 'LINK_INVALID']);
  });

  test('but not so many that no room is left for the approval', async () => {
    const server = await start();
    const session = await server.session('alice');
    const json = unpack(await makeCard('alice'));
    json.signatures.push(...Array.from({ length: 7 }, endorsement));
    await importCard(pack(json));
    await expectRefused(server, session, pack(json), [422, 'CARD_INVALID']);
  });
});

function endorsement(): ExportedJson['signatures'][number] {
  return {
    signer: 'endorser',
    signature: randomBytes(64).toString('base64url'),
    extra: packText(JSON.stringify({ cardId: randomBytes(32).toString('hex') })),
  };
}

describe('refused, with the database unchanged:', () => {
  test('a card of another identity', async () => {
    const server = await start();
    const session = await server.session('alice');
    await server.session('bob');
    await expectRefused(server, session, await makeCard('bob'), [403, 'IDENTITY_MISMATCH']);
    await expectRefused(server, session, await makeCard('Alice'), [403, 'IDENTITY_MISMATCH']);
  });

  test("somebody else's published card, also as the answer to a repetition", async () => {
    const server = await start();
    const [alice, bob] = [await server.session('alice'), await server.session('bob')];
    const card = await makeCard('bob');
    await publish(server, bob, card);
    await expectRefused(server, alice, card, [403, 'IDENTITY_MISMATCH']);
  });

  const spoilt: Record<string, (card: string) => string> = {
    nothing: () => '',
    text: () => 'hello',
    padding: (card) => `${card}=`,
    'half of it': (card) => card.slice(0, card.length / 2),
    'JSON of another shape': () => pack({ hello: 'world' }),
    'too much': () => 'A'.repeat(50_000),
    'a snapshot over 8 KiB': (card) =>
      pack({ ...unpack(card), contentSnapshot: packText('x'.repeat(8193)) }),
    'no signature': (card) => pack({ ...unpack(card), signatures: [] }),
    'two own signatures': (card) => {
      const json = unpack(card);
      return pack({ ...json, signatures: [...json.signatures, ...json.signatures] });
    },
    'a wrong signature': (card) => {
      const signature = randomBytes(64).toString('base64url');
      return pack({ ...unpack(card), signatures: [{ signer: 'self', signature }] });
    },
    'an unknown signer': (card) => {
      const json = unpack(card);
      return pack({ ...json, signatures: json.signatures.map((s) => ({ ...s, signer: 'admin' })) });
    },
    'an unknown member': (card) => pack({ ...unpack(card), admin: true }),
    'a changed snapshot': (card) => changeSnapshot(card, (text) => text.replace('":1', '":2')),
    'another identity under the same signature': (card) =>
      changeSnapshot(card, (text) => text.replace('"alice"', '"alicf"')),
    'white space in the snapshot': (card) => changeSnapshot(card, (text) => `${text} `),
    'a member twice': (card) =>
      changeSnapshot(card, (text) => text.replace('{', '{"identity":"bob",')),
    'a low-order encryption key': (card) =>
      changeSnapshot(card, (text) =>
        text.replace(/"encryptionKey":"[^"]*"/, `"encryptionKey":"${'A'.repeat(43)}"`),
      ),
  };

  test.each(Object.entries(spoilt))('%s', async (_, spoil) => {
    const server = await start();
    const session = await server.session('alice');
    const card = spoil(await makeCard('alice'));
    await expectRefused(server, session, card, [422, 'CARD_INVALID']);
  });

  test('a card that is no text', async () => {
    const server = await start();
    const session = await server.session('alice');
    for (const card of [7, null, ['x'], { a: 1 }, undefined]) {
      await expectRefused(server, session, card, [400, 'INVALID_REQUEST']);
    }
    const body = { card: await makeCard('alice'), identity: 'bob' };
    const reply = await server.request('POST', '/v1/cards', { session, body });
    expect([reply.status, reply.json['code']]).toEqual([400, 'INVALID_REQUEST']);
  });

  test('an approval by somebody else', async () => {
    const server = await start();
    const session = await server.session('alice');
    const card = await importCard(await makeCard('alice'));
    const stranger = await (await curves()).importSigningKey(seed());
    const approved = exportCard(await approveCard(card, stranger, Date.now()));
    await expectRefused(server, session, approved, [422, 'SIGNATURE_NOT_ALLOWED']);
    await publish(server, session, exportCard(card));
    await expectRefused(server, session, approved, [422, 'SIGNATURE_NOT_ALLOWED']);
  });

  test('an approval by ourselves that we did not give to this card or at this time', async () => {
    const server = await start();
    const session = await server.session('alice');
    const card = await importCard(await makeCard('alice'));
    const ours = base64url.decode(server.env['APP_PRIVATE_KEY'] ?? '') ?? new Uint8Array();
    const appKey = await (await curves()).importSigningKey(ours);
    const early = exportCard(await approveCard(card, appKey, 1));
    await expectRefused(server, session, early, [422, 'SIGNATURE_NOT_ALLOWED']);
    const reply = await publish(server, session, exportCard(card));
    const stored = await importCard(z.string().parse(reply.json['card']));
    const twice = exportCard(await approveCard(stored, appKey, 1));
    await expectRefused(server, session, twice, [422, 'SIGNATURE_NOT_ALLOWED']);
  });

  test('a key of an earlier card, of whoever and for whatever', async () => {
    const server = await start();
    const [alice, bob] = [await server.session('alice'), await server.session('bob')];
    const signingSeed = seed();
    const encryptionSeed = seed();
    const pqSeed = seed();
    await publish(server, alice, await makeCard('alice', { signingSeed, encryptionSeed, pqSeed }));
    for (const [session, identity] of [
      [alice, 'alice'],
      [bob, 'bob'],
    ] as const) {
      for (const reused of [{ signingSeed }, { encryptionSeed }, { pqSeed }]) {
        const card = await makeCard(identity, reused);
        await expectRefused(server, session, card, [409, 'KEY_REUSED']);
      }
    }
  });

  test('all but one of many cards with one key, published at once', async () => {
    const server = await start();
    const session = await server.session('alice');
    const encryptionSeed = seed();
    const cards = await Promise.all(
      Array.from({ length: 8 }, () => makeCard('alice', { encryptionSeed })),
    );
    const replies = await Promise.all(cards.map((card) => publish(server, session, card)));
    const statuses = replies.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([201, ...Array<number>(7).fill(409)]);
  });

  test('the 17th card, also when all are published at once', async () => {
    const server = await start();
    const session = await server.session('alice');
    const cards = await Promise.all(Array.from({ length: 17 }, () => makeCard('alice')));
    const replies = await Promise.all(cards.map((card) => publish(server, session, card)));
    const refused = replies.flatMap(({ status }, index) => (status === 409 ? [index] : []));
    expect(refused).toHaveLength(1);
    expect(replies[refused[0] ?? 0]?.json['code']).toBe('CARD_LIMIT');
    await expectRefused(server, session, cards[refused[0] ?? 0], [409, 'CARD_LIMIT']);
    // Publishing one of the sixteen again is no new card.
    const again = await publish(server, session, cards[refused[0] === 0 ? 1 : 0]);
    expect(again.status).toBe(201);
    const bob = await server.session('bob');
    expect((await publish(server, bob, await makeCard('bob'))).status).toBe(201);
  });

  test('a card from the future', async () => {
    const server = await start();
    const session = await server.session('alice');
    const limit = server.clock.now + 5 * 60_000;
    const late = await makeCard('alice', { createdAt: limit + 1 });
    await expectRefused(server, session, late, [422, 'CLOCK_SKEW']);
    const card = await makeCard('alice', { createdAt: limit });
    expect((await publish(server, session, card)).status).toBe(201);
  });

  test('a replacement that the replaced card did not sign', async () => {
    const server = await start();
    const session = await server.session('alice');
    const reply = await publish(server, session, await makeCard('alice'));
    const { id } = await importCard(z.string().parse(reply.json['card']));
    const card = await makeCard('alice', { previousCardId: id });
    await expectRefused(server, session, card, [422, 'LINK_INVALID']);
  });
});

function changeSnapshot(card: string, change: (text: string) => string): string {
  const json = unpack(card);
  return pack({ ...json, contentSnapshot: packText(change(textOf(json.contentSnapshot))) });
}

describe('getting a card', () => {
  test('that is not there', async () => {
    const { request, session } = await start();
    const token = await session('alice');
    const reply = await request('GET', `/v1/cards/${'0'.repeat(64)}`, { session: token });
    expect([reply.status, reply.json['code']]).toEqual([404, 'CARD_NOT_FOUND']);
  });

  test.each(['0', 'search', '0'.repeat(65), 'A'.repeat(64), '__proto__', "'%20or%201=1--"])(
    'by %s, which is no id',
    async (id) => {
      const { request, session } = await start();
      const reply = await request('GET', `/v1/cards/${id}`, { session: await session('alice') });
      expect([reply.status, reply.json['code']]).toEqual([400, 'INVALID_REQUEST']);
    },
  );
});

describe('searching', () => {
  test('for names that no one could have gives nothing, and fails nobody else', async () => {
    const server = await start();
    const session = await server.session('alice');
    const reply = await publish(server, session, await makeCard('alice'));
    const odd = ['', 'e\u0301', 'a\u202e', '\ud800', 'x'.repeat(300), "' or 1=1 --", '%', '\u0000'];
    const found = await liveCards(server, session, [...odd, 'alice']);
    expect(found).toEqual({ alice: [reply.json['card']], '%': [], "' or 1=1 --": [] });
  });

  test('for __proto__ and its kind is like for anybody', async () => {
    const server = await start();
    const names = ['__proto__', 'constructor', 'hasOwnProperty'];
    const session = await server.session('__proto__');
    const empty = Object.entries(await liveCards(server, session, names));
    expect(empty).toEqual(names.map((name) => [name, []]));
    const published = await publish(server, session, await makeCard('__proto__'));
    const found = Object.entries(await liveCards(server, session, names));
    expect(found[0]).toEqual(['__proto__', [published.json['card']]]);
    expect(found.slice(1)).toEqual(empty.slice(1));
  });

  test('finds the cards of exactly the identity, whatever it looks like', async () => {
    const server = await start(
      {},
      { rateLimits: { routeByIdentity: { points: 1e6, seconds: 1 } } },
    );
    const character = fc.constantFrom('a', 'A', 'é', 'и', '🦊', "'", '"', '%', '_', '\\', '$', ' ');
    const identity = fc
      .string({ unit: character, minLength: 1, maxLength: 8 })
      .filter((name) => name.trim() === name);
    const seen = new Map<string, unknown>();
    await fc.assert(
      fc.asyncProperty(identity, async (name) => {
        if (seen.has(name)) return;
        const session = await server.session(name);
        const { json } = await publish(server, session, await makeCard(name));
        seen.set(name, json['card']);
        const found = await liveCards(server, session, [...seen.keys()]);
        const expected = [...seen].map(([key, card]) => [key, [card]]);
        expect(found).toEqual(Object.fromEntries(expected));
      }),
      { numRuns: 30 },
    );
  });

  test.each([
    ['no names', []],
    ['1001 names', Array.from({ length: 1001 }, (_, i) => `user-${i}`)],
    ['numbers', [1, 2]],
    ['no list', 'alice'],
    ['null', null],
  ])('for %s is refused', async (_, identities) => {
    const server = await start();
    const session = await server.session('alice');
    const reply = await search(server, session, identities);
    expect([reply.status, reply.json['code']]).toEqual([400, 'INVALID_REQUEST']);
  });

  test('for a thousand names works', async () => {
    const server = await start();
    const session = await server.session('alice');
    const names = Array.from({ length: 1000 }, (_, i) => `user-${i}`);
    expect(Object.keys(await liveCards(server, session, names))).toHaveLength(1000);
  });

  test('answers a name once that comes twice, and with nothing but what the log proves', async () => {
    const server = await start();
    const session = await server.session('alice');
    await publish(server, session, await makeCard('alice'));
    const { json } = await search(server, session, ['alice', 'bob', 'alice', 'alice']);
    expect(Object.keys(json)).toEqual(['head', 'lookup', 'consistency']);
    expect(lookupFromJson(json['lookup'])?.found.map(({ entries }) => entries.length)).toEqual([
      1, 0,
    ]);
  });
});

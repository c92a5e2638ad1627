/** The log through HTTP, checked as a client checks it. */
import { get } from 'node:http';
import { describe, expect, test } from 'vitest';
import {
  base64url,
  createCard,
  createRevocation,
  curves,
  decodeHead,
  encodeLeaf,
  hashLeaf,
  endorseCard,
  exportCard,
  lookupFromJson,
  parseIdentity,
  succeedCard,
  verifyConsistency,
  verifyHead,
  verifyInclusion,
  verifyLookup,
  type Card,
  type Identity,
  type IdentityHistory,
  type LogHead,
  type RevocationContent,
  type SigningKey,
  type VerifyingKey,
} from 'twilio-chat-encryption/protocol';
import { z } from 'zod';
import { packText, seed, start, type Harness, type Reply } from './support.ts';

const backEnd = await curves();
const ALICE = parseIdentity('alice');
const BOB = parseIdentity('bob');

/** A card and the key that it signs with. */
interface Made {
  readonly card: Card;
  readonly key: SigningKey;
}

async function make(identity: Identity, previous?: Card): Promise<Made> {
  const key = await backEnd.importSigningKey(seed());
  const agreement = await backEnd.importAgreementKey(seed());
  const content = { identity, createdAt: 1, ...(previous && { previousCardId: previous.id }) };
  return { key, card: await createCard(content, key, agreement) };
}

/** A server with alice and bob, and the client's view of its log. */
class World {
  readonly server: Harness;
  readonly #sessions = new Map<string, string>();
  readonly #logKey: VerifyingKey;
  readonly #appKey: VerifyingKey;

  constructor(server: Harness, logKey: VerifyingKey, appKey: VerifyingKey) {
    this.server = server;
    this.#logKey = logKey;
    this.#appKey = appKey;
  }

  static async start(): Promise<World> {
    const server = await start();
    const publicKey = async (name: string): Promise<VerifyingKey> => {
      const secret = base64url.decode(server.env[name] ?? '');
      if (!secret) throw new Error(`There is no ${name}.`);
      const { publicKey: key } = await backEnd.importSigningKey(secret);
      return backEnd.importVerifyingKey(key);
    };
    return new World(
      server,
      await publicKey('LOG_PRIVATE_KEY'),
      await publicKey('APP_PRIVATE_KEY'),
    );
  }

  async request(method: string, path: string, body?: unknown, who = 'alice'): Promise<Reply> {
    const session = this.#sessions.get(who) ?? (await this.server.session(who));
    this.#sessions.set(who, session);
    return this.server.request(method, path, { session, ...(body !== undefined && { body }) });
  }

  publish({ card }: Made): Promise<Reply> {
    return this.request('POST', '/v1/cards', { card: exportCard(card) }, card.identity);
  }

  async device(identity: Identity): Promise<Made> {
    const made = await make(identity);
    expect((await this.publish(made)).status).toBe(201);
    return made;
  }

  async revoke(
    card: Card,
    by: Made,
    who = card.identity as string,
    more: Pick<RevocationContent, 'reason' | 'since'> = { reason: 'retired' },
  ): Promise<Reply> {
    const content = { cardId: card.id, revokedAt: 5, ...more } as const;
    const revocation = await createRevocation({ ...content, signer: by.card.id }, by.key);
    return this.request('POST', `/v1/cards/${card.id}/revocation`, { revocation }, who);
  }

  async lookUp(
    identities: readonly Identity[],
    from?: LogHead,
  ): Promise<{ head: LogHead; histories: readonly IdentityHistory[] }> {
    const body = { identities, ...(from && { from: from.size }) };
    const { json } = await this.request('POST', '/v1/cards/search', body);
    const head = headOf(json['head']);
    expect(await verifyHead(this.#logKey, head)).toBe(true);
    if (from) expect(verifyConsistency(from, head, hashes(json['consistency']))).toBe(true);
    return { head, histories: await this.check(json['lookup'], head, identities) };
  }

  async check(
    json: unknown,
    head: LogHead,
    identities: readonly Identity[],
  ): Promise<readonly IdentityHistory[]> {
    const lookup = lookupFromJson(json);
    if (!lookup) throw new Error('The answer is no lookup.');
    const context = { logKey: this.#logKey, appKeys: [this.#appKey], head, identities };
    return [...(await verifyLookup(lookup, context)).values()];
  }
}

function headOf(text: unknown): LogHead {
  const head = decodeHead(base64url.decode(z.string().parse(text)) ?? new Uint8Array());
  if (!head) throw new Error('The answer has no head.');
  return head;
}

function hashes(json: unknown) {
  return z
    .array(z.string())
    .parse(json)
    .map((text) => base64url.decode(text) ?? new Uint8Array());
}

const states = (history: IdentityHistory | undefined): unknown[] =>
  (history?.cards ?? []).map(({ card, status, vouchers }) => [card.id, status, vouchers]);

describe('the log', () => {
  test('is empty at first, and proves that it is', async () => {
    const world = await World.start();
    const { head, histories } = await world.lookUp([ALICE, BOB]);
    expect([head.size, histories.map(({ count }) => count)]).toEqual([0, [0, 0]]);
  });

  test('has every card that was published, from head to head', async () => {
    const world = await World.start();
    let { head } = await world.lookUp([ALICE]);
    const cards: Record<string, string[]> = { alice: [], bob: [] };
    for (let count = 1; count <= 9; count += 1) {
      const identity = count % 3 === 0 ? BOB : ALICE;
      const { card } = await world.device(identity);
      cards[identity]?.push(card.id);
      const found = await world.lookUp([ALICE, BOB, parseIdentity('carol')], head);
      expect(found.head.size).toBe(count);
      expect(found.histories.map((history) => history.cards.map((one) => one.card.id))).toEqual([
        cards['alice'],
        cards['bob'],
        [],
      ]);
      ({ head } = found);
    }
  });

  test('has a card once that is published twice', async () => {
    const world = await World.start();
    const phone = await world.device(ALICE);
    const again = await Promise.all([world.publish(phone), world.publish(phone)]);
    expect(again.map(({ status }) => status)).toEqual([201, 201]);
    expect((await world.lookUp([ALICE])).head.size).toBe(1);
  });

  test('says which entry a card is, whenever it is published again', async () => {
    const world = await World.start();
    await world.device(BOB);
    const phone = await make(ALICE);
    const first = await world.publish(phone);
    expect(first.json).toMatchObject({ logIndex: 1 });
    await world.device(ALICE);
    expect((await world.publish(phone)).json).toEqual(first.json);
    const { json } = await world.request('GET', '/v1/log/map?identity=alice&size=2');
    const content = lookupFromJson(json['lookup'])?.found[0]?.entries[0]?.content;
    expect(content).toBe(first.json['card']);
  });

  test('shows its newest head to who has seen a longer log', async () => {
    const world = await World.start();
    await world.device(ALICE);
    const body = { identities: ['alice'], from: 2 ** 40 };
    const { json } = await world.request('POST', '/v1/cards/search', body);
    expect([headOf(json['head']).size, json['consistency']]).toEqual([1, []]);
  });

  test('has one order when many publish at once', async () => {
    const world = await World.start();
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, index) => world.device(parseIdentity(`person ${index}`))),
    );
    const people = all.map(({ card }) => card.identity);
    const { head, histories } = await world.lookUp(people);
    expect([head.size, histories.map(({ count }) => count)]).toEqual([20, all.map(() => 1)]);
  });

  test('proves what it was at each earlier size', async () => {
    const world = await World.start();
    const heads = [(await world.lookUp([ALICE])).head];
    for (let count = 0; count < 6; count += 1) {
      await world.device(count % 2 === 0 ? ALICE : BOB);
      heads.push((await world.lookUp([ALICE])).head);
    }
    for (const [size, head] of heads.entries()) {
      const { json } = await world.request('GET', `/v1/log/map?identity=alice&size=${size}`);
      const [history] = await world.check(json['lookup'], head, [ALICE]);
      expect(history?.count).toBe(Math.ceil(size / 2));
      for (const [to, later] of heads.entries()) {
        if (to < size) continue;
        const proof = await world.request('GET', `/v1/log/consistency?from=${size}&to=${to}`);
        expect(verifyConsistency(head, later, hashes(proof.json['consistency']))).toBe(true);
      }
    }
  });

  test('gives auditors its leaves, each of which is in it', async () => {
    const world = await World.start();
    for (let count = 0; count < 5; count += 1) await world.device(ALICE);
    const { head } = await world.lookUp([ALICE]);
    expect(headOf((await world.request('GET', '/v1/log/head')).json['head']).size).toBe(5);
    const { json } = await world.request('GET', '/v1/log/entries?start=0&end=9');
    const leaves = z
      .array(z.strictObject({ entry: z.string(), mapRoot: z.string() }))
      .parse(json['entries']);
    expect(leaves).toHaveLength(5);
    for (const [index, { entry, mapRoot }] of leaves.entries()) {
      const [one, root] = [entry, mapRoot].map((text) => base64url.decode(text));
      const leaf = encodeLeaf(one ?? new Uint8Array(), root ?? new Uint8Array());
      const proof = await world.request('GET', `/v1/log/inclusion?index=${index}&size=5`);
      const path = hashes(proof.json['inclusion']);
      expect(verifyInclusion(hashLeaf(leaf), index, 5, path, head.root)).toBe(true);
    }
  });

  test.each([
    '/v1/log/map?identity=alice&size=1',
    '/v1/log/map?identity=&size=0',
    '/v1/log/map?identity=alice',
    '/v1/log/map?identity=alice&size=-1',
    '/v1/log/map?identity=alice&size=0&size=0',
    '/v1/log/map?identity=alice&size=0&x=1',
    '/v1/log/inclusion?index=0&size=0',
    '/v1/log/inclusion?index=0&size=9',
    '/v1/log/consistency?from=1&to=0',
    '/v1/log/consistency?from=0&to=1e3',
    '/v1/log/consistency?from=0&to=99999999999999999999',
    '/v1/log/entries?start=0&end=1001',
    '/v1/log/entries?start=5&end=4',
    '/v1/log/entries?start=0&end=9007199254740993',
    '/v1/log/entries?start=0&end=1&end=2',
    '/v1/log/entries?start=00&end=1',
    '/v1/log/entries?start=&end=1',
    '/v1/log/entries?start[]=0&end=1',
    '/v1/log/entries?__proto__=0&start=0&end=1',
    '/v1/log/entries',
    '/v1/log/inclusion?index=0x0&size=0',
    '/v1/log/inclusion?index=%20&size=0',
    '/v1/log/map?identity=%E0%A4%A&size=0',
    '/v1/log/map?identity=a%00&size=0',
    '/v1/log/map?identity=e%CC%81&size=0',
    `/v1/log/map?identity=${'a'.repeat(257)}&size=0`,
  ])('refuses %s', async (path) => {
    const { status, json } = await (await World.start()).request('GET', path);
    expect([400, 422]).toContain(status);
    expect(json['code']).toMatch(/^INVALID_(REQUEST|IDENTITY)$/);
  });

  test('is for people who signed in', async () => {
    const { server } = await World.start();
    for (const path of ['head', 'entries?start=0&end=1', 'map?identity=a&size=0']) {
      expect((await server.request('GET', `/v1/log/${path}`)).status).toBe(401);
    }
  });
});

describe('hostile bodies are refused', () => {
  const refused = [400, 413, 415, 422];

  test.each<[string, unknown]>([
    ['none', {}],
    ['a number', { revocation: 1 }],
    ['a list', { revocation: ['x'] }],
    ['another member', { revocation: 'x', force: true }],
    ['too long a one', { revocation: 'x'.repeat(5000) }],
    ['no object', []],
    ['null', { revocation: null }],
    ['JSON', { revocation: '{"content":"","signature":""}' }],
    ['JSON in base64url', { revocation: packText('{"content":"","signature":""}') }],
  ])('as a revocation: %s', async (_what, body) => {
    const world = await World.start();
    const { card } = await world.device(ALICE);
    const reply = await world.request('POST', `/v1/cards/${card.id}/revocation`, body);
    expect(refused).toContain(reply.status);
    expect((await world.lookUp([ALICE])).head.size).toBe(1);
  });

  test.each<[string, unknown]>([
    ['negative', -1],
    ['broken', 0.5],
    ['text', '1'],
    ['null', null],
    ['too large', 2 ** 53],
    ['endless', Number.MAX_VALUE],
  ])('as a search from a size that is %s', async (_what, from) => {
    const world = await World.start();
    const body = { identities: ['alice'], from };
    expect((await world.request('POST', '/v1/cards/search', body)).status).toBe(400);
  });

  test('but not the form that proxies get requests in, whatever host it names', async () => {
    const { server } = await World.start();
    const { port } = new URL(server.url);
    const path = 'http://host:99999/healthz?a=1';
    const status = await new Promise((resolve, reject) => {
      get({ port, path }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });
    expect([status, server.log().includes('"level":50')]).toEqual([200, false]);
  });

  test('and so is a method that the log does not have', async () => {
    const world = await World.start();
    expect((await world.request('POST', '/v1/log/entries', {})).status).toBe(405);
    expect((await world.request('GET', '/v1/log/nothing')).status).toBe(404);
  });
});

describe('a card', () => {
  test('replaces another that signed it, and may be vouched for', async () => {
    const world = await World.start();
    const phone = await world.device(ALICE);
    const next = await make(ALICE, phone.card);
    const newPhone = { ...next, card: await succeedCard(next.card, phone.key) };
    expect((await world.publish(newPhone)).status).toBe(201);
    const made = await make(ALICE);
    const endorser = { id: newPhone.card.id, signingKey: newPhone.key };
    const laptop = { ...made, card: await endorseCard(made.card, endorser) };
    expect((await world.publish(laptop)).status).toBe(201);
    const { histories } = await world.lookUp([ALICE]);
    expect(states(histories[0])).toEqual([
      [phone.card.id, 'superseded', []],
      [newPhone.card.id, 'live', [phone.card.id]],
      [laptop.card.id, 'live', [newPhone.card.id]],
    ]);
  });

  test('replaces or is vouched for by none that is dead, or of somebody else', async () => {
    const world = await World.start();
    const [phone, bobs] = [await world.device(ALICE), await world.device(BOB)];
    const refused = async (made: Made): Promise<void> => {
      expect((await world.publish(made)).json['code']).toBe('LINK_INVALID');
    };
    const byBob = await make(ALICE);
    const bob = { id: bobs.card.id, signingKey: bobs.key };
    await refused({ ...byBob, card: await endorseCard(byBob.card, bob) });
    const ofBob = await make(ALICE, bobs.card);
    await refused({ ...ofBob, card: await succeedCard(ofBob.card, bobs.key) });
    expect((await world.revoke(phone.card, phone)).status).toBe(200);
    const late = await make(ALICE, phone.card);
    await refused({ ...late, card: await succeedCard(late.card, phone.key) });
    expect((await world.lookUp([ALICE])).head.size).toBe(3);
  });

  test('is revoked by itself or by another device, once', async () => {
    const world = await World.start();
    const [phone, laptop, tablet] = [
      await world.device(ALICE),
      await world.device(ALICE),
      await world.device(ALICE),
    ];
    expect((await world.revoke(phone.card, phone)).status).toBe(200);
    expect((await world.revoke(phone.card, phone)).status).toBe(200);
    expect((await world.revoke(phone.card, laptop)).json['code']).toBe('CARD_REVOKED');
    expect((await world.revoke(laptop.card, tablet)).status).toBe(200);
    const { histories, head } = await world.lookUp([ALICE]);
    expect(histories[0]?.cards.map(({ status }) => status)).toEqual(['revoked', 'revoked', 'live']);
    expect([head.size, histories[0]?.invalid]).toEqual([5, 0]);
  });

  test('is revoked once more by who says more: a thief may have been first', async () => {
    const world = await World.start();
    const [phone, laptop] = [await world.device(ALICE), await world.device(ALICE)];
    const since = (position: number): Promise<Reply> =>
      world.revoke(phone.card, laptop, 'alice', { reason: 'compromised', since: position });
    expect((await world.revoke(phone.card, phone)).status).toBe(200);
    expect((await since(9)).status).toBe(200);
    expect((await since(9)).status).toBe(200);
    expect((await since(10)).json['code']).toBe('CARD_REVOKED');
    expect((await since(2)).status).toBe(200);
    expect((await world.revoke(phone.card, phone)).json['code']).toBe('CARD_REVOKED');
    const { histories, head } = await world.lookUp([ALICE]);
    expect([head.size, histories[0]?.invalid]).toEqual([5, 0]);
    expect(histories[0]?.cards[0]).toMatchObject({ status: 'revoked', reason: 'compromised' });
  });

  test('is revoked by nobody else, and leaves room when it is', async () => {
    const world = await World.start();
    const bobs = await world.device(BOB);
    const all: Made[] = [];
    for (let count = 0; count < 16; count += 1) all.push(await world.device(ALICE));
    const [first, second] = all;
    if (!first || !second) throw new Error('There are no cards.');
    expect((await world.publish(await make(ALICE))).json['code']).toBe('CARD_LIMIT');
    const codes = [
      await world.revoke(first.card, bobs),
      await world.revoke(first.card, { ...bobs, card: second.card }),
      await world.revoke(first.card, first, 'bob'),
      await world.request('POST', `/v1/cards/${first.card.id}/revocation`, { revocation: 'x' }),
      await world.request('POST', `/v1/cards/${'0'.repeat(64)}/revocation`, { revocation: 'x' }),
      await world.request('POST', '/v1/cards/x/revocation', { revocation: 'x' }),
    ].map(({ json }) => json['code']);
    expect(codes).toEqual([
      'REVOCATION_INVALID',
      'REVOCATION_INVALID',
      'IDENTITY_MISMATCH',
      'REVOCATION_INVALID',
      'CARD_NOT_FOUND',
      'INVALID_REQUEST',
    ]);
    const content = {
      cardId: first.card.id,
      reason: 'retired',
      revokedAt: 5,
      signer: 'app',
    } as const;
    const revocation = await createRevocation(content, first.key);
    const path = `/v1/cards/${first.card.id}/revocation`;
    const inItsName = await world.request('POST', path, { revocation });
    expect(inItsName.json['code']).toBe('REVOCATION_INVALID');
    expect((await world.revoke(first.card, second)).status).toBe(200);
    expect((await world.publish(await make(ALICE))).status).toBe(201);
  });
});

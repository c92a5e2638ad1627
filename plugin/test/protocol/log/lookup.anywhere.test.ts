/** Lookups: what a server that lies, leaves out or reorders can make a client believe. */
import { describe, expect, test } from 'vitest';
import {
  approveCard,
  base64url,
  createCard,
  createRevocation,
  curves,
  endorseCard,
  exportCard,
  lookupFromJson,
  lookupToJson,
  parseIdentity,
  signHead,
  succeedCard,
  treeRoot,
  verifyHead,
  verifyLookup,
  type Card,
  type Identity,
  type IdentityHistory,
  type Lookup,
  type RevocationContent,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import { APP_KEY, random } from '../people.ts';
import { KeptLog } from './kept-log.ts';

const backEnd = await curves();
const appKey = await backEnd.importVerifyingKey(APP_KEY.publicKey);
const [ALICE, BOB, CAROL] = ['alice', 'bob', 'carol'].map(parseIdentity) as [
  Identity,
  Identity,
  Identity,
];

/** A card before it is logged, and the key that it signs with. */
interface Made {
  readonly card: Card;
  readonly key: SigningKey;
}

async function make(identity: Identity, previous?: Card): Promise<Made> {
  const key = await backEnd.importSigningKey(random(32));
  const agreement = await backEnd.importAgreementKey(random(32));
  const content = { identity, createdAt: 1, ...(previous && { previousCardId: previous.id }) };
  return { key, card: await createCard(content, key, agreement) };
}

/** A log, and what a client of it believes. */
class World {
  static async start(): Promise<World> {
    return new World(new KeptLog(await backEnd.importSigningKey(random(32))));
  }

  readonly log: KeptLog;

  constructor(log: KeptLog) {
    this.log = log;
  }

  async approve(card: Card, by: SigningKey = APP_KEY): Promise<Card> {
    const content = exportCard(await approveCard(card, by, 2));
    const { identity, id: cardId } = card;
    const time = this.log.size + 1000;
    await this.log.append({ operation: 'approve', time, identity, cardId, content });
    return card;
  }

  async device(identity: Identity): Promise<Made> {
    const made = await make(identity);
    await this.approve(made.card);
    return made;
  }

  async revoke(
    card: Card,
    by: Made | 'app',
    more: Pick<RevocationContent, 'reason' | 'since'> = { reason: 'retired' },
  ): Promise<void> {
    const [signer, key] = by === 'app' ? ['app' as const, APP_KEY] : [by.card.id, by.key];
    const { identity, id: cardId } = card;
    const content = await createRevocation({ cardId, ...more, revokedAt: 3, signer }, key);
    const time = this.log.size + 1000;
    await this.log.append({ operation: 'revoke', time, identity, cardId, content });
  }

  /** What a client makes of an answer, after an attacker changed it. */
  async read(
    identities: readonly Identity[],
    attack: (lookup: Lookup) => Lookup = (lookup) => lookup,
  ): Promise<readonly IdentityHistory[]> {
    const head = await this.log.head(5);
    const logKey = await backEnd.importVerifyingKey(this.log.key.publicKey);
    expect(await verifyHead(logKey, head)).toBe(true);
    const travelled = lookupFromJson(
      JSON.parse(JSON.stringify(lookupToJson(attack(await this.log.lookup(identities))))),
    );
    if (!travelled) throw new Error('The answer did not survive its travel.');
    const context = { logKey, appKeys: [appKey], head, identities };
    return [...(await verifyLookup(travelled, context)).values()];
  }

  async one(identity: Identity): Promise<IdentityHistory> {
    const [history] = await this.read([identity]);
    if (!history) throw new Error('There is no history.');
    return history;
  }
}

const seen = ({ cards }: IdentityHistory): unknown[] =>
  cards.map(({ card, status, vouchers }) => [card.id, status, vouchers]);

const INVALID = { code: 'LOG_INVALID' };

describe('an honest log', () => {
  test('shows everything about everybody who is asked for, and that there is nothing', async () => {
    const world = await World.start();
    expect((await world.read([ALICE, BOB])).map(({ count }) => count)).toEqual([0, 0]);
    const phone = await world.device(ALICE);
    const laptop = await world.device(ALICE);
    const bobs = await world.device(BOB);
    const [alice, carol, bob] = await world.read([ALICE, CAROL, BOB]);
    expect(alice && seen(alice)).toEqual([
      [phone.card.id, 'live', []],
      [laptop.card.id, 'live', []],
    ]);
    expect(bob && seen(bob)).toEqual([[bobs.card.id, 'live', []]]);
    expect(carol).toMatchObject({ count: 0, cards: [] });
  });

  test('shows what every earlier head showed', async () => {
    const world = await World.start();
    const logKey = await backEnd.importVerifyingKey(world.log.key.publicKey);
    for (let count = 0; count < 9; count += 1) await world.device(count % 2 === 0 ? ALICE : BOB);
    for (let size = 0; size <= 9; size += 1) {
      const head = await world.log.head(5, size);
      const lookup = await world.log.lookup([ALICE], size);
      const found = await verifyLookup(lookup, {
        logKey,
        appKeys: [appKey],
        head,
        identities: [ALICE],
      });
      expect(found.get(ALICE)?.count).toBe(Math.ceil(size / 2));
    }
  });
});

describe('a server that wants to show something else', () => {
  async function world(): Promise<World> {
    const world = await World.start();
    for (const identity of [ALICE, BOB, ALICE, CAROL, BOB]) await world.device(identity);
    const alices = await world.device(ALICE);
    await world.revoke(alices.card, alices);
    return world;
  }

  const attacks: Readonly<Record<string, (lookup: Lookup) => Lookup>> = {
    'leaves the newest card out': changed((entries) => entries.slice(0, -2)),
    'leaves the revocation out': changed((entries) => entries.slice(0, -1)),
    'leaves the oldest card out': changed((entries) => entries.slice(1)),
    'shows nobody': changed(() => []),
    'shows another order': changed((entries) => entries.toReversed()),
    'shows a card twice': changed((entries) => [...entries, ...entries.slice(-1)]),
    'gives another card with an entry': changed((entries) =>
      entries.map((entry) => ({ ...entry, content: entries[0]?.content ?? '' })),
    ),
    'gives no card with an entry': changed((entries) =>
      entries.map((entry) => ({ ...entry, content: '' })),
    ),
    'gives the entries of somebody else': (lookup) => {
      const [first, second] = lookup.found;
      return first && second ? { ...lookup, found: [second, second] } : lookup;
    },
    'gives an answer about somebody else': (lookup) => ({
      ...lookup,
      found: lookup.found.toReversed(),
    }),
    'gives too few answers': (lookup) => ({ ...lookup, found: lookup.found.slice(1) }),
    'gives no proof of the map': (lookup) => ({
      ...lookup,
      found: lookup.found.map((one) => ({ ...one, proof: { siblings: [], other: null } })),
    }),
    'gives a shortened proof': (lookup) => ({
      ...lookup,
      found: lookup.found.map(({ entries, proof }) => ({
        entries,
        proof: { ...proof, siblings: proof.siblings.slice(1) },
      })),
    }),
    'gives no proof of the last leaf': (lookup) => ({ ...lookup, inclusion: [] }),
    'gives no leaf': (lookup) => ({ ...lookup, lastLeaf: null }),
    'gives a leaf with another map': (lookup) => ({
      ...lookup,
      lastLeaf: lookup.lastLeaf && lookup.lastLeaf.map((byte, at) => (at > 104 ? 0 : byte)),
    }),
  };

  function changed(
    change: (entries: Lookup['found'][number]['entries']) => Lookup['found'][number]['entries'],
  ): (lookup: Lookup) => Lookup {
    return (lookup) => ({
      ...lookup,
      found: lookup.found.map(({ entries, proof }, index) => ({
        entries: index === 0 ? change(entries) : entries,
        proof,
      })),
    });
  }

  test.each(Object.entries(attacks))('%s: proves nothing', async (_, attack) => {
    const one = await world();
    expect(await one.read([ALICE, BOB])).toHaveLength(2);
    await expect(one.read([ALICE, BOB], attack)).rejects.toMatchObject(INVALID);
  });

  test('answers with an earlier state of its log, which the head does not prove', async () => {
    const one = await world();
    const earlier = await one.log.lookup([ALICE], 5);
    await expect(one.read([ALICE], () => earlier)).rejects.toMatchObject(INVALID);
  });

  test('says that its log is empty', async () => {
    const one = await world();
    const empty = await (await World.start()).log.lookup([ALICE]);
    await expect(one.read([ALICE], () => empty)).rejects.toMatchObject(INVALID);
  });

  test('has a head that another key signed, or of another size', async () => {
    const one = await world();
    const logKey = await backEnd.importVerifyingKey(one.log.key.publicKey);
    const root = await treeRoot(one.log.readTree, one.log.size);
    const other = await backEnd.importSigningKey(random(32));
    const head = { size: one.log.size, root, signedAt: 5 };
    expect(await verifyHead(logKey, await signHead(other, head))).toBe(false);
    const signed = await signHead(one.log.key, head);
    expect(await verifyHead(logKey, signed)).toBe(true);
    expect(await verifyHead(logKey, { ...signed, size: signed.size - 1 })).toBe(false);
    expect(await verifyHead(logKey, { ...signed, signedAt: 6 })).toBe(false);
    expect(await verifyHead(logKey, { ...signed, root: random(32) })).toBe(false);
  });
});

describe('entries that do not check', () => {
  test('count for nothing: an approval of another key, another identity, a key of before', async () => {
    const world = await World.start();
    const phone = await world.device(ALICE);
    await world.approve((await make(ALICE)).card, await backEnd.importSigningKey(random(32)));
    const bobs = await make(BOB);
    const content = exportCard(await approveCard(bobs.card, APP_KEY, 2));
    const entry = { operation: 'approve', time: 1, identity: ALICE, content } as const;
    await world.log.append({ ...entry, cardId: bobs.card.id });
    await world.approve(phone.card);
    await world.log.append({ ...entry, content: 'no card', cardId: bobs.card.id });
    const history = await world.one(ALICE);
    expect(seen(history)).toEqual([[phone.card.id, 'live', []]]);
    expect(history.invalid).toBe(4);
  });

  test('a revocation by somebody who may not', async () => {
    const world = await World.start();
    const phone = await world.device(ALICE);
    const laptop = await world.device(ALICE);
    const bobs = await world.device(BOB);
    const forger: Made = { card: phone.card, key: bobs.key };
    await world.revoke(phone.card, bobs);
    await world.revoke(phone.card, forger);
    await world.revoke(laptop.card, laptop);
    // No longer live itself.
    await world.revoke(phone.card, laptop);
    const history = await world.one(ALICE);
    expect(history.cards.map(({ status }) => status)).toEqual(['live', 'revoked']);
    expect(history.invalid).toBe(3);
  });
});

describe('a card is revoked', () => {
  test.each(['itself', 'another device', 'the application'])('by %s', async (who) => {
    const world = await World.start();
    const [phone, laptop] = [await world.device(ALICE), await world.device(ALICE)];
    const by = { itself: phone, 'another device': laptop, 'the application': 'app' as const }[who];
    await world.revoke(phone.card, by ?? 'app', { reason: 'compromised' });
    const history = await world.one(ALICE);
    expect(history.invalid).toBe(0);
    expect(history.cards).toMatchObject([
      { status: 'revoked', reason: 'compromised', endedAt: 1002 },
      { status: 'live' },
    ]);
  });
});

describe('a revocation is only ever added to', () => {
  test('a thief who retires the stolen card does not keep others from calling it compromised', async () => {
    const world = await World.start();
    const phone = await world.device(ALICE);
    const laptop = await world.device(ALICE);
    const thiefs = await endorseCard((await make(ALICE)).card, {
      id: phone.card.id,
      signingKey: phone.key,
    });
    await world.approve(thiefs);
    await world.revoke(phone.card, phone);
    expect((await world.one(ALICE)).cards[2]?.vouchers[0]).toBe(phone.card.id);
    await world.revoke(phone.card, laptop, { reason: 'compromised', since: 2 });
    const { cards, invalid } = await world.one(ALICE);
    expect(invalid).toBe(0);
    expect(cards[0]).toMatchObject({ status: 'revoked', reason: 'compromised', endedAt: 1003 });
    expect(cards[2]).toMatchObject({ status: 'live', vouchers: [] });
  });

  test('nor does one who says that it was stolen later than it was', async () => {
    const world = await World.start();
    const phone = await world.device(ALICE);
    const thiefs = await endorseCard((await make(ALICE)).card, {
      id: phone.card.id,
      signingKey: phone.key,
    });
    await world.approve(thiefs);
    await world.revoke(phone.card, phone, { reason: 'compromised', since: 2 ** 32 - 1 });
    expect((await world.one(ALICE)).cards[1]?.vouchers[0]).toBe(phone.card.id);
    await world.revoke(phone.card, 'app', { reason: 'compromised', since: 2 });
    expect((await world.one(ALICE)).cards[1]?.vouchers[0]).toBe(phone.card.id);
    await world.revoke(phone.card, 'app', { reason: 'compromised', since: 1 });
    expect((await world.one(ALICE)).cards[1]?.vouchers).toEqual([]);
    // What says no more than what was said counts for nothing.
    await world.revoke(phone.card, 'app', { reason: 'compromised', since: 1 });
    await world.revoke(phone.card, 'app');
    const { cards, invalid } = await world.one(ALICE);
    expect(cards[0]).toMatchObject({ status: 'revoked', reason: 'compromised', endedAt: 1002 });
    expect(invalid).toBe(2);
  });

  test('a card that was revoked does not come back with an approval of another key', async () => {
    const other = await backEnd.importSigningKey(random(32));
    const world = await World.start();
    const [phone, laptop] = [await make(ALICE), await make(ALICE)];
    await world.approve(phone.card, other);
    await world.approve(laptop.card, other);
    await world.revoke(phone.card, phone);
    await world.revoke(laptop.card, 'app');
    await world.approve(phone.card);
    await world.approve(laptop.card);
    const history = await world.one(ALICE);
    expect(history).toMatchObject({ cards: [], count: 6, invalid: 5 });
  });

  test('a card that no pinned key approved has no say about others', async () => {
    const other = await backEnd.importSigningKey(random(32));
    const world = await World.start();
    const [phone, planted] = [await world.device(ALICE), await make(ALICE)];
    await world.approve(planted.card, other);
    await world.revoke(phone.card, planted);
    expect(await world.one(ALICE)).toMatchObject({ cards: [{ status: 'live' }], invalid: 2 });
    await world.approve(planted.card);
    expect((await world.one(ALICE)).cards).toMatchObject([{ status: 'live' }, { status: 'live' }]);
  });

  test('a card that was revoked before it was logged is never live; nobody else can say it for it', async () => {
    const world = await World.start();
    const [phone, laptop, tablet] = [await make(ALICE), await make(ALICE), await make(ALICE)];
    await world.revoke(phone.card, phone);
    await world.revoke(laptop.card, { card: laptop.card, key: phone.key });
    await world.revoke(tablet.card, 'app');
    for (const { card } of [phone, laptop, tablet]) await world.approve(card);
    expect(seen(await world.one(ALICE))).toEqual([[laptop.card.id, 'live', []]]);
  });
});

describe('a card vouches for another', () => {
  test('as do others: who is found out to be compromised takes only its own word back', async () => {
    const world = await World.start();
    const [phone, tablet] = [await world.device(ALICE), await world.device(ALICE)];
    const endorsers = [phone, tablet].map(({ card, key }) => ({ id: card.id, signingKey: key }));
    let laptop = (await make(ALICE)).card;
    for (const endorser of endorsers) laptop = await endorseCard(laptop, endorser);
    await world.approve(laptop);
    expect((await world.one(ALICE)).cards[2]?.vouchers[0]).toBe(phone.card.id);
    await world.revoke(phone.card, 'app', { reason: 'compromised' });
    expect((await world.one(ALICE)).cards[2]?.vouchers[0]).toBe(tablet.card.id);
    await world.revoke(tablet.card, 'app', { reason: 'compromised' });
    expect((await world.one(ALICE)).cards[2]?.vouchers).toEqual([]);
  });

  test('that it endorses and that follows it, once', async () => {
    const world = await World.start();
    const phone = await world.device(ALICE);
    const next = await make(ALICE, phone.card);
    const endorser = { id: phone.card.id, signingKey: phone.key };
    await world.approve(await succeedCard(await endorseCard(next.card, endorser), phone.key));
    await world.revoke(phone.card, phone, { reason: 'compromised' });
    expect(seen(await world.one(ALICE))).toEqual([
      [phone.card.id, 'revoked', []],
      [next.card.id, 'live', []],
    ]);
  });

  test('that it endorses, while it is live', async () => {
    const world = await World.start();
    const phone = await world.device(ALICE);
    const endorser = { id: phone.card.id, signingKey: phone.key };
    const laptop = await endorseCard((await make(ALICE)).card, endorser);
    const late = await endorseCard((await make(ALICE)).card, endorser);
    await world.approve(laptop);
    await world.revoke(phone.card, phone);
    await world.approve(late);
    expect(seen(await world.one(ALICE))).toEqual([
      [phone.card.id, 'revoked', []],
      [laptop.id, 'live', [phone.card.id]],
      [late.id, 'live', []],
    ]);
  });

  test('that succeeds it; the first one does', async () => {
    const world = await World.start();
    const phone = await world.device(ALICE);
    const first = await succeedCard((await make(ALICE, phone.card)).card, phone.key);
    const second = await succeedCard((await make(ALICE, phone.card)).card, phone.key);
    const without = (await make(ALICE, first)).card;
    for (const card of [first, second, without]) await world.approve(card);
    expect(seen(await world.one(ALICE))).toEqual([
      [phone.card.id, 'superseded', []],
      [first.id, 'live', [phone.card.id]],
      [second.id, 'live', []],
      [without.id, 'live', []],
    ]);
  });

  test('and not with the key of somebody else, or of another identity', async () => {
    const world = await World.start();
    const phone = await world.device(ALICE);
    const bobs = await world.device(BOB);
    const byBob = await endorseCard((await make(ALICE)).card, {
      id: bobs.card.id,
      signingKey: bobs.key,
    });
    const forged = await endorseCard((await make(ALICE)).card, {
      id: phone.card.id,
      signingKey: bobs.key,
    });
    await world.approve(byBob);
    await world.approve(forged);
    const { cards } = await world.one(ALICE);
    expect(cards.map(({ vouchers }) => vouchers)).toEqual([[], [], []]);
  });

  test('for nothing any more from where it was compromised on; then those that it vouched for stand alone', async () => {
    const world = await World.start();
    const phone = await world.device(ALICE);
    const vouch = async (by: Made): Promise<Made> => {
      const made = await make(ALICE);
      const endorser = { id: by.card.id, signingKey: by.key };
      return { ...made, card: await world.approve(await endorseCard(made.card, endorser)) };
    };
    const before = await vouch(phone);
    const after = await vouch(phone);
    const through = await vouch(after);
    await world.revoke(phone.card, before, { reason: 'compromised', since: 2 });
    const { cards } = await world.one(ALICE);
    expect(cards.map(({ card, vouchers }) => [card.id, vouchers])).toEqual([
      [phone.card.id, []],
      [before.card.id, [phone.card.id]],
      [after.card.id, []],
      // Which nobody vouches for any more.
      [through.card.id, [after.card.id]],
    ]);
  });
});

describe('an answer that is no lookup', () => {
  test('is null, whatever it is', async () => {
    const world = await World.start();
    await world.device(ALICE);
    const good = lookupToJson(await world.log.lookup([ALICE]));
    expect(lookupFromJson(good)).not.toBeNull();
    const [found] = good.found;
    const bad: readonly unknown[] = [
      null,
      [],
      {},
      'text',
      { ...good, lastLeaf: undefined },
      { ...good, lastLeaf: base64url.encode(random(136)) },
      { ...good, inclusion: {} },
      { ...good, inclusion: [1] },
      { ...good, inclusion: Array.from({ length: 55 }, () => base64url.encode(random(32))) },
      { ...good, found: [{ ...found, siblings: [base64url.encode(random(31))] }] },
      { ...good, found: [{ ...found, entries: [{ entry: 'x', content: '' }] }] },
      { ...good, found: [{ ...found, entries: [{ ...found?.entries[0], content: 1 }] }] },
      { ...good, found: [{ ...found, entries: [{ ...found?.entries[0], content: '\ud800' }] }] },
      { ...good, found: [{ ...found, other: { identityHash: '', count: 1, history: '' } }] },
    ];
    for (const json of bad) expect(lookupFromJson(json)).toBeNull();
  });
});

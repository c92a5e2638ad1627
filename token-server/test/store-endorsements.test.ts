/** Devices that vouch for a card which was published before. */
import {
  approveCard,
  base64url,
  curves,
  endorseCard,
  exportCard,
  importCard,
  parseIdentity,
  readHistory,
  succeedCard,
  verifyEndorsement,
  type Card,
  type CardId,
  type IdentityHistory,
} from 'twilio-chat-encryption/protocol';
import { describe, expect, test } from 'vitest';
import { DATABASES, open } from './databases.ts';
import {
  createKeeper,
  createSeeds,
  findingsOf,
  makeDevice,
  publishNew,
  revokeBy,
  sessionOf,
  type Device,
  type Keeper,
} from './keeper.ts';
import { start } from './support.ts';

const ALICE = parseIdentity('alice');
const BOB = parseIdentity('bob');

/** Vouches for a card, as one device has it. */
async function endorsed(card: Card, ...by: readonly Device[]): Promise<Card> {
  let signed = card;
  for (const { card: its, key } of by) {
    signed = await endorseCard(signed, { id: its.id, signingKey: key });
  }
  return signed;
}

const publish = ({ cards }: Keeper, card: Card) =>
  cards.publish(sessionOf(card.identity), exportCard(card));

const signersOf = (card: Card): readonly string[] => card.signatures.map(({ signer }) => signer);

async function historyOf({ store, logKey, appKey }: Keeper): Promise<IdentityHistory> {
  const stored = await store.log.entriesOf([ALICE], await store.log.size());
  const entries = stored.map(({ entry, content }) => ({
    entry: base64url.decode(entry) ?? new Uint8Array(),
    content,
  }));
  const context = { identity: ALICE, logKey: logKey.publicKey, appKeys: [appKey] };
  const history = await readHistory(entries, context);
  if (!history) throw new Error('Entries and contents do not belong together.');
  return history;
}

async function vouchersOf(keeper: Keeper, { card }: Device): Promise<readonly CardId[]> {
  const { cards } = await historyOf(keeper);
  return cards.find((one) => one.card.id === card.id)?.vouchers ?? [];
}

/** Expects a refusal that leaves nothing behind. */
async function expectRefused(keeper: Keeper, card: Card, code = 'LINK_INVALID'): Promise<void> {
  const before = [await keeper.store.log.size(), await keeper.store.findCard(card.id)];
  await expect(publish(keeper, card)).rejects.toMatchObject({ code });
  expect([await keeper.store.log.size(), await keeper.store.findCard(card.id)]).toEqual(before);
  expect(await findingsOf(keeper)).toEqual([]);
}

describe.each(DATABASES)('$name', ({ create }) => {
  async function world() {
    const keeper = await createKeeper(await open(await create()));
    const phone = await publishNew(keeper, ALICE);
    const laptop = await publishNew(keeper, ALICE);
    return { keeper, phone, laptop };
  }

  test('a card is logged and stored anew with the endorsement, under the approval that it had', async () => {
    const { keeper, phone, laptop } = await world();
    const first = await publish(keeper, laptop.card);
    expect(first.logIndex).toBe(1);
    const before = await importCard(first.card);
    const sent = await endorsed(before, phone);
    const answer = await publish(keeper, sent);
    expect(answer).toEqual({ card: exportCard(sent), logIndex: 2 });
    expect(signersOf(await importCard(answer.card))).toEqual(['self', 'app', 'endorser']);
    expect(await keeper.store.findCard(laptop.card.id)).toMatchObject({
      exported: answer.card,
      endedAt: null,
    });
    expect(await keeper.cards.get(laptop.card.id)).toBe(answer.card);
    expect(await historyOf(keeper)).toMatchObject({ count: 3, invalid: 0 });
    expect(await vouchersOf(keeper, laptop)).toEqual([phone.card.id]);
    expect(await findingsOf(keeper)).toEqual([]);
  });

  test('whoever sends the card without anything new gets it as it is, and nothing is written', async () => {
    const { keeper, phone, laptop } = await world();
    const before = await publish(keeper, laptop.card);
    const answer = await publish(keeper, await endorsed(laptop.card, phone));
    const again = [
      laptop.card,
      await importCard(before.card),
      await importCard(answer.card),
      await endorsed(laptop.card, phone),
      await endorsed(laptop.card, phone, phone),
    ];
    for (const card of again) expect(await publish(keeper, card)).toEqual(answer);
    await revokeBy(keeper, phone, phone);
    // A request that was answered may be repeated whatever became of who vouched.
    for (const card of again) expect(await publish(keeper, card)).toEqual(answer);
    await revokeBy(keeper, laptop, laptop);
    for (const card of again) expect(await publish(keeper, card)).toEqual(answer);
    expect(await keeper.store.log.size()).toBe(5);
    expect(await findingsOf(keeper)).toEqual([]);
  });

  test('two devices that vouch at once add to one another', async () => {
    const url = await create();
    const seeds = createSeeds();
    const store = await open(url);
    const one = await createKeeper(store, seeds);
    // Who waits for another's lock of a SQLite file blocks the process.
    const isSqlite = url.startsWith('sqlite:');
    const other = isSqlite ? one : await createKeeper(await open(url), seeds);
    const devices = await Promise.all([1, 2, 3, 4, 5].map(() => publishNew(one, ALICE)));
    const laptop = await publishNew(one, ALICE);
    const sent = await Promise.all(devices.map((by) => endorsed(laptop.card, by)));
    const answers = await Promise.all(
      sent.map((card, index) => publish(index % 2 === 0 ? one : other, card)),
    );
    for (const [index, { card }] of answers.entries()) {
      const by = devices[index]?.card;
      expect(by && (await verifyEndorsement(await importCard(card), by))).toBe(true);
    }
    const last = answers.find(({ logIndex }) => logIndex === 10);
    expect(signersOf(await importCard(last?.card ?? ''))).toHaveLength(7);
    expect((await store.findCard(laptop.card.id))?.exported).toBe(last?.card);
    expect(new Set(await vouchersOf(one, laptop))).toEqual(
      new Set(devices.map(({ card }) => card.id)),
    );
    expect(await historyOf(one)).toMatchObject({ invalid: 0, count: 11 });
    expect(await findingsOf(one)).toEqual([]);
  });

  test('one of them may be sent while the card or the endorser ends', async () => {
    const { keeper, phone, laptop } = await world();
    const sent = await endorsed(laptop.card, phone);
    const answers = await Promise.allSettled([
      revokeBy(keeper, phone, phone),
      ...Array.from({ length: 5 }, () => publish(keeper, sent)),
      revokeBy(keeper, laptop, laptop),
    ]);
    for (const answer of answers) {
      if (answer.status === 'rejected')
        expect(answer.reason).toMatchObject({ code: 'LINK_INVALID' });
    }
    expect((await historyOf(keeper)).invalid).toBe(0);
    expect(await findingsOf(keeper)).toEqual([]);
  });

  describe('is refused, with nothing written:', () => {
    test('an endorsement that does not verify, alone and beside one that does', async () => {
      const { keeper, phone, laptop } = await world();
      const tablet = await publishNew(keeper, ALICE);
      const forged = { card: phone.card, key: tablet.key };
      await expectRefused(keeper, await endorsed(laptop.card, forged));
      await expectRefused(keeper, await endorsed(laptop.card, tablet, forged));
      await expectRefused(keeper, await endorsed(laptop.card, forged, phone));
    });

    test('one by the card itself, by nobody, by somebody else', async () => {
      const { keeper, laptop } = await world();
      await expectRefused(keeper, await endorsed(laptop.card, laptop));
      await expectRefused(keeper, await endorsed(laptop.card, await makeDevice(ALICE)));
      await expectRefused(keeper, await endorsed(laptop.card, await publishNew(keeper, BOB)));
    });

    test('one by a card that was revoked or replaced', async () => {
      const { keeper, phone, laptop } = await world();
      const next = await makeDevice(ALICE, phone.card);
      await publish(keeper, await succeedCard(next.card, phone.key));
      await expectRefused(keeper, await endorsed(laptop.card, phone));
      await revokeBy(keeper, next, laptop);
      await expectRefused(keeper, await endorsed(laptop.card, next));
    });

    test('one of a card that was revoked or replaced', async () => {
      const { keeper, phone, laptop } = await world();
      const next = await makeDevice(ALICE, laptop.card);
      await publish(keeper, await succeedCard(next.card, laptop.key));
      await expectRefused(keeper, await endorsed(laptop.card, phone));
      await revokeBy(keeper, next, next);
      await expectRefused(keeper, await endorsed(next.card, phone));
    });

    test('one for which there is no room', async () => {
      const { keeper, phone, laptop } = await world();
      const six = await Promise.all([1, 2, 3, 4, 5, 6].map(() => publishNew(keeper, ALICE)));
      for (const by of six) await publish(keeper, await endorsed(laptop.card, by));
      const full = await importCard(await keeper.cards.get(laptop.card.id));
      expect(full.signatures).toHaveLength(8);
      await expectRefused(keeper, await endorsed(laptop.card, phone));
      // Whom it has it has, also under an approval that leaves no room.
      expect((await publish(keeper, full)).card).toBe(exportCard(full));
    });

    test('one under an approval that we did not give', async () => {
      const { keeper, phone, laptop } = await world();
      const stranger = await (await curves()).importSigningKey(new Uint8Array(32).fill(7));
      const approved = await approveCard(laptop.card, stranger, 1);
      await expectRefused(keeper, await endorsed(approved, phone), 'SIGNATURE_NOT_ALLOWED');
    });
  });

  test('a card becomes nobody’s successor that is published already', async () => {
    const { keeper, phone, laptop } = await world();
    const { card, logIndex } = await publish(keeper, laptop.card);
    const predecessor = await succeedCard((await makeDevice(ALICE, phone.card)).card, phone.key);
    const [link] = predecessor.signatures.filter(({ signer }) => signer === 'predecessor');
    if (!link) throw new Error('There is no link.');
    const sent = { ...laptop.card, signatures: [...laptop.card.signatures, link] };
    expect(await publish(keeper, sent)).toEqual({ card, logIndex });
    const both = await publish(keeper, await endorsed(sent, phone));
    expect(signersOf(await importCard(both.card))).toEqual(['self', 'app', 'endorser']);
    expect((await keeper.store.findCard(phone.card.id))?.endedAt).toBeNull();
    expect(await findingsOf(keeper)).toEqual([]);
  });

  test('an audit finds a card that is stored as it was before', async () => {
    const { keeper, phone, laptop } = await world();
    const before = await publish(keeper, laptop.card);
    await publish(keeper, await endorsed(laptop.card, phone));
    const { id } = laptop.card;
    await keeper.store.transaction((transaction) => transaction.replaceExport(id, before.card));
    expect(await findingsOf(keeper)).toEqual([
      `card ${id}: It is stored as it was logged before, and not as it was last.`,
    ]);
  });
});

test('over HTTP an endorsement is what publishing the card again is', async () => {
  const server = await start();
  const session = await server.session('alice');
  const [phone, laptop] = [await makeDevice(ALICE), await makeDevice(ALICE)];
  const post = (card: string) => server.request('POST', '/v1/cards', { session, body: { card } });
  await post(exportCard(phone.card));
  const published = await post(exportCard(laptop.card));
  const card = await importCard(String(published.json['card']));
  const sent = exportCard(await endorsed(card, phone));
  const reply = await post(sent);
  expect([reply.status, reply.json]).toEqual([201, { card: sent, logIndex: 2 }]);
  const got = await server.request('GET', `/v1/cards/${card.id}`, { session });
  expect(got.json).toEqual({ card: sent });
  const bad = exportCard(await endorsed(card, { card: phone.card, key: laptop.key }));
  const refused = await post(bad);
  // Who vouches is there already, whatever the signature is that comes now.
  expect([refused.status, refused.json]).toEqual([201, reply.json]);
  const unknown = await post(exportCard(await endorsed(card, await makeDevice(ALICE))));
  expect([unknown.status, unknown.json['code']]).toEqual([422, 'LINK_INVALID']);
});

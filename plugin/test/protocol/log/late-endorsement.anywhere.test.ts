/** Endorsements that are logged after the card that they are of, and those who would misuse them. */
import { describe, expect, test } from 'vitest';
import {
  approveCard,
  curves,
  exportCard,
  importCard,
  parseIdentity,
  type CardId,
  type EntryWithContent,
  type IdentityHistory,
} from 'twilio-chat-encryption/protocol';
import { APP_KEY, random } from '../people.ts';
import { approval, device, endorsed, plain, read, revocation, type Device } from './entries.ts';

const [phone, laptop, tablet] = [await device(), await device(), await device()];
const thiefs = await device();
const OTHER_APP_KEY = await (await curves()).importSigningKey(random(32));

const [thePhone, theLaptop, theTablet, theThiefs] = await Promise.all(
  [phone, laptop, tablet, thiefs].map((one) => approval(one)),
).then(([first, second, third, fourth]) => {
  if (!first || !second || !third || !fourth) throw new Error('An entry is missing.');
  return [first, second, third, fourth] as const;
});

/** The entry of a device's card with these endorsements. */
const late = async (one: Device, ...by: readonly Device[]): Promise<EntryWithContent> =>
  approval(await endorsed(one, ...by));

const REFUSED = { code: 'INVALID_ARGUMENT' };

const stolen = (since: number): Promise<EntryWithContent> =>
  revocation(phone, null, { reason: 'compromised', since });

const vouchersOf = ({ cards }: IdentityHistory, { card }: Device): readonly CardId[] | undefined =>
  cards.find((one) => one.card.id === card.id)?.vouchers;

/** Whom somebody trusts who knew these, and follows the vouchers. */
function trusted({ cards }: IdentityHistory, ...known: readonly Device[]): ReadonlySet<CardId> {
  const ids = new Set(known.map(({ card }) => card.id));
  for (let before = -1; before < ids.size;) {
    before = ids.size;
    for (const { card, vouchers } of cards) {
      if (vouchers.some((id) => ids.has(id))) ids.add(card.id);
    }
  }
  return ids;
}

describe('a card that was logged alone', () => {
  test('is vouched for from the entry on that brings the endorsement', async () => {
    const before = [thePhone, theLaptop];
    expect(vouchersOf(await read(before), laptop)).toEqual([]);
    const history = await read([...before, await late(laptop, phone)]);
    expect(history).toMatchObject({ invalid: 0, count: 3 });
    expect(vouchersOf(history, laptop)).toEqual([phone.card.id]);
    expect(history.cards[1]).toMatchObject({ position: 1, loggedAt: 7, status: 'live' });
  });

  test('is vouched for by several, in the order in which they did, each once', async () => {
    const history = await read([
      thePhone,
      theLaptop,
      theTablet,
      await late(tablet, laptop),
      await late(tablet, laptop),
      await late(tablet, laptop, phone),
    ]);
    expect(history.invalid).toBe(1);
    expect(vouchersOf(history, tablet)).toEqual([laptop.card.id, phone.card.id]);
  });

  test('may be endorsed by one that was logged after it', async () => {
    const history = await read([theLaptop, thePhone, await late(laptop, phone)]);
    expect(vouchersOf(history, laptop)).toEqual([phone.card.id]);
  });

  test('is given as it was logged last, so that the next one adds to that', async () => {
    const entry = await late(laptop, phone);
    const { cards } = await read([thePhone, theLaptop, entry, await approval(laptop)]);
    expect(cards[1] && exportCard(cards[1].card)).toBe(entry.content);
    const again = await endorsed({ ...laptop, card: await importCard(entry.content) }, phone);
    expect(again.card.signatures).toHaveLength(4);
  });

  test('keeps its vouchers when a later entry leaves their signatures out', async () => {
    const entries = [thePhone, theLaptop, theTablet, await late(laptop, phone)];
    const history = await read([...entries, await late(laptop, tablet)]);
    expect(history.invalid).toBe(0);
    expect(vouchersOf(history, laptop)).toEqual([phone.card.id, tablet.card.id]);
  });

  test('may be approved anew by the same entry', async () => {
    const context = [thePhone, theLaptop];
    const byOther = await approval(await endorsed(laptop, phone), OTHER_APP_KEY);
    expect(await read([...context, byOther])).toMatchObject({ invalid: 1 });
    const both = { ...laptop, card: await approveCard(laptop.card, OTHER_APP_KEY, 9) };
    expect(await read([...context, await late(both, phone)])).toMatchObject({ invalid: 0 });
  });
});

describe('an entry adds nothing', () => {
  const cases: Readonly<Record<string, () => Promise<readonly EntryWithContent[]>>> = {
    'that has no endorsement': async () => [thePhone, theLaptop, await approval(laptop)],
    'that only a key approved which is not pinned': async () => [
      thePhone,
      theLaptop,
      await approval(await endorsed(laptop, phone), OTHER_APP_KEY),
    ],
    'by a card that is not there': async () => [theLaptop, await late(laptop, phone)],
    'by itself': async () => [theLaptop, await late(laptop, laptop)],
    'by a card of somebody else': async () => {
      const bobs = await device(undefined, [], parseIdentity('bob'));
      return [theLaptop, await late(laptop, bobs)];
    },
    'by another key under the id of a live card': async () => [
      thePhone,
      theLaptop,
      await late(laptop, { card: phone.card, key: thiefs.key }),
    ],
    'by a card that was revoked': async () => [
      thePhone,
      theLaptop,
      await revocation(phone, phone),
      await late(laptop, phone),
    ],
    'by a card that was replaced': async () => [
      thePhone,
      theLaptop,
      await approval(await device(phone)),
      await late(laptop, phone),
    ],
    'of a card that was revoked': async () => [
      thePhone,
      theLaptop,
      await revocation(laptop, laptop),
      await late(laptop, phone),
    ],
    'of a card that was replaced': async () => [
      thePhone,
      theLaptop,
      await approval(await device(laptop)),
      await late(laptop, phone),
    ],
  };

  test.each(Object.entries(cases))('%s', async (_, entries) => {
    const all = await entries();
    const before = await read(all.slice(0, -1));
    const after = await read(all);
    expect(after.invalid).toBe(before.invalid + 1);
    expect(plain(after)).toEqual(plain(before));
  });

  test('of a card that nobody accepts, although it is endorsed', async () => {
    const refused = await revocation(laptop, null);
    const history = await read([thePhone, refused, await late(laptop, phone)]);
    expect(history.cards).toHaveLength(1);
  });

  test('that would make the card a successor only now', async () => {
    const next = await device(phone);
    const unsigned = {
      ...next,
      card: {
        ...next.card,
        signatures: next.card.signatures.filter(({ signer }) => signer !== 'predecessor'),
      },
    };
    const history = await read([thePhone, await approval(unsigned), await approval(next)]);
    expect(history.invalid).toBe(1);
    expect(history.cards).toMatchObject([{ status: 'live' }, { status: 'live', vouchers: [] }]);
    const signed = await read([
      thePhone,
      theLaptop,
      await approval(unsigned),
      await late(next, laptop),
    ]);
    expect(signed.cards[0]?.status).toBe('live');
    expect(vouchersOf(signed, next)).toEqual([laptop.card.id]);
  });
});

describe('somebody stole the phone', () => {
  test('and endorsed a card that was logged before: the entry decides, not the card', async () => {
    const entries = [thePhone, theThiefs, theLaptop, await late(thiefs, phone)];
    expect(vouchersOf(await read(entries), thiefs)).toEqual([phone.card.id]);
    const history = await read([...entries, await stolen(3)]);
    expect(vouchersOf(history, thiefs)).toEqual([]);
  });

  test('after it had endorsed another device, which stays endorsed', async () => {
    const entries = [thePhone, theLaptop, await late(laptop, phone), await late(thiefs, phone)];
    const history = await read([...entries, await stolen(3)]);
    expect(vouchersOf(history, laptop)).toEqual([phone.card.id]);
    expect(vouchersOf(history, thiefs)).toEqual([]);
    const all = await read([...entries, await stolen(3), await stolen(2)]);
    expect(vouchersOf(all, laptop)).toEqual([]);
  });

  test('and what it vouched for does not come back when the old entry is logged again', async () => {
    const entry = await late(thiefs, phone);
    const history = await read([thePhone, theThiefs, entry, await stolen(2), entry]);
    expect(history.invalid).toBe(1);
    expect(vouchersOf(history, thiefs)).toEqual([]);
  });

  test('whose cards vouch for each other, in a circle that nobody who knew the phone trusts', async () => {
    const second = await device();
    const entries = [
      thePhone,
      theLaptop,
      await late(thiefs, phone),
      await late(second, thiefs),
      await late(thiefs, second),
    ];
    const before = await read(entries);
    expect(trusted(before, phone)).toContain(second.card.id);
    const history = await read([...entries, await stolen(2)]);
    expect(vouchersOf(history, thiefs)).toEqual([second.card.id]);
    expect(vouchersOf(history, second)).toEqual([thiefs.card.id]);
    expect([...trusted(history, phone, laptop)]).toEqual([phone.card.id, laptop.card.id]);
  });

  test('and vouches for honest cards, so that they lose something: they do not', async () => {
    const entries = [
      thePhone,
      theLaptop,
      await late(tablet, laptop),
      // The laptop stood alone. What it said must not fall with a voucher that it never needed.
      await late(laptop, phone),
    ];
    const history = await read([...entries, await stolen(3)]);
    expect(vouchersOf(history, laptop)).toEqual([]);
    expect(vouchersOf(history, tablet)).toEqual([laptop.card.id]);
    expect(trusted(history, laptop)).toContain(tablet.card.id);
  });

  test('and the thief’s card vouches for the successor of the phone', async () => {
    const next = await device(phone);
    const entries = [
      thePhone,
      theLaptop,
      await late(thiefs, phone),
      await approval(next),
      await late(next, thiefs),
    ];
    const history = await read([...entries, await stolen(2)]);
    expect(vouchersOf(history, next)).toEqual([thiefs.card.id]);
    expect([...trusted(history, phone, laptop)]).toEqual([phone.card.id, laptop.card.id]);
  });

  test('who keeps an endorsement back until the phone is revoked has none', async () => {
    const entry = await late(thiefs, phone);
    const history = await read([thePhone, theThiefs, await stolen(1), entry]);
    expect(vouchersOf(history, thiefs)).toEqual([]);
  });
});

test('an approved card has room for six endorsements, and for no seventh', async () => {
  const five = [phone, tablet, await device(), await device(), await device()];
  await expect(endorsed(laptop, ...five, thiefs)).resolves.toBeDefined();
  await expect(endorsed(laptop, ...five, thiefs, await device())).rejects.toMatchObject(REFUSED);
  const approved = { ...laptop, card: await approveCard(laptop.card, APP_KEY, 2) };
  const full = await endorsed(approved, ...five, thiefs);
  expect((await importCard(exportCard(full.card))).signatures).toHaveLength(8);
  await expect(endorsed(full, await device())).rejects.toMatchObject(REFUSED);
});

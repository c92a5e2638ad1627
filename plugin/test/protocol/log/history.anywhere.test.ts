/** Whatever is logged, in whatever order: what a history took away never comes back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  curves,
  type CardId,
  type EntryWithContent,
  type IdentityHistory,
  type LoggedCard,
} from 'twilio-chat-encryption/protocol';
import { random } from '../people.ts';
import { approval, device, endorsed, plain, read, revocation } from './entries.ts';

const OTHER_APP_KEY = await (await curves()).importSigningKey(random(32));

/** Everything that anybody could want to log about four devices that vouch for one another. */
async function pool(): Promise<readonly EntryWithContent[]> {
  const phone = await device();
  const laptop = await device(undefined, [phone]);
  const tablet = await device(undefined, [phone, laptop]);
  const next = await device(phone, [laptop]);
  const all = [phone, laptop, tablet, next];
  const late = await Promise.all([
    endorsed(phone, laptop),
    endorsed(phone, next, tablet),
    endorsed(laptop, tablet),
    endorsed(laptop, next),
    endorsed(tablet, next),
    endorsed(next, tablet),
  ]);
  const reasons = [
    { reason: 'retired' },
    { reason: 'compromised' },
    { reason: 'compromised', since: 2 },
    { reason: 'compromised', since: 4 },
  ] as const;
  return Promise.all([
    ...[...all, ...late].map((one) => approval(one)),
    ...[...all, ...late].map((one) => approval(one, OTHER_APP_KEY)),
    ...all.flatMap((one) =>
      [...all, null].flatMap((by) => reasons.map((more) => revocation(one, by, more))),
    ),
  ]);
}

const entries = await pool();
// The approvals come first in the pool, and often.
const logged = fc
  .array(fc.oneof(fc.nat(3), fc.nat(9), fc.nat(entries.length - 1)), { maxLength: 10 })
  .map((picked) => picked.map((at) => entries[at]).filter((one) => one !== undefined));

/** The history after each of the entries, beginning with none. */
async function states(all: readonly EntryWithContent[]): Promise<readonly IdentityHistory[]> {
  return Promise.all(
    Array.from({ length: all.length + 1 }, (_, count) => read(all.slice(0, count))),
  );
}

/** Expects something of each state of some histories and of the one before it. */
function always(
  check: (now: IdentityHistory, before: IdentityHistory) => void,
): Promise<void> | void {
  return fc.assert(
    fc.asyncProperty(logged, async (all) => {
      const each = await states(all);
      for (const [at, before] of each.entries()) {
        const now = each[at + 1];
        if (now) check(now, before);
      }
    }),
    { numRuns: 30 },
  );
}

const byId = (cards: readonly LoggedCard[]): ReadonlyMap<CardId, LoggedCard> =>
  new Map(cards.map((one) => [one.card.id, one]));

test('a card stays where it is, and what it lost it does not get again', async () => {
  await always((now, before) => {
    for (const [index, old] of before.cards.entries()) {
      const one = now.cards[index];
      expect(one?.card.snapshot).toEqual(old.card.snapshot);
      expect([one?.position, one?.loggedAt]).toEqual([old.position, old.loggedAt]);
      if (old.status === 'revoked') expect(one?.status).toBe('revoked');
      if (old.status === 'superseded') expect(one?.status).not.toBe('live');
      if (old.reason === 'compromised') expect(one?.reason).toBe('compromised');
      if (old.endedAt !== undefined) expect(one?.endedAt).toBe(old.endedAt);
    }
    expect([0, 1]).toContain(now.invalid - before.invalid);
    expect(now.hashes.slice(0, -1)).toEqual(before.hashes);
    expect(now.times.slice(0, -1)).toEqual(before.times);
    const ids = now.cards.map(({ card }) => card.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test('nobody is ever believed to vouch who was not live when it was logged', async () => {
  await always((now, before) => {
    const known = byId(before.cards);
    for (const { card, vouchers } of now.cards) {
      const already = known.get(card.id)?.vouchers ?? [];
      for (const id of vouchers.filter((one) => !already.includes(one))) {
        expect(known.get(id)?.status).toBe('live');
      }
      expect(new Set(vouchers).size).toBe(vouchers.length);
      expect(vouchers).not.toContain(card.id);
    }
  });
});

test('who ended gets nobody to vouch for them any more, and loses only those who are compromised', async () => {
  await always((now, before) => {
    const latest = byId(now.cards);
    for (const { card, status, vouchers } of before.cards) {
      const after = latest.get(card.id)?.vouchers ?? [];
      const gained = after.filter((id) => !vouchers.includes(id));
      const lost = vouchers.filter((id) => !after.includes(id));
      if (status !== 'live') expect(gained).toEqual([]);
      for (const id of lost) expect(latest.get(id)?.reason).toBe('compromised');
    }
  });
});

test('an entry that counts for nothing changes nothing', async () => {
  await always((now, before) => {
    if (now.invalid > before.invalid) expect(plain(now)).toEqual(plain(before));
  });
});

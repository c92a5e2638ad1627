/** A log that begins again: what clients with the new keys alone read is what others read before. */
import {
  base64url,
  createRevocation,
  curves,
  endorseCard,
  exportCard,
  parseIdentity,
  readHistory,
  succeedCard,
  type IdentityHistory,
  type VerifyingKey,
} from 'twilio-chat-encryption/protocol';
import { describe, expect, test } from 'vitest';
import { logEarlierCards } from '../src/domain/earlier-cards.ts';
import { createLog } from '../src/domain/log.ts';
import { restartLog } from '../src/domain/log-restart.ts';
import { revokeAsApplication } from '../src/domain/revocations.ts';
import { signingKeyOf, type KeySource } from '../src/domain/signer.ts';
import { createTokenServer, readConfig } from '../src/index.ts';
import { DATABASES, open } from './databases.ts';
import {
  createKeeper,
  createSeeds,
  findingsOf,
  makeDevice,
  publishNew,
  revokeBy,
  sessionOf,
  type Keeper,
  type Seeds,
} from './keeper.ts';
import { environment } from './support.ts';

const ALICE = parseIdentity('alice');
const BOB = parseIdentity('bob');

/** A history as somebody with these pins reads it. */
async function historyOf(
  { store, logKey }: Keeper,
  appKeys: readonly VerifyingKey[],
): Promise<IdentityHistory> {
  const stored = await store.log.entriesOf([ALICE], await store.log.size());
  const entries = stored.map(({ entry, content }) => ({
    entry: base64url.decode(entry) ?? new Uint8Array(),
    content,
  }));
  const history = await readHistory(entries, {
    identity: ALICE,
    logKey: logKey.publicKey,
    appKeys,
  });
  if (!history) throw new Error('Entries and contents do not belong together.');
  return history;
}

/** All that a history says but who approved it, and what it comes to in this log. */
function saidIn({ cards, times, count, invalid }: IdentityHistory): unknown {
  return { times, count, invalid, cards: cards.map(({ card, ...state }) => [card.id, state]) };
}

/** Cards of all kinds, and revocations of all kinds. */
async function makeHistory(keeper: Keeper, seeds: Seeds): Promise<void> {
  const { cards, store, log } = keeper;
  const parts = { store, log, now: Date.now, appKey: await signingKeyOf(seeds.app) };
  const phone = await publishNew(keeper, ALICE);
  const laptop = await publishNew(keeper, ALICE);
  await publishNew(keeper, BOB);
  // Late endorsements, before and after the laptop was stolen.
  const endorser = { id: laptop.card.id, signingKey: laptop.key };
  const tablet = await publishNew(keeper, ALICE);
  await cards.publish(sessionOf(ALICE), exportCard(await endorseCard(tablet.card, endorser)));
  const { length: since } = await store.log.entriesOf([ALICE], 100);
  const thief = await publishNew(keeper, ALICE);
  await cards.publish(sessionOf(ALICE), exportCard(await endorseCard(thief.card, endorser)));
  const content = { cardId: laptop.card.id, reason: 'compromised', since, revokedAt: 7 } as const;
  const revocation = await createRevocation({ ...content, signer: phone.card.id }, phone.key);
  await cards.revoke(sessionOf(ALICE), laptop.card.id, revocation);
  const next = await makeDevice(ALICE, phone.card);
  await cards.publish(sessionOf(ALICE), exportCard(await succeedCard(next.card, phone.key)));
  await revokeAsApplication(parts, thief.card.id, 'compromised');
  await revokeBy(keeper, await publishNew(keeper, ALICE), next);
}

/** Begins the log again under these keys; the key of before is known, if it is given. */
async function restart(
  keeper: Keeper,
  { app, log: logSeed }: { readonly app: KeySource; readonly log: KeySource },
  earlier: readonly VerifyingKey[] = [keeper.appKey],
): Promise<number> {
  const { store } = keeper;
  const [appKey, logKey] = await Promise.all([signingKeyOf(app), signingKeyOf(logSeed)]);
  const log = createLog({ log: store.log, logKey, now: Date.now });
  const current = await (await curves()).importVerifyingKey(appKey.publicKey);
  return restartLog({ store, log, logKey, appKey, appKeys: [current, ...earlier] });
}

/** Everything that is stored. */
async function everything({ store }: Keeper): Promise<unknown> {
  const size = await store.log.size();
  return [size, await store.log.range(0, size), await store.audit.counts()];
}

describe.each(DATABASES)('$name', ({ create }) => {
  async function world() {
    const store = await open(await create());
    const seeds = createSeeds();
    const keeper = await createKeeper(store, seeds);
    await makeHistory(keeper, seeds);
    return { store, seeds, keeper };
  }

  test('with new keys says to those who pin them what it said before, and nothing is wrong', async () => {
    const { store, keeper } = await world();
    const before = await historyOf(keeper, [keeper.appKey]);
    const seeds = createSeeds();
    expect(await restart(keeper, seeds)).toBe(before.count + 1);
    const after = await createKeeper(store, seeds);
    const history = await historyOf(after, [after.appKey]);
    expect(saidIn(history)).toEqual(saidIn(before));
    expect(
      history.cards.map(({ status, reason, vouchers }) => [status, reason, vouchers.length]),
    ).toEqual([
      ['superseded', undefined, 0],
      ['revoked', 'compromised', 0],
      ['live', undefined, 1],
      ['revoked', 'compromised', 0],
      ['live', undefined, 1],
      ['revoked', 'retired', 0],
    ]);
    expect(await findingsOf(after)).toEqual([]);
    // Nothing is of the old key any more.
    expect((await historyOf(after, [keeper.appKey])).cards).toEqual([]);
    // And it goes on: a device gets its card as it is, and publishes another one.
    const [stored] = history.cards;
    const own = stored && exportCard(stored.card);
    expect(await after.cards.publish(sessionOf(ALICE), own ?? '')).toMatchObject({
      card: own,
      logIndex: 0,
    });
    await publishNew(after, ALICE);
    expect(await findingsOf(after)).toEqual([]);
  });

  test('is as long as it was', async () => {
    const { store, keeper } = await world();
    for (let number = 0; number < 110; number += 1) {
      await publishNew(keeper, parseIdentity(`person ${number}`));
    }
    const identities = async () => (await store.log.range(0, 200)).map(({ identity }) => identity);
    const before = await identities();
    const seeds = createSeeds();
    expect(await restart(keeper, seeds)).toBe(before.length);
    expect(await identities()).toEqual(before);
    expect(await findingsOf(await createKeeper(store, seeds))).toEqual([]);
  });

  test('with a new key of the log alone leaves what was signed as it is', async () => {
    const { store, seeds, keeper } = await world();
    const contents = async () => (await store.log.range(0, 100)).map(({ content }) => content);
    const before = await contents();
    const next = { ...createSeeds(), app: seeds.app };
    await restart(keeper, next, []);
    expect(await contents()).toEqual(before);
    expect(await findingsOf(await createKeeper(store, next))).toEqual([]);
  });

  test('is refused, with nothing changed: under its own key, or with what no known key signed', async () => {
    const { seeds, keeper } = await world();
    const before = await everything(keeper);
    await expect(restart(keeper, { ...createSeeds(), log: seeds.log })).rejects.toThrow(
      'LOG_PRIVATE_KEY is the key of the log in the database',
    );
    await expect(restart(keeper, createSeeds(), [])).rejects.toThrow('EARLIER_APP_KEYS');
    expect(await everything(keeper)).toEqual(before);
    expect(await findingsOf(keeper)).toEqual([]);
  });

  test('is as it was when the signer fails in the middle', async () => {
    const { keeper } = await world();
    const before = await everything(keeper);
    const key = await signingKeyOf(createSeeds().app);
    let left = 4;
    const app = {
      publicKey: key.publicKey,
      sign: (message: Uint8Array) => {
        left -= 1;
        if (left < 0) return Promise.reject(new Error('No quota.'));
        return key.sign(Uint8Array.from(message));
      },
    };
    await expect(restart(keeper, { app, log: createSeeds().log })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect(await everything(keeper)).toEqual(before);
    expect(await findingsOf(keeper)).toEqual([]);
  });

  test('is that of its key alone: a server with the old one shows and adds nothing', async () => {
    const { store, seeds, keeper } = await world();
    const other = createSeeds();
    await restart(keeper, other);
    const before = await everything(keeper);
    const attempts = [
      () => keeper.log.head(),
      () => keeper.log.lookUp([BOB], 0),
      () => keeper.log.lookUpAt(BOB, 2),
      () => publishNew(keeper, BOB),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    }
    expect(await everything(keeper)).toEqual(before);
    const config = { ...readConfig(environment()), appKey: seeds.app, logKey: seeds.log };
    await expect(createTokenServer(config, { store })).rejects.toThrow('`log restart`');
  });

  test('that somebody emptied by hand does not bring back cards that ended', async () => {
    const { store, keeper } = await world();
    await store.transaction(async ({ log }) => {
      for await (const { content } of log.restart()) expect(content).not.toBe('');
    });
    await expect(logEarlierCards(store, keeper.log)).rejects.toThrow('was emptied');
    expect(await store.log.size()).toBe(0);
  });
});

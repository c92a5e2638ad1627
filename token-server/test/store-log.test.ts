/** The log in each database, with several servers on it. */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import {
  approveCard,
  base64url,
  createRevocation,
  curves,
  decodeHead,
  endorseCard,
  exportCard,
  lookupFromJson,
  parseIdentity,
  succeedCard,
  verifyConsistency,
  verifyHead,
  verifyLookup,
  type Identity,
  type LogHead,
} from 'twilio-chat-encryption/protocol';
import { describe, expect, inject, test } from 'vitest';
import { ServerError } from '../src/index.ts';
import { DATABASES, open } from './databases.ts';
import {
  createKeeper,
  createSeeds,
  findingsOf,
  lookUp,
  makeDevice,
  sessionOf,
  type Device,
  type Keeper,
} from './keeper.ts';
import { expectKept, startWorker } from './log-workers.ts';

const isLong = inject('longRuns');
const PEOPLE = ['alice', 'bob', 'čeněk'].map((name) => parseIdentity(name));

/** What the rules say of a device that was published. */
interface Published extends Device {
  status: 'live' | 'superseded' | 'revoked';
  logIndex: number;
  /** Who vouches for it, in their order. */
  readonly vouchers: Published[];
}

const operation = fc.record({
  kind: fc.constantFrom('publish', 'succeed', 'endorse', 'endorse later', 'revoke', 'again'),
  person: fc.nat(2),
  /** On which device it is done, and with which. */
  one: fc.nat(),
  other: fc.nat(),
  server: fc.nat(1),
});

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Some people on two servers with one database, and what has to be true of them. */
class World {
  readonly #servers: readonly [Keeper, Keeper];
  readonly #devices = new Map<Identity, Published[]>();
  readonly #heads: LogHead[] = [];

  constructor(servers: readonly [Keeper, Keeper]) {
    this.#servers = servers;
  }

  async run({ kind, person, one, other, server }: Operation): Promise<void> {
    const identity = PEOPLE[person] ?? parseIdentity('alice');
    const own = this.#devices.get(identity) ?? [];
    this.#devices.set(identity, own);
    const keeper = this.#servers[server === 0 ? 0 : 1];
    const [first, second] = [own[one % own.length], own[other % own.length]];
    if (kind === 'publish' || !first || !second) await publish(keeper, own);
    else if (kind === 'succeed') await succeed(keeper, own, first);
    else if (kind === 'endorse') await endorse(keeper, own, first);
    else if (kind === 'endorse later') await endorseLater(keeper, first, second);
    else if (kind === 'revoke') await revoke(keeper, first, second);
    else await again(keeper, first);
    this.#heads.push(await headOf(keeper));

    async function publish(to: Keeper, devices: Published[]): Promise<void> {
      await offer(to, devices, await makeDevice(identity), 'accepted');
    }
  }

  async check(): Promise<void> {
    const [keeper] = this.#servers;
    expect(await findingsOf(keeper)).toEqual([]);
    const head = await headOf(keeper);
    const lookup = lookupFromJson(await lookUp(keeper, PEOPLE));
    if (!lookup) throw new Error('It is no lookup.');
    const { logKey, appKey } = keeper;
    const histories = await verifyLookup(lookup, {
      logKey,
      appKeys: [appKey],
      head,
      identities: PEOPLE,
    });
    for (const [identity, { cards, invalid }] of histories) {
      const expected = this.#devices.get(identity) ?? [];
      expect(invalid).toBe(0);
      expect(cards.map(({ card, status, vouchers }) => [card.id, status, vouchers])).toEqual(
        expected.map(({ card, status, vouchers }) => [
          card.id,
          status,
          vouchers.map((by) => by.card.id),
        ]),
      );
      const acknowledged = expected.map(({ card: { id }, logIndex }) => ({ id, logIndex }));
      await expectKept(keeper, acknowledged);
    }
    await this.#checkHeads(head);
  }

  async #checkHeads(last: LogHead): Promise<void> {
    const [keeper] = this.#servers;
    for (const head of this.#heads) {
      const hashes = await keeper.log.consistency(head.size, last.size);
      const proof = hashes.map((hash) => base64url.decode(hash) ?? new Uint8Array());
      expect(verifyConsistency(head, last, proof)).toBe(true);
      const same = this.#heads.filter(({ size }) => size === head.size);
      expect(new Set(same.map(({ root }) => base64url.encode(root))).size).toBe(1);
    }
  }
}

async function succeed(keeper: Keeper, own: Published[], before: Published): Promise<void> {
  const made = await makeDevice(before.card.identity, before.card);
  const device = { ...made, card: await succeedCard(made.card, before.key) };
  const isLive = before.status === 'live';
  await offer(keeper, own, device, isLive ? 'accepted' : 'LINK_INVALID', before);
  if (isLive) before.status = 'superseded';
}

async function endorse(keeper: Keeper, own: Published[], by: Published): Promise<void> {
  const made = await makeDevice(by.card.identity);
  const endorser = { id: by.card.id, signingKey: by.key };
  const device = { ...made, card: await endorseCard(made.card, endorser) };
  await offer(keeper, own, device, by.status === 'live' ? 'accepted' : 'LINK_INVALID', by);
}

/** Vouches for the card as it was before anybody else did: the server has what they said. */
async function endorseLater(keeper: Keeper, of: Published, by: Published): Promise<void> {
  const { card, status, vouchers } = of;
  const sent = await endorseCard(card, { id: by.card.id, signingKey: by.key });
  const answer = await outcome(keeper.cards.publish(sessionOf(card.identity), exportCard(sent)));
  // A predecessor, which is a voucher too, does not endorse: it is not live any more.
  const isKnown = card.previousCardId !== by.card.id && vouchers.includes(by);
  const isPossible = of !== by && status === 'live' && by.status === 'live' && vouchers.length < 6;
  if (typeof answer === 'string')
    expect([answer, isKnown || isPossible]).toEqual(['LINK_INVALID', false]);
  else if (isKnown) expect(answer.logIndex).toBe(of.logIndex);
  else {
    expect([answer.logIndex > of.logIndex, isPossible]).toEqual([true, true]);
    of.logIndex = answer.logIndex;
    vouchers.push(by);
  }
}

async function offer(
  keeper: Keeper,
  own: Published[],
  device: Device,
  expected: string,
  ...vouchers: Published[]
): Promise<void> {
  const { card } = device;
  const answer = await outcome(keeper.cards.publish(sessionOf(card.identity), exportCard(card)));
  if (typeof answer === 'string') expect(answer).toBe(expected);
  else own.push({ ...device, status: 'live', logIndex: answer.logIndex, vouchers });
  expect(typeof answer === 'string' ? answer : 'accepted').toBe(expected);
}

async function revoke(keeper: Keeper, of: Published, by: Published): Promise<void> {
  const revokedAt = randomInt(2 ** 40);
  const content = { cardId: of.card.id, reason: 'retired', revokedAt, signer: by.card.id } as const;
  const revocation = await createRevocation(content, by.key);
  const answer = await outcome(
    keeper.cards.revoke(sessionOf(of.card.identity), of.card.id, revocation),
  );
  const mayRevoke = of === by || by.status === 'live';
  if (of.status === 'revoked') expect(answer).toBe('CARD_REVOKED');
  else expect(answer).toBe(mayRevoke ? undefined : 'REVOCATION_INVALID');
  if (answer === undefined) of.status = 'revoked';
}

async function again(keeper: Keeper, { card, logIndex }: Published): Promise<void> {
  const answer = await keeper.cards.publish(sessionOf(card.identity), exportCard(card));
  expect(answer.logIndex).toBe(logIndex);
}

async function outcome<T>(promise: Promise<T>): Promise<T | string> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof ServerError) return error.code;
    throw error;
  }
}

async function headOf({ log, logKey }: Keeper): Promise<LogHead> {
  const head = decodeHead(base64url.decode(await log.head()) ?? new Uint8Array());
  if (!head || !(await verifyHead(logKey, head))) throw new Error('It is no head.');
  return head;
}

describe.each(DATABASES)('$name', ({ create }) => {
  test(
    'whatever people do on two servers, the log is what the rules say',
    { timeout: isLong ? 3_600_000 : 60_000 },
    async () => {
      const operations = fc.array(operation, { minLength: 5, maxLength: 25 });
      await fc.assert(
        fc.asyncProperty(operations, async (all) => {
          const url = await create();
          const seeds = createSeeds();
          const world = new World([
            await createKeeper(await open(url), seeds),
            await createKeeper(await open(url), seeds),
          ]);
          for (const one of all) await world.run(one);
          await world.check();
        }),
        { numRuns: isLong ? 500 : 4 },
      );
    },
  );

  test('servers that publish at once make one log', { timeout: 60_000 }, async () => {
    const url = await create();
    const seeds = createSeeds();
    const keeper = await createKeeper(await open(url), seeds);
    const workers = ['a', 'b', 'c'].map((prefix) => startWorker(url, seeds, prefix, 8));
    expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual([0, 0, 0]);
    expect(await findingsOf(keeper)).toEqual([]);
    const acknowledged = workers.flatMap((worker) => worker.acknowledged);
    expect(acknowledged).toHaveLength(3 * 8 * 2);
    await expectKept(keeper, acknowledged);
    expect(await keeper.store.log.size()).toBe(3 * 8 * 3);
  });

  test('cards from before the log are logged once, in the order they were approved', async () => {
    const url = await create();
    const seeds = createSeeds();
    const store = await open(url);
    const appKey = await (await curves()).importSigningKey(seeds.app);
    const ids: string[] = [];
    for (const approvedAt of [1, 2, 3, 4, 5]) {
      const { card } = await makeDevice(PEOPLE[approvedAt % 2] ?? parseIdentity('alice'));
      const exported = exportCard(await approveCard(card, appKey, approvedAt));
      const keys = [card.signingKey.publicKey, card.encryptionKey].map(base64url.encode);
      const { id, identity } = card;
      await store.transaction((transaction) =>
        transaction.addCard({ id, identity, exported, approvedAt, keys }),
      );
      ids.push(id);
    }
    const workers = ['a', 'b'].map((prefix) => startWorker(url, seeds, prefix, 1));
    expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual([0, 0]);
    const keeper = await createKeeper(store, seeds);
    expect(await findingsOf(keeper)).toEqual([]);
    await expectKept(
      keeper,
      ids.map((id, logIndex) => ({ id, logIndex })),
    );
    expect(await store.log.size()).toBe(5 + 2 * 3);
  });
});

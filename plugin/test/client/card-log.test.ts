/** A log as one device sees it: what a server that lies can make of it. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  approveCard,
  base64url,
  createCard,
  curves,
  decodeHead,
  encodeHead,
  EncryptionError,
  exportCard,
  lookupToJson,
  parseIdentity,
  signHead,
  type CardId,
  type Identity,
  type IdentityHistory,
  type LogHead,
} from 'twilio-chat-encryption/protocol';
import { cardLog, type CardLog, type SplitView } from '../../src/client/card-log.ts';
import type { LogAnswer, LogSource } from '../../src/client/log-source.ts';
import { MemoryKeyStore } from '../../src/client/key-store.ts';
import type { FailedAudit } from '../../src/client/witness.ts';
import { utf8Text } from '../../src/protocol/primitives.ts';
import { KeptLog } from '../protocol/log/kept-log.ts';
import { APP_KEY, random } from '../protocol/people.ts';

const backEnd = await curves();
const appKey = await backEnd.importVerifyingKey(APP_KEY.publicKey);
const ALICE = parseIdentity('alice');
const BOB = parseIdentity('bob');
const DAY = 24 * 3_600_000;
const ENDED_LOG = await backEnd.importSigningKey(random(32));
const CARD = '0'.repeat(64) as CardId;

async function addCard(log: KeptLog, identity: Identity): Promise<void> {
  const signingKey = await backEnd.importSigningKey(random(32));
  const encryptionKey = await backEnd.importAgreementKey(random(32));
  const card = await createCard({ identity, createdAt: 1 }, signingKey, encryptionKey);
  const content = exportCard(await approveCard(card, APP_KEY, 2));
  await log.append({ operation: 'approve', time: 3, identity, cardId: card.id, content });
}

/** The same entries from there on, and others afterwards. */
async function forkOf(log: KeptLog): Promise<KeptLog> {
  const fork = new KeptLog(log.key);
  for (const [index, { identity, entry, content }] of log.entries.entries()) {
    const cardId = cardIdAt(log, index);
    await fork.append({ operation: 'approve', time: 3, identity, cardId, content });
    expect(fork.entries[index]?.entry).toEqual(entry);
  }
  return fork;
}

function cardIdAt(log: KeptLog, index: number): CardId {
  const bytes = log.entries[index]?.entry.slice(41, 73) ?? random(0);
  return Buffer.from(bytes).toString('hex') as CardId;
}

const text = (head: LogHead): string => base64url.encode(encodeHead(head));

/** A server, whose log can be exchanged, and a device that asks it. */
class World implements LogSource {
  now = 10 * DAY;
  log: KeptLog;
  /** What the server does to an answer. */
  attack: (answer: LogAnswer) => LogAnswer | Promise<LogAnswer> = (answer) => answer;
  readonly asked: string[] = [];
  readonly splits: SplitView[] = [];
  readonly failed: FailedAudit[] = [];
  readonly own: IdentityHistory[] = [];
  readonly keyStore = new MemoryKeyStore();
  readonly closing = new AbortController();
  failure: Error | null = null;
  /** What fails; everything by default. */
  fails: string | null = null;

  constructor(log: KeptLog) {
    this.log = log;
  }

  static async start(): Promise<World> {
    const log = new KeptLog(await backEnd.importSigningKey(random(32)));
    for (const identity of [ALICE, BOB]) await addCard(log, identity);
    return new World(log);
  }

  async lookup(identities: readonly Identity[], from: number): Promise<LogAnswer> {
    this.#ask('lookup');
    const { size } = this.log;
    const consistency = from < size ? await this.log.consistency(from, size) : [];
    return this.attack({
      head: text(await this.log.head(this.now, size)),
      lookup: lookupToJson(await this.log.lookup(identities, size)),
      consistency: consistency.map(base64url.encode),
    });
  }

  async lookupAt(identity: Identity, size: number): Promise<LogAnswer['lookup']> {
    this.#ask('lookupAt');
    return lookupToJson(await this.log.lookup([identity], size));
  }

  async consistency(from: number, to: number): Promise<readonly string[]> {
    this.#ask('consistency');
    return (await this.log.consistency(from, to)).map(base64url.encode);
  }

  #ask(what: string): void {
    this.asked.push(what);
    if (this.failure && (this.fails ?? what) === what) throw this.failure;
  }

  /** The newest head that this device checked. */
  async kept(): Promise<LogHead> {
    const record = await this.keyStore.get(`log/${base64url.encode(this.log.key.publicKey)}`);
    const [, head = ''] = /"head":"([^"]*)"/.exec(utf8Text(record ?? random(0)) ?? '') ?? [];
    const kept = decodeHead(base64url.decode(head) ?? random(0));
    return kept ?? Promise.reject(new Error('Nothing is kept.'));
  }

  /** This device, as each run of the application opens it. */
  async device(): Promise<CardLog> {
    return cardLog({
      directory: this,
      records: this.keyStore,
      logKey: await backEnd.importVerifyingKey(this.log.key.publicKey),
      earlierLogKeys: [await backEnd.importVerifyingKey(ENDED_LOG.publicKey)],
      appKeys: [appKey],
      identity: ALICE,
      now: () => this.now,
      closed: this.closing.signal,
      onSplitView: (evidence) => this.splits.push(evidence),
      onAuditFailed: (failure) => this.failed.push(failure),
      onOwnHistory: (history) => {
        this.own.push(history);
        return Promise.resolve();
      },
    });
  }
}

let world: World;
let device: CardLog;

beforeEach(async () => {
  world = await World.start();
  device = await world.device();
});

afterEach(() => {
  vi.useRealTimers();
});

const lookUp = async (identity = BOB): Promise<number | undefined> =>
  (await device.lookUp([identity])).histories.get(identity)?.cards.length;

describe('a log that grows', () => {
  test('is followed from head to head, also after a restart', async () => {
    await expect(world.kept()).rejects.toThrow('Nothing is kept.');
    expect(await lookUp()).toBe(1);
    expect((await world.kept()).size).toBe(2);
    await addCard(world.log, BOB);
    device = await world.device();
    expect((await world.kept()).size).toBe(2);
    expect(await lookUp()).toBe(2);
    expect((await world.kept()).size).toBe(3);
    expect(world.splits).toEqual([]);
  });

  test('may be asked by many at once', async () => {
    const lookups = Array.from({ length: 5 }, async () => {
      await addCard(world.log, ALICE);
      return lookUp();
    });
    expect(await Promise.all(lookups)).toEqual([1, 1, 1, 1, 1]);
    expect(world.splits).toEqual([]);
  });
});

describe('a server', () => {
  test('with another log key than the pinned one proves nothing', async () => {
    const other = await backEnd.importSigningKey(random(32));
    world.attack = async (answer) => {
      const { size, root, signedAt } = await world.log.head(world.now);
      return { ...answer, head: text(await signHead(other, { size, root, signedAt })) };
    };
    await expect(lookUp()).rejects.toMatchObject({ code: 'LOG_KEY_UNKNOWN' });
    await expect(world.kept()).rejects.toThrow('Nothing is kept.');
  });

  test.each<[string, Partial<Record<keyof LogAnswer, unknown>>]>([
    ['no head', { head: '' }],
    ['a head that is no text', { head: 1 }],
    ['no lookup', { lookup: null }],
    ['a proof that is no list', { consistency: 'x' }],
    ['a proof that is no bytes', { consistency: ['?'] }],
  ])('that gives %s proves nothing', async (_, parts) => {
    await lookUp();
    await addCard(world.log, BOB);
    world.attack = (answer) => Object.assign({}, answer, parts);
    await expect(lookUp()).rejects.toMatchObject({ code: 'LOG_INVALID' });
    expect(world.splits).toEqual([]);
  });

  test('that answers with an older head of its own is not believed', async () => {
    await addCard(world.log, BOB);
    expect(await lookUp()).toBe(2);
    world.attack = async () => ({
      head: text(await world.log.head(world.now, 2)),
      lookup: lookupToJson(await world.log.lookup([BOB], 2)),
      consistency: [],
    });
    await expect(lookUp()).rejects.toMatchObject({ code: 'LOG_STALE' });
    expect(world.splits).toEqual([]);
  });

  test('that continues another log is found out, and the evidence is kept', async () => {
    const fork = await forkOf(world.log);
    await addCard(world.log, BOB);
    await lookUp();
    const known = await world.kept();
    world.log = fork;
    for (let count = 0; count < 3; count += 1) await addCard(fork, BOB);
    await expect(lookUp()).rejects.toMatchObject({ code: 'SPLIT_VIEW' });
    expect(await world.kept()).toEqual(known);
    const [evidence] = world.splits;
    expect(evidence).toEqual({
      known: text(known),
      other: text(await fork.head(world.now)),
      foundAt: world.now,
    });
    device = await world.device();
    expect(await device.splitView()).toEqual(evidence);
    await expect(device.checkFirstSight()).rejects.toMatchObject({ code: 'SPLIT_VIEW' });
    await expect(lookUp()).rejects.toMatchObject({ code: 'SPLIT_VIEW' });
    expect(world.splits).toHaveLength(1);
  });

  test('is one log after all, once the server proves that it is', async () => {
    await lookUp();
    const known = await world.kept();
    await addCard(world.log, BOB);
    world.attack = (answer) => ({ ...answer, consistency: [base64url.encode(random(32))] });
    await expect(lookUp()).rejects.toMatchObject({ code: 'SPLIT_VIEW' });
    await expect(device.splitView()).resolves.toMatchObject({ known: text(known) });
    world.attack = (answer) => answer;
    await lookUp();
    await device.checkFirstSight();
    expect(await device.splitView()).toBeNull();
  });

  test('is not one log because one of two proofs came late: the other evidence stays', async () => {
    const fork = await forkOf(world.log);
    await lookUp();
    for (const log of [world.log, fork]) await addCard(log, BOB);
    world.attack = (answer) => ({ ...answer, consistency: [base64url.encode(random(32))] });
    await expect(lookUp()).rejects.toMatchObject({ code: 'SPLIT_VIEW' });
    world.attack = (answer) => answer;
    await lookUp();
    const known = await world.kept();
    await device.witness(await fork.head(world.now), CARD);
    await expect(device.checkFirstSight()).rejects.toMatchObject({ code: 'SPLIT_VIEW' });
    device = await world.device();
    await expect(device.checkFirstSight()).rejects.toMatchObject({ code: 'SPLIT_VIEW' });
    const other = text(await fork.head(world.now));
    expect(await device.splitView()).toMatchObject({ known: text(known), other });
  });

  test('cannot fill the evidence up with what it proves later', async () => {
    const fork = await forkOf(world.log);
    await addCard(fork, BOB);
    await lookUp();
    const answer = world.attack;
    world.attack = (given) => ({ ...given, consistency: [base64url.encode(random(32))] });
    for (let count = 0; count < 70; count += 1) {
      await addCard(world.log, BOB);
      await expect(lookUp()).rejects.toMatchObject({ code: 'SPLIT_VIEW' });
    }
    world.attack = answer;
    await lookUp();
    await device.witness(await fork.head(world.now), CARD);
    await expect(device.checkFirstSight()).rejects.toMatchObject({ code: 'SPLIT_VIEW' });
  });

  test('that has another root at one size is found out', async () => {
    const fork = await forkOf(world.log);
    await addCard(world.log, BOB);
    await addCard(fork, BOB);
    await lookUp();
    world.log = fork;
    await expect(lookUp()).rejects.toMatchObject({ code: 'SPLIT_VIEW' });
    await expect(device.checkFirstSight()).rejects.toMatchObject({ code: 'SPLIT_VIEW' });
  });

  test('that lost entries and goes on otherwise is found out', async () => {
    const fork = await forkOf(world.log);
    for (let count = 0; count < 4; count += 1) await addCard(world.log, BOB);
    await lookUp();
    await addCard(fork, BOB);
    world.log = fork;
    // It has no proof from six entries to three, nor the other way round.
    await expect(lookUp()).rejects.toThrow();
    expect((await world.kept()).size).toBe(6);
    for (let count = 0; count < 4; count += 1) await addCard(fork, BOB);
    await expect(lookUp()).rejects.toMatchObject({ code: 'SPLIT_VIEW' });
  });
});

describe('who is trusted at first sight', () => {
  test('is nobody before the log was seen, or when that is a day ago', async () => {
    await expect(device.checkFirstSight()).rejects.toMatchObject({ code: 'LOG_STALE' });
    await lookUp();
    await device.checkFirstSight();
    world.now += DAY;
    await expect(device.checkFirstSight()).rejects.toMatchObject({ code: 'LOG_STALE' });
    await lookUp();
    await device.checkFirstSight();
  });

  test('is nobody while the log is of the future', async () => {
    await lookUp();
    world.now -= 10 * 60_000;
    await expect(device.checkFirstSight()).rejects.toMatchObject({ code: 'LOG_STALE' });
  });

  test('is everybody again when the log’s clock is set right, though nothing was added', async () => {
    world.attack = async (answer) => ({
      ...answer,
      head: text(await world.log.head(world.now + DAY)),
    });
    await lookUp();
    await expect(device.checkFirstSight()).rejects.toMatchObject({ code: 'LOG_STALE' });
    world.attack = (answer) => answer;
    await lookUp();
    await device.checkFirstSight();
  });
});

describe('the head of somebody’s message', () => {
  test('that is older or newer is compared, and this person looks for what they do not know', async () => {
    const first = await world.log.head(world.now);
    await addCard(world.log, BOB);
    await lookUp();
    await device.witness(first, CARD);
    expect(world.asked).toEqual(['lookup', 'consistency', 'lookupAt']);
    expect(world.own.map(({ count }) => count)).toEqual([1]);
    await addCard(world.log, ALICE);
    world.now += 60_000;
    await device.witness(await world.log.head(world.now), CARD);
    expect(world.own.map(({ count }) => count)).toEqual([1, 2]);
    expect((await world.kept()).size).toBe(4);
  });

  test('of another log is found out, at the first message', async () => {
    const fork = await forkOf(world.log);
    await addCard(fork, ALICE);
    await addCard(world.log, BOB);
    await lookUp();
    await device.witness(await fork.head(world.now), CARD);
    expect(world.splits).toHaveLength(1);
    await expect(device.checkFirstSight()).rejects.toMatchObject({ code: 'SPLIT_VIEW' });
  });

  test('of a log that is larger than the one shown here is found out, also when proofs are refused', async () => {
    const fork = await forkOf(world.log);
    for (let count = 0; count < 3; count += 1) await addCard(fork, ALICE);
    await lookUp();
    world.failure = new EncryptionError('DIRECTORY_REFUSED', 'The log is not that large.');
    world.fails = 'consistency';
    await device.witness(await fork.head(world.now), CARD);
    expect(world.splits).toEqual([
      {
        known: text(await world.log.head(world.now)),
        other: text(await fork.head(world.now)),
        foundAt: world.now,
      },
    ]);
  });

  test('that a log refuses to prove without being smaller is no evidence', async () => {
    await lookUp();
    for (let count = 0; count < 3; count += 1) await addCard(world.log, BOB);
    world.failure = new EncryptionError('DIRECTORY_REFUSED', 'No.');
    world.fails = 'consistency';
    await device.witness(await world.log.head(world.now), CARD);
    expect(world.splits).toEqual([]);
  });

  test('is asked under once, also when it is known already: for others, perhaps', async () => {
    await lookUp();
    const head = await world.kept();
    await device.witness(head, CARD);
    expect(world.asked).toEqual(['lookup', 'lookupAt']);
    expect(world.own.map(({ count }) => count)).toEqual([1]);
    // Another signature under the same log says nothing new.
    world.now += 60_000;
    await device.witness(await world.log.head(world.now), CARD);
    expect(world.asked).toEqual(['lookup', 'lookupAt']);
  });

  test('of a sender who has a new one with each message is compared now and then', async () => {
    await lookUp();
    for (let count = 0; count < 20; count += 1) {
      await addCard(world.log, BOB);
      await device.witness(await world.log.head(world.now), CARD);
    }
    expect(world.asked.filter((what) => what === 'consistency')).toHaveLength(1);
  });

  test('that came too soon is compared when the minute is over, also if no other message comes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await lookUp();
    await device.witness(await world.log.head(world.now), CARD);
    const fork = await forkOf(world.log);
    await addCard(fork, BOB);
    await addCard(world.log, BOB);
    await lookUp();
    await device.witness(await fork.head(world.now), CARD);
    expect(world.splits).toEqual([]);
    world.now += 60_000;
    vi.advanceTimersByTime(60_000);
    await expect.poll(() => world.splits).toHaveLength(1);
  });

  test('that came too soon is not compared any more when the device is closed', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await lookUp();
    await device.witness(await world.log.head(world.now), CARD);
    await addCard(world.log, BOB);
    await device.witness(await world.log.head(world.now), CARD);
    expect(vi.getTimerCount()).toBe(1);
    world.closing.abort();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that could not be compared is compared a minute later, and nobody is told of an outage', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await lookUp();
    await addCard(world.log, BOB);
    const head = await world.log.head(world.now);
    world.failure = new EncryptionError('DIRECTORY_UNREACHABLE', 'offline');
    await device.witness(head, CARD);
    await device.witness(head, CARD);
    expect((await world.kept()).size).toBe(2);
    world.failure = null;
    vi.advanceTimersByTime(60_000);
    await expect.poll(async () => (await world.kept()).size).toBe(3);
    expect(world.splits).toEqual([]);
    expect(world.failed).toEqual([]);
  });

  test('under which the server does not show one’s own cards is told of, once', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await lookUp();
    world.failure = new EncryptionError('DIRECTORY_REFUSED', 'No.');
    world.fails = 'lookupAt';
    const head = await world.log.head(world.now);
    const other = '1'.repeat(64) as CardId;
    await Promise.all([device.witness(head, CARD), device.witness(head, other)]);
    expect(world.failed).toEqual([{ size: 2, code: 'DIRECTORY_REFUSED' }]);
    vi.advanceTimersByTime(60_000);
    await expect.poll(() => world.asked.filter((what) => what === 'lookupAt')).toHaveLength(3);
    expect(world.failed).toHaveLength(1);
    world.failure = null;
    vi.advanceTimersByTime(60_000);
    await expect.poll(() => world.own).toHaveLength(1);
    await expect.poll(() => vi.getTimerCount()).toBe(0);
  });

  test('that is not answered for ten minutes, while everything else is, is told of', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await lookUp();
    world.failure = new EncryptionError('DIRECTORY_UNREACHABLE', 'Later.');
    world.fails = 'lookupAt';
    await device.witness(await world.log.head(world.now), CARD);
    for (let minute = 1; minute <= 10; minute += 1) {
      expect(world.failed).toEqual([]);
      world.now += 60_000;
      await expect.poll(() => vi.getTimerCount()).toBe(1);
      vi.advanceTimersByTime(60_000);
      await expect
        .poll(() => world.asked.filter((what) => what === 'lookupAt'))
        .toHaveLength(minute + 1);
    }
    await expect.poll(() => world.failed).toEqual([{ size: 2, code: 'DIRECTORY_UNREACHABLE' }]);
  });

  test('that is not answered by a server that answers nothing is not told of', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await lookUp();
    world.failure = new EncryptionError('DIRECTORY_UNREACHABLE', 'offline');
    await device.witness(await world.log.head(world.now), CARD);
    world.now += 20 * 60_000;
    vi.advanceTimersByTime(60_000);
    await expect.poll(() => vi.getTimerCount()).toBe(1);
    expect(world.failed).toEqual([]);
  });

  test('that another pinned log signed takes the place of none of this one', async () => {
    await lookUp();
    await addCard(world.log, BOB);
    const head = await world.log.head(world.now);
    const forged = await signHead(ENDED_LOG, head);
    expect(await device.isSigned(forged)).toBe(true);
    await device.witness(forged, CARD);
    expect(world.own).toEqual([]);
    await device.witness(head, CARD);
    expect(world.own).toHaveLength(1);
  });

  test('of one sender is compared, although another one who floods brought it first', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await lookUp();
    const [flooding, honest] = [CARD, '1'.repeat(64) as CardId];
    const fork = await forkOf(world.log);
    await addCard(fork, ALICE);
    for (const sender of [flooding, honest]) {
      await addCard(world.log, BOB);
      await device.witness(await world.log.head(world.now), sender);
    }
    // What the server showed once, it has its own member carry before it is carried by who saw it.
    const planted = await fork.head(world.now);
    for (const sender of [flooding, honest]) await device.witness(planted, sender);
    for (let count = 0; count < 20; count += 1) {
      await addCard(world.log, BOB);
      await device.witness(await world.log.head(world.now), flooding);
    }
    expect(world.splits).toEqual([]);
    vi.advanceTimersByTime(60_000);
    await expect.poll(() => world.splits).toHaveLength(1);
  });

  test('of a sender who floods makes no more work than it may, and keeps out no other', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await lookUp();
    const other = '1'.repeat(64) as CardId;
    for (let count = 0; count < 40; count += 1) {
      await addCard(world.log, BOB);
      await device.witness(await world.log.head(world.now), CARD);
    }
    await addCard(world.log, BOB);
    const { size } = world.log;
    await device.witness(await world.log.head(world.now), other);
    expect((await world.kept()).size).toBe(size);
    vi.advanceTimersByTime(60_000);
    // The first of each, and the last sixteen of the one.
    await expect.poll(() => world.asked.filter((what) => what === 'lookupAt')).toHaveLength(18);
    expect(world.splits).toEqual([]);
  });
});

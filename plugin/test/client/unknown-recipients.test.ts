import { describe, expect, test } from 'vitest';
import {
  curves,
  parseEnvelope,
  parseIdentity,
  type Identity,
} from 'twilio-chat-encryption/protocol';
import type { ProvenLookup } from '../../src/client/card-log.ts';
import { cardBook, type CardBook, type CardSource } from '../../src/client/card-book.ts';
import type { DeliveredMessage } from '../../src/client/delivered.ts';
import { unknownRecipients, type CountUnknown } from '../../src/client/unknown-recipients.ts';
import type { Slots } from '../../src/protocol/header.ts';
import { APP_KEY, CHANNEL, person, seal, type Person } from '../protocol/people.ts';
import { historiesOf } from './histories.ts';
import { ownKeys } from './own-keys.ts';

const appKey = await (await curves()).importVerifyingKey(APP_KEY.publicKey);
const [alice, bob, stranger] = await Promise.all(
  ['alice', 'bob', 'stranger'].map((one) => person(one)),
);
const [phone, laptop] = [await person('carol'), await person('carol')];
const SECONDS = 1000;
const MINUTES = 60 * SECONDS;

/** What bob's device knows, over a directory that counts what it is asked for. */
class World implements CardSource {
  now = 0;
  failure: Error | undefined;
  readonly asked: (readonly Identity[])[] = [];
  readonly cards: Person[] = [alice, bob].filter((one) => one !== undefined);
  readonly book: CardBook = cardBook(this, [appKey], () => this.now);
  readonly count: CountUnknown = unknownRecipients(ownKeys(known(bob)), this.book, () => this.now);

  async lookUp(identities: readonly Identity[]): Promise<ProvenLookup> {
    this.asked.push(identities);
    await Promise.resolve();
    if (this.failure) throw this.failure;
    return historiesOf(
      identities,
      this.cards.map(({ card }) => card),
    );
  }

  get(): Promise<string | null> {
    return Promise.reject(new Error('not asked for'));
  }

  /** What is said of a message of alice to these, live in a channel of these members. */
  async strangersIn(
    to: readonly (Person | undefined)[],
    members: readonly Identity[],
  ): Promise<number> {
    return this.count(delivered(members), await slotsFor(to), known(alice).card);
  }
}

function known(one: Person | undefined): Person {
  if (!one) throw new Error('There is nobody.');
  return one;
}

async function slotsFor(to: readonly (Person | undefined)[]): Promise<Slots> {
  const envelope = parseEnvelope(await seal(known(alice), to.map(known), 'x'));
  if (envelope.type === 'follower') throw new Error('A follower has no slots.');
  return envelope.slots;
}

function delivered(members: readonly Identity[]): DeliveredMessage {
  return {
    channelSid: CHANNEL,
    messageSid: 'IM1',
    index: 0,
    author: 'alice',
    body: '',
    file: null,
    fileSizes: [],
    createdAt: new Date(0),
    updatedAt: new Date(0),
    isLive: true,
    attempts: 0,
    joinedAt: () => Promise.resolve(null),
    members: () => Promise.resolve(members),
    watchJoins: () => () => undefined,
    around: () => Promise.reject(new Error('not asked for')),
  };
}

const identities = (...names: readonly string[]): Identity[] => names.map(parseIdentity);
/** The most members that Twilio allows; most of them without cards, which costs the directory the same. */
const crowd = (name: string): Identity[] =>
  Array.from({ length: 998 }, (_, index) => parseIdentity(`${name} ${index}`));
const THOUSAND = [...identities('alice', 'bob'), ...crowd('member')];
const SMALL = identities('alice', 'bob', 'carol');

describe('slots for nobody who is here', () => {
  test('are counted, once everybody here was asked for', async () => {
    const world = new World();
    expect(await world.strangersIn([alice, bob, stranger], SMALL)).toBe(1);
    expect(world.asked.flat().sort()).toEqual([...SMALL].sort());
  });

  test('are nobody’s who just joined, and only they are asked for', async () => {
    const world = new World();
    await world.book.find(identities('alice', 'bob'));
    world.cards.push(phone);
    world.asked.length = 0;
    expect(await world.strangersIn([alice, bob, phone], SMALL)).toBe(0);
    expect(world.asked).toEqual([identities('carol')]);
  });

  test('are nobody’s who has a new device', async () => {
    const world = new World();
    world.cards.push(phone);
    await world.book.find(SMALL);
    world.cards.push(laptop);
    world.now += MINUTES;
    expect(await world.strangersIn([alice, bob, phone, laptop], SMALL)).toBe(0);
  });

  test('leave the cards that are sent to as fresh as they were', async () => {
    const world = new World();
    await world.book.find(THOUSAND);
    world.now += MINUTES;
    world.failure = new Error('overloaded');
    await world.strangersIn([alice, bob, stranger], THOUSAND);
    expect((await world.book.find(THOUSAND)).size).toBe(1000);
  });
});

describe('the directory', () => {
  test('is not stormed by a sender of strange slots, who is told of all the same', async () => {
    const world = new World();
    const slots = await slotsFor([alice, bob, stranger]);
    const counts = new Set<number>();
    const sender = known(alice).card;
    for (; world.now < 20 * MINUTES; world.now += 10 * SECONDS) {
      counts.add(await world.count(delivered(THOUSAND), slots, sender));
      // 34 requests ask for everybody once, and this is once in five minutes.
      const minutes = world.now / MINUTES;
      expect(world.asked.length).toBeLessThanOrEqual(40 * (1 + Math.floor(minutes / 5)));
    }
    expect([...counts]).toEqual([1]);
  });

  test('is asked within one budget for all channels, and where it does not reach nothing is claimed', async () => {
    const world = new World();
    expect(await world.strangersIn([alice, bob, stranger], THOUSAND)).toBe(1);
    const other = [...identities('alice', 'bob'), ...crowd('other')];
    expect(await world.strangersIn([alice, bob, stranger], other)).toBe(0);
    expect(world.asked).toHaveLength(40);
    world.now += 5 * MINUTES;
    expect(await world.strangersIn([alice, bob, stranger], other)).toBe(1);
    expect(world.asked.length).toBeLessThanOrEqual(80);
  });

  test('is asked once for messages that arrive together', async () => {
    const world = new World();
    const all = Array.from({ length: 10 }, () =>
      world.strangersIn([alice, bob, stranger], THOUSAND),
    );
    expect(new Set(await Promise.all(all))).toEqual(new Set([1]));
    expect(world.asked).toHaveLength(34);
  });

  test('is left alone for a while when it fails, and nothing is claimed', async () => {
    const world = new World();
    world.failure = new Error('overloaded');
    for (let count = 0; count < 5; count += 1) {
      expect(await world.strangersIn([alice, bob, stranger], THOUSAND)).toBe(0);
    }
    expect(world.asked).toHaveLength(1);
    world.failure = undefined;
    world.now += 30 * SECONDS;
    expect(await world.strangersIn([alice, bob, stranger], THOUSAND)).toBe(1);
  });
});

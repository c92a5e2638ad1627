import { describe, expect, test } from 'vitest';
import { EncryptionError, MemoryKeyStore } from 'twilio-chat-encryption';
import type { Card } from 'twilio-chat-encryption/protocol';
import type { CardBook } from '../../src/client/card-book.ts';
import { pins } from '../../src/client/pins.ts';
import { chooseRecipients } from '../../src/client/recipients.ts';
import { failureOf } from '../outcomes.ts';
import { person, pqPerson } from '../protocol/people.ts';
import { foundOf, pinsContext } from './histories.ts';

const alice = await pqPerson('alice');
const [bob, bobsTablet] = await Promise.all([pqPerson('bob'), person('bob')]);
const [carol, dave] = await Promise.all([person('carol'), person('dave')]);

/** Chooses as alice, who saw `before` and is told of `now`, of which some ended; and who was asked for again. */
async function choose(
  now: readonly Card[],
  before: readonly Card[],
  suite: 1 | 2,
  checkFirstSight: () => Promise<void> = () => Promise.resolve(),
  ended: readonly Card[] = [],
) {
  const refreshed: string[] = [];
  let check = (): Promise<void> => Promise.resolve();
  const trust = pins(pinsContext(new MemoryKeyStore(), { checkFirstSight: () => check() }));
  for (const card of before) await trust.check(card.identity, [card]);
  check = checkFirstSight;
  const cards: CardBook = {
    get: () => Promise.reject(new Error('not asked for')),
    find: (identities) =>
      Promise.resolve(
        new Map(
          identities.map((one) => {
            const found = foundOf(now.filter(({ identity }) => identity === one));
            return [one, { ...found, cards: found.cards.filter((card) => !ended.includes(card)) }];
          }),
        ),
      ),
    known: () => [],
    stateOf: () => null,
    historyOf: () => null,
    foundAt: () => -Infinity,
    ask: () => Promise.reject(new Error('not asked for')),
    refresh: (identity) => refreshed.push(identity),
  };
  const members = [...new Set(now.map(({ identity }) => identity))];
  return {
    refreshed,
    keys: (await chooseRecipients(members, alice.card, suite, { cards, pins: trust }, () => true))
      .keys,
  };
}

const keysOf = (...cards: readonly Card[]) =>
  [...cards]
    .sort((one, other) => (one.id < other.id ? -1 : 1))
    .map(({ pqEncryptionKey }) => pqEncryptionKey);

describe('recipients of suite 2', () => {
  test('are the cards that have its key', async () => {
    const { keys } = await choose([alice.card, bob.card, bobsTablet.card], [], 2);
    expect(keys).toEqual(keysOf(alice.card, bob.card));
  });

  test('include everybody, or nothing is sent: who lacks the key is named', async () => {
    const everybody = [alice.card, bob.card, carol.card, dave.card];
    const failure = await failureOf(choose(everybody, [], 2));
    expect(failure.code).toBe('MEMBER_WITHOUT_POST_QUANTUM_KEY');
    expect(failure.identities).toEqual(['carol', 'dave']);
    expect(failure.message).toContain('carol, dave');
    expect(failure.message).toContain('postQuantum');
    expect((await choose(everybody, [], 1)).keys).toHaveLength(4);
  });

  test('include nobody whose key of it is new, also when an older card is trusted', async () => {
    const bobs = [alice.card, bob.card, bobsTablet.card];
    const failure = await failureOf(choose(bobs, [bobsTablet.card], 2));
    expect(failure.code).toBe('KEY_CHANGED');
    // Where the ids are that have to be acknowledged.
    expect(failure.message).toContain('keyChanged');
    expect(failure.identities).toEqual(['bob']);
  });

  test('do not include own cards without it, which stop nothing', async () => {
    const older = await person('alice');
    const { keys } = await choose([alice.card, older.card, bob.card], [], 2);
    expect(keys).toEqual(keysOf(alice.card, bob.card));
  });
});

describe('what the log says', () => {
  const split = () => Promise.reject(new EncryptionError('SPLIT_VIEW', 'Two logs.'));

  test('of this device: when its card ended it sends nothing', async () => {
    const ended = choose([alice.card, bob.card], [], 1, undefined, [alice.card]);
    expect((await failureOf(ended)).code).toBe('DEVICE_REVOKED');
  });

  test('not of this device, although its card was approved: it sends nothing, and blames the log', async () => {
    const failure = await failureOf(choose([bob.card], [], 1));
    expect(failure.code).toBe('LOG_INVALID');
    expect(failure.message).toContain("approved this device's card");
  });

  test('of different things to different people: only who is pinned gets anything', async () => {
    const all = [alice.card, bob.card];
    const { keys } = await choose(all, all, 2, split);
    expect(keys).toEqual(keysOf(...all));
    expect((await failureOf(choose([...all, dave.card], all, 1, split))).code).toBe('SPLIT_VIEW');
  });
});

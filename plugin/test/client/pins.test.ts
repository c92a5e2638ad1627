import { describe, expect, test } from 'vitest';
import { MemoryKeyStore } from '../../src/client/key-store.ts';
import {
  parseIdentity,
  type CardId,
  type Identity,
  type LoggedCard,
} from 'twilio-chat-encryption/protocol';
import type { ProvenHistory } from '../../src/client/card-log.ts';
import { pins, type Pins } from '../../src/client/pins.ts';
import { utf8 } from '../../src/protocol/primitives.ts';
import { EncryptionError } from '../../src/errors.ts';
import { codeOf } from '../outcomes.ts';
import { person, type Person } from '../protocol/people.ts';
import { historyOf, pinsContext } from './histories.ts';

const [phone, laptop, planted] = [await person('bob'), await person('bob'), await person('bob')];
const [bob, carol] = [parseIdentity('bob'), parseIdentity('carol')];
const ids = { phone: phone.card.id, laptop: laptop.card.id, planted: planted.card.id };

type Report = readonly [Identity, readonly CardId[]];

interface Run {
  readonly pinned: Pins;
  readonly reports: Report[];
  /** Who was told of as unconnected at first sight. */
  readonly unconnected: Report[];
  readonly store: MemoryKeyStore;
  /** What the log says of bob. */
  history: ProvenHistory | null;
  /** The cards that this device sends or sent under. */
  own: readonly CardId[];
  checkFirstSight: () => Promise<void>;
}

/** A run of alice's device on a store, and what it reported. */
function run(store = new MemoryKeyStore()): Run {
  const reports: Report[] = [];
  const unconnected: Report[] = [];
  const pinned = pins(
    pinsContext(store, {
      checkFirstSight: () => result.checkFirstSight(),
      historyOf: () => result.history,
      isOfThisDevice: (id) => result.own.includes(id),
      onChanged: (...report) => reports.push(report),
      onUnconnected: (...report) => unconnected.push(report),
    }),
  );
  const result: Run = {
    ...{ pinned, reports, unconnected, store, history: null, own: [] },
    checkFirstSight: () => Promise.resolve(),
  };
  return result;
}

describe('pins', () => {
  test('are made at first sight, of all cards there are', async () => {
    const { pinned, reports } = run();
    expect(await pinned.knows(bob)).toBe(false);
    const first = await pinned.check(bob, [phone.card, laptop.card]);
    expect([...first]).toEqual([
      [ids.phone, 'new'],
      [ids.laptop, 'new'],
    ]);
    expect(await pinned.knows(bob)).toBe(true);
    expect([...(await pinned.check(bob, [laptop.card]))]).toEqual([[ids.laptop, 'pinned']]);
    expect(reports).toEqual([]);
  });

  test('are not made of nothing: an identity without cards is still unknown', async () => {
    const { pinned } = run();
    await pinned.check(bob, []);
    expect(await pinned.knows(bob)).toBe(false);
    expect([...(await pinned.check(bob, [phone.card]))]).toEqual([[ids.phone, 'new']]);
  });

  test('report a card that came later, once in a run', async () => {
    const { pinned, reports, store } = run();
    await pinned.check(bob, [phone.card]);
    for (let time = 0; time < 3; time += 1) {
      const trust = await pinned.check(bob, [phone.card, planted.card]);
      expect(trust.get(ids.phone)).toBe('pinned');
      expect(trust.get(ids.planted)).toBe('changed');
    }
    expect(reports).toEqual([[bob, [ids.planted]]]);
    const later = run(store);
    await later.pinned.check(bob, [planted.card]);
    expect(later.reports).toEqual([[bob, [ids.planted]]]);
  });

  test('report each later card by itself', async () => {
    const { pinned, reports } = run();
    await pinned.check(bob, [phone.card]);
    await pinned.check(bob, [planted.card]);
    await pinned.check(bob, [planted.card, laptop.card]);
    expect(reports).toEqual([
      [bob, [ids.planted]],
      [bob, [ids.laptop]],
    ]);
  });

  test('are added to by an acknowledgement, only of what was reported', async () => {
    const { pinned, reports, store } = run();
    await pinned.check(bob, [phone.card]);
    await pinned.check(bob, [laptop.card]);
    expect(await pinned.acknowledge(bob, [ids.laptop])).toEqual([ids.laptop]);
    expect([...(await pinned.check(bob, [laptop.card]))]).toEqual([[ids.laptop, 'pinned']]);
    expect([...(await pinned.check(bob, [planted.card]))]).toEqual([[ids.planted, 'changed']]);
    expect(reports.at(-1)).toEqual([bob, [ids.planted]]);
    expect([...(await run(store).pinned.check(bob, [laptop.card]))]).toEqual([
      [ids.laptop, 'pinned'],
    ]);
  });

  test('do not take in a card that was reported earlier and ignored', async () => {
    const { pinned } = run();
    await pinned.check(bob, [phone.card]);
    await pinned.check(bob, [planted.card]);
    await pinned.check(bob, [laptop.card]);
    expect(await pinned.acknowledge(bob, [ids.laptop])).toEqual([ids.laptop]);
    expect([...(await pinned.check(bob, [planted.card]))]).toEqual([[ids.planted, 'changed']]);
  });

  test('stay without a change when there is nothing to acknowledge', async () => {
    const { pinned } = run();
    expect(await pinned.acknowledge(bob, [ids.planted])).toEqual([]);
    expect(await pinned.knows(bob)).toBe(false);
    await pinned.check(bob, [phone.card]);
    expect(await pinned.acknowledge(bob, [ids.planted])).toEqual([]);
    expect([...(await pinned.check(bob, [planted.card]))]).toEqual([[ids.planted, 'changed']]);
  });

  test('of one first sight hold when two checks race', async () => {
    const { pinned } = run();
    const [one, two] = await Promise.all([
      pinned.check(bob, [phone.card]),
      pinned.check(bob, [planted.card]),
    ]);
    expect([...one.values(), ...two.values()].toSorted()).toEqual(['changed', 'new']);
  });

  test('are each identity’s own', async () => {
    const { store, pinned } = run();
    await pinned.check(bob, [phone.card]);
    expect(await run(store).pinned.knows(parseIdentity('carol'))).toBe(false);
  });

  test('mark cards as verified, which no other card inherits', async () => {
    const { pinned, store } = run();
    await pinned.check(bob, [phone.card]);
    await pinned.markVerified(bob, [ids.phone]);
    expect([...(await pinned.check(bob, [phone.card, laptop.card]))]).toEqual([
      [ids.phone, 'verified'],
      [ids.laptop, 'changed'],
    ]);
    await pinned.acknowledge(bob, [ids.laptop]);
    // Also in a later run: the mark is kept with the pins.
    expect([...(await run(store).pinned.check(bob, [phone.card, laptop.card]))]).toEqual([
      [ids.phone, 'verified'],
      [ids.laptop, 'pinned'],
    ]);
  });

  test('mark a card that was reported and not acknowledged: that is more than acknowledging', async () => {
    const { pinned, reports } = run();
    await pinned.check(bob, [phone.card]);
    await pinned.check(bob, [laptop.card, planted.card]);
    await pinned.markVerified(bob, [ids.phone, ids.laptop]);
    await pinned.markVerified(bob, [ids.phone]);
    expect([...(await pinned.check(bob, [phone.card, laptop.card, planted.card]))]).toEqual([
      [ids.phone, 'verified'],
      [ids.laptop, 'verified'],
      [ids.planted, 'changed'],
    ]);
    expect(reports).toEqual([[bob, [ids.laptop, ids.planted]]]);
    expect(await pinned.acknowledge(bob, [ids.laptop])).toEqual([]);
  });

  test('that an earlier release stored have no marks, and take them', async () => {
    const { pinned, store } = run();
    const stored = JSON.stringify({ pinned: [ids.phone], changed: [] });
    await store.update('pins/bob', () => utf8(stored));
    expect([...(await pinned.check(bob, [phone.card]))]).toEqual([[ids.phone, 'pinned']]);
    await pinned.markVerified(bob, [ids.phone]);
    expect([...(await pinned.check(bob, [phone.card]))]).toEqual([[ids.phone, 'verified']]);
  });

  test.each([
    '',
    '{}',
    '{"pinned":[],"changed":["x"]}',
    '{"pinned":{},"changed":[]}',
    '{"pinned":[],"changed":[],"verified":["x"]}',
    '{"pinned":[],"changed":[],"verified":null}',
    '{"pinned":[],"changed":[],"history":{"log":"","count":-1,"hash":"","size":0}}',
  ])('that are damaged (%j) are an error, never a new first sight', async (text) => {
    const { pinned, store } = run();
    await pinned.check(bob, [phone.card]);
    await store.update('pins/bob', (current) => {
      expect(current).not.toBeNull();
      return utf8(text);
    });
    expect(await codeOf(pinned.knows(bob))).toBe('KEY_RECORD_DAMAGED');
    expect(await codeOf(pinned.check(bob, [planted.card]))).toBe('KEY_RECORD_DAMAGED');
    expect(await codeOf(pinned.acknowledge(bob, [ids.planted]))).toBe('KEY_RECORD_DAMAGED');
    expect(await codeOf(pinned.markVerified(bob, [ids.planted]))).toBe('KEY_RECORD_DAMAGED');
  });
});

/** A history with these cards: whom each is vouched for by, what became of it, and in how large a log. */
function history(
  cards: readonly (readonly [Person, Partial<LoggedCard>])[],
  size = cards.length,
): ProvenHistory {
  const plain = historyOf(
    cards.map(([{ card }]) => card),
    0,
    size,
  );
  return { ...plain, cards: plain.cards.map((one, at) => ({ ...one, ...cards[at]?.[1] })) };
}

describe('several cards at first sight', () => {
  const byPhone = { vouchers: [ids.phone] };
  test.each<[string, ReturnType<typeof history>, boolean]>([
    [
      'of which none vouches for the other',
      history([
        [phone, {}],
        [laptop, {}],
      ]),
      true,
    ],
    [
      'of which one vouches for the other',
      history([
        [phone, {}],
        [laptop, byPhone],
      ]),
      false,
    ],
    [
      'of which a replaced one vouches for both',
      history([
        [planted, { status: 'superseded' }],
        [phone, { vouchers: [ids.planted] }],
        [laptop, byPhone],
      ]),
      false,
    ],
    [
      'of which a stolen one vouched for one',
      history([
        [planted, { status: 'revoked', reason: 'compromised' }],
        [phone, {}],
        [laptop, { vouchers: [ids.planted] }],
      ]),
      true,
    ],
  ])('%s: are told of, if nobody connects them, and once', async (_, first, isTold) => {
    const { pinned, unconnected } = run();
    const live = [phone.card, laptop.card];
    for (const trust of ['new', 'pinned']) {
      expect((await pinned.check(bob, live, first)).get(ids.phone)).toBe(trust);
      expect(unconnected).toEqual(isTold ? [[bob, [ids.phone, ids.laptop]]] : []);
    }
  });

  test('are not told of if there is one only', async () => {
    const { pinned, unconnected } = run();
    await pinned.check(bob, []);
    await pinned.check(bob, [phone.card]);
    expect(unconnected).toEqual([]);
  });
});

describe('a card that others vouch for', () => {
  const byPhone = { vouchers: [ids.phone] };
  const byLaptop = { vouchers: [ids.laptop] };

  test('is trusted without a word if a pinned one does', async () => {
    const { pinned, reports } = run();
    await pinned.check(bob, [phone.card]);
    const later = history([
      [phone, {}],
      [laptop, byPhone],
    ]);
    expect([...(await pinned.check(bob, [phone.card, laptop.card], later))]).toEqual([
      [ids.phone, 'pinned'],
      [ids.laptop, 'pinned'],
    ]);
    expect(reports).toEqual([]);
  });

  test('is trusted if one does for which a pinned one does, and does not inherit a mark', async () => {
    const seen = run();
    await seen.pinned.check(bob, [phone.card]);
    await seen.pinned.markVerified(bob, [ids.phone]);
    seen.history = history([
      [phone, { status: 'superseded' }],
      [laptop, byPhone],
      [planted, byLaptop],
    ]);
    expect([...(await seen.pinned.check(bob, [laptop.card, planted.card]))]).toEqual([
      [ids.laptop, 'pinned'],
      [ids.planted, 'pinned'],
    ]);
  });

  test('is not trusted for one that nobody trusts, nor if they only vouch for one another', async () => {
    const seen = run();
    await seen.pinned.check(bob, [phone.card]);
    seen.history = history([
      [phone, {}],
      [laptop, { vouchers: [ids.planted] }],
      [planted, byLaptop],
    ]);
    expect([...(await seen.pinned.check(bob, [laptop.card, planted.card])).values()]).toEqual([
      'changed',
      'changed',
    ]);
    expect(seen.reports).toEqual([[bob, [ids.laptop, ids.planted]]]);
  });

  test('is not trusted any more when nobody believes who vouched for it', async () => {
    const seen = run();
    // At first sight, too, only those are pinned that nobody vouched for.
    seen.history = history([
      [phone, {}],
      [laptop, byPhone],
    ]);
    const first = await seen.pinned.check(bob, [phone.card, laptop.card]);
    expect([...first.values()]).toEqual(['new', 'new']);
    seen.history = history([
      [phone, { status: 'revoked', reason: 'compromised' }],
      [laptop, { vouchers: [] }],
    ]);
    expect([...(await seen.pinned.check(bob, [laptop.card]))]).toEqual([[ids.laptop, 'changed']]);
    expect(seen.reports).toEqual([[bob, [ids.laptop]]]);
    expect(await seen.pinned.acknowledge(bob, [ids.laptop])).toEqual([ids.laptop]);
    expect([...(await seen.pinned.check(bob, [laptop.card]))]).toEqual([[ids.laptop, 'pinned']]);
  });

  test('is not trusted for a card of this very device, which only a thief can have used', async () => {
    const seen = run();
    await seen.pinned.check(bob, [phone.card]);
    seen.own = [ids.phone];
    seen.history = history([
      [phone, {}],
      [laptop, byPhone],
    ]);
    expect([...(await seen.pinned.check(bob, [laptop.card])).values()]).toEqual(['changed']);
    // Whom the device vouched for itself it has acknowledged.
    expect(await seen.pinned.acknowledge(bob, [ids.laptop])).toEqual([ids.laptop]);
  });

  test('was reported, and is not when somebody trusted vouches for it after all', async () => {
    const seen = run();
    await seen.pinned.check(bob, [phone.card]);
    expect([...(await seen.pinned.check(bob, [laptop.card])).values()]).toEqual(['changed']);
    seen.history = history([
      [phone, {}],
      [laptop, byPhone],
    ]);
    expect([...(await seen.pinned.check(bob, [laptop.card])).values()]).toEqual(['pinned']);
    expect(await seen.pinned.acknowledge(bob, [ids.laptop])).toEqual([]);
  });
});

describe('at first sight', () => {
  test('the cards that ended are pinned, too: what they signed stands in the history', async () => {
    const seen = run();
    seen.history = history([
      [phone, { status: 'revoked', reason: 'retired' }],
      [laptop, {}],
    ]);
    await seen.pinned.check(bob, [laptop.card]);
    expect([...(await seen.pinned.check(bob, [phone.card])).values()]).toEqual(['pinned']);
  });

  test('one that was stolen is not, and nobody is asked about it', async () => {
    const seen = run();
    seen.history = history([
      [phone, { status: 'revoked', reason: 'compromised' }],
      [laptop, {}],
    ]);
    await seen.pinned.check(bob, [laptop.card, phone.card]);
    expect([...(await seen.pinned.check(bob, [phone.card])).values()]).toEqual(['changed']);
    expect(seen.reports).toEqual([]);
    // An application may acknowledge whatever it has the id of.
    expect(await seen.pinned.acknowledge(bob, [ids.phone])).toEqual([]);
    expect([...(await seen.pinned.check(bob, [phone.card])).values()]).toEqual(['changed']);
  });
});

describe('nobody is seen for the first time', () => {
  test('when the log may not be believed, and nothing is pinned by it', async () => {
    const seen = run();
    seen.checkFirstSight = () => Promise.reject(new EncryptionError('SPLIT_VIEW', 'Two logs.'));
    expect(await codeOf(seen.pinned.check(bob, [phone.card]))).toBe('SPLIT_VIEW');
    expect(await seen.pinned.knows(bob)).toBe(false);
    await seen.pinned.check(bob, []);
    seen.checkFirstSight = () => Promise.resolve();
    await seen.pinned.check(bob, [phone.card]);
    seen.checkFirstSight = () => Promise.reject(new EncryptionError('SPLIT_VIEW', 'Two logs.'));
    expect([...(await seen.pinned.check(bob, [phone.card])).values()]).toEqual(['pinned']);
  });
});

describe('what the log says of an identity', () => {
  const seenBoth = async (): Promise<Run> => {
    const seen = run();
    seen.history = history([
      [phone, {}],
      [laptop, {}],
    ]);
    await seen.pinned.check(bob, [phone.card]);
    return seen;
  };

  test('may become more', async () => {
    const seen = await seenBoth();
    const more = history([
      [phone, {}],
      [laptop, {}],
      [planted, {}],
    ]);
    await seen.pinned.check(bob, [phone.card], more);
    const { pinned } = run(seen.store);
    expect(await codeOf(pinned.check(bob, [phone.card], history([[phone, {}]], 9)))).toBe(
      'LOG_INVALID',
    );
    await pinned.check(bob, [phone.card], more);
  });

  test.each<[string, ProvenHistory]>([
    ['less', history([[phone, {}]], 9)],
    ['nothing', history([], 9)],
    [
      'other than it was',
      history(
        [
          [laptop, {}],
          [phone, {}],
          [planted, {}],
        ],
        9,
      ),
    ],
  ])('may not become %s, in a later run either', async (_, changed) => {
    const { store } = await seenBoth();
    const { pinned } = run(store);
    expect(await codeOf(pinned.check(bob, [phone.card], changed))).toBe('LOG_INVALID');
  });

  test('begins anew in another log', async () => {
    const { store } = await seenBoth();
    const other = pins(pinsContext(store, { log: 'another' }));
    await other.check(bob, [phone.card], history([[phone, {}]], 9));
    await other.check(bob, [phone.card], history([[phone, {}]], 9));
  });

  test('is not compared with what another tab saw later', async () => {
    const { store } = await seenBoth();
    await run(store).pinned.check(bob, [phone.card], history([[phone, {}]], 1));
  });
});

describe('the members of a channel', () => {
  const people = (answer: ProvenHistory, cards = [phone.card, laptop.card]) =>
    new Map([[bob, { cards, history: answer }]]);

  test('are compared all at once, and the trusted cards of each are given', async () => {
    const seen = run();
    await seen.pinned.check(bob, [phone.card]);
    const answer = historyOf([phone.card, laptop.card]);
    const both = new Map([...people(answer), [carol, { cards: [], history: historyOf([]) }]]);
    expect([...(await seen.pinned.trusted(both))]).toEqual([
      [bob, [phone.card]],
      [carol, []],
    ]);
    expect(seen.reports).toEqual([[bob, [ids.laptop]]]);
  });

  test('are not compared again with an answer of which all was trusted', async () => {
    const seen = run();
    await seen.pinned.check(bob, [phone.card, laptop.card]);
    const answer = people(historyOf([phone.card, laptop.card]));
    await seen.pinned.trusted(answer);
    await seen.store.clear('pins');
    expect((await seen.pinned.trusted(answer)).get(bob)).toEqual([phone.card, laptop.card]);
    expect(await seen.pinned.knows(bob)).toBe(false);
  });

  test('are compared again as long as one card is not trusted: it may be acknowledged in another tab', async () => {
    const seen = run();
    await seen.pinned.check(bob, [phone.card]);
    const answer = people(historyOf([phone.card, laptop.card]));
    expect((await seen.pinned.trusted(answer)).get(bob)).toEqual([phone.card]);
    await run(seen.store).pinned.acknowledge(bob, [ids.laptop]);
    expect((await seen.pinned.trusted(answer)).get(bob)).toEqual([phone.card, laptop.card]);
  });

  test('are not pinned, none of them, when nobody may be trusted at first sight', async () => {
    const seen = run();
    await seen.pinned.check(carol, [planted.card]);
    seen.checkFirstSight = () => Promise.reject(new EncryptionError('SPLIT_VIEW', 'Two logs.'));
    const both = new Map([
      ...people(historyOf([phone.card, laptop.card])),
      [carol, { cards: [planted.card], history: historyOf([planted.card]) }] as const,
    ]);
    expect(await codeOf(seen.pinned.trusted(both))).toBe('SPLIT_VIEW');
    expect(await seen.pinned.knows(bob)).toBe(false);
    both.delete(bob);
    expect((await seen.pinned.trusted(both)).get(carol)).toEqual([planted.card]);
  });
});

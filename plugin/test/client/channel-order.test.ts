import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { channelOrder, type ChannelOrder } from '../../src/client/channel-order.ts';
import type { Anomaly } from '../../src/client/message-encryption.ts';
import { cardIdOf } from '../../src/protocol/identifiers.ts';
import { runs } from '../outcomes.ts';

const ALICE = cardIdOf(new Uint8Array(32).fill(1));
const BOB = cardIdOf(new Uint8Array(32).fill(2));

/** Places a message and says what is odd about it. */
function place(
  order: ChannelOrder,
  cardId: typeof ALICE,
  sequence: number,
  index: number,
  hidden = false,
): readonly Anomaly[] {
  order.place({ cardId, sequence, index, hidden });
  return order.anomalies({ cardId, sequence, index, hidden });
}

/** Reads messages of Alice, each a number at an index, in this order. */
function read(messages: readonly (readonly [sequence: number, index: number])[]) {
  const order = channelOrder();
  for (const [, index] of messages) order.loaded(index);
  return messages.map(([sequence, index]) => place(order, ALICE, sequence, index));
}

// With LONG=1: a minute.
const PATIENCE_MILLISECONDS = 10 * 60_000;

describe('the order of a channel', () => {
  test('says nothing of messages that stand as they were sent', () => {
    expect(
      read([
        [1, 0],
        [2, 1],
        [3, 5],
      ]).flat(),
    ).toEqual([]);
  });

  test('has a gap where numbers are missing between messages, and all between was read', () => {
    const found = read([
      [1, 0],
      [4, 1],
    ]);
    expect(found).toEqual([[], [{ code: 'GAP', from: 2, to: 3 }]]);
  });

  test('has none as long as something between was not read', () => {
    const order = channelOrder();
    for (const index of [0, 2]) order.loaded(index);
    place(order, ALICE, 1, 0);
    expect(place(order, ALICE, 3, 2)).toEqual([]);
    // Somebody else's message was between, or one that could not be read: the gap is real.
    order.loaded(1);
    expect(place(order, ALICE, 3, 2)).toEqual([{ code: 'GAP', from: 2, to: 2 }]);
  });

  test('has none before the first message that was seen, nor behind the last', () => {
    expect(read([[7, 3]])).toEqual([[]]);
  });

  test('finds the gap also when the older page is read later', () => {
    const order = channelOrder();
    for (const index of [2, 3]) order.loaded(index);
    place(order, ALICE, 5, 2);
    for (const index of [0, 1]) order.loaded(index);
    expect(place(order, ALICE, 3, 1)).toEqual([{ code: 'GAP', from: 4, to: 4 }]);
  });

  test('keeps the cards apart', () => {
    const order = channelOrder();
    for (const index of [0, 1]) order.loaded(index);
    place(order, ALICE, 1, 0);
    expect(place(order, BOB, 9, 1)).toEqual([]);
  });

  test('sees two messages exchanged, on both', () => {
    const order = channelOrder();
    place(order, ALICE, 2, 0);
    expect(place(order, ALICE, 1, 1)).toEqual([{ code: 'OUT_OF_ORDER' }]);
    expect(place(order, ALICE, 2, 0)).toEqual([{ code: 'OUT_OF_ORDER' }]);
  });

  test('says the same of a message that is read again', () => {
    const order = channelOrder();
    for (const index of [0, 1]) order.loaded(index);
    place(order, ALICE, 1, 0);
    const first = place(order, ALICE, 3, 1);
    expect(place(order, ALICE, 3, 1)).toEqual(first);
  });

  test('tells of what is missing beside a key message on the message that is shown', () => {
    const order = channelOrder();
    for (const index of [0, 1, 2]) order.loaded(index);
    place(order, ALICE, 1, 0);
    place(order, ALICE, 3, 1, true);
    expect(place(order, ALICE, 4, 2)).toEqual([{ code: 'GAP', from: 2, to: 2 }]);
    // And on the one before, when it is read again.
    expect(place(order, ALICE, 1, 0)).toEqual([{ code: 'GAP', from: 2, to: 2 }]);
  });

  test(
    'however pages are read: in the end exactly the withheld numbers are gaps',
    { timeout: PATIENCE_MILLISECONDS },
    () => {
      fc.assert(
        fc.property(
          fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
          fc.func(fc.nat()),
          (numbers, shuffle) => {
            const sorted = numbers.toSorted((one, other) => one - other);
            const messages = sorted.map((sequence, index) => ({ sequence, index }));
            const order = channelOrder();
            const byChance = messages.toSorted((one, other) => shuffle(one) - shuffle(other));
            for (const { index } of byChance) order.loaded(index);
            for (const { sequence, index } of byChance) place(order, ALICE, sequence, index);
            const found = messages.flatMap(({ sequence, index }) =>
              place(order, ALICE, sequence, index),
            );
            expect(new Set(found.flatMap(missing))).toEqual(
              new Set(between(sorted).filter((number) => !numbers.includes(number))),
            );
          },
        ),
        { numRuns: runs(300) },
      );
    },
  );
});

function missing(anomaly: Anomaly): number[] {
  if (anomaly.code !== 'GAP') throw new Error(`Not a gap: ${anomaly.code}.`);
  return Array.from({ length: anomaly.to - anomaly.from + 1 }, (_, at) => anomaly.from + at);
}

function between(sorted: readonly number[]): number[] {
  const [first = 0, last = 0] = [sorted[0], sorted.at(-1)];
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

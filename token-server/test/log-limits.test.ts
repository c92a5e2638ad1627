/** Nobody's history grows beyond what can be answered. */
import { parseCardId, parseIdentity } from 'twilio-chat-encryption/protocol';
import { expect, test } from 'vitest';
import { MAX_HISTORY, MAX_HISTORY_CHARACTERS } from '../src/domain/limits.ts';
import { openStore } from '../src/index.ts';
import { createKeeper, lookUp } from './keeper.ts';
import { afterTest } from './support.ts';

const ALICE = parseIdentity('alice');
const BOB = parseIdentity('bob');

/** Adds entries with contents of these lengths, in one transaction. */
async function aliceWith(lengths: readonly number[]) {
  const { store } = await openStore('sqlite::memory:');
  afterTest(() => store.close());
  const keeper = await createKeeper(store);
  const add = (each: readonly number[], identity = ALICE, isAlwaysTaken = false): Promise<void> =>
    store.transaction(async (transaction) => {
      for (const length of each) {
        await keeper.log.append(transaction.log, {
          operation: 'approve',
          time: 1,
          identity,
          cardId: parseCardId('ab'.repeat(32)),
          content: 'c'.repeat(length),
          isAlwaysTaken,
        });
      }
    });
  await add(lengths);
  return { ...keeper, add };
}

test.each([
  ['entries', Array.from({ length: MAX_HISTORY }, () => 1)],
  ['characters', Array.from({ length: 8 }, () => MAX_HISTORY_CHARACTERS / 8)],
])('of too many %s no more are taken, but revocations are', async (_what, lengths) => {
  const { add, log, store } = await aliceWith(lengths);
  await expect(add([1])).rejects.toMatchObject({ code: 'CARD_LIMIT' });
  expect(await store.log.size()).toBe(lengths.length);
  await add([1024], ALICE, true);
  await add([1], BOB);
  const { found } = await lookUp({ log }, [ALICE, BOB]);
  expect(found.map(({ entries }) => entries.length)).toEqual([lengths.length + 1, 1]);
});

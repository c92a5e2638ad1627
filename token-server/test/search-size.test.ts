import { curves, parseIdentity } from 'twilio-chat-encryption/protocol';
import { expect, test } from 'vitest';
import { createCards } from '../src/domain/cards.ts';
import { MAX_SEARCH_CHARACTERS } from '../src/domain/limits.ts';
import { openStore } from '../src/index.ts';
import { afterTest, makeCard, seed } from './support.ts';

test('a search whose answer would be too long is refused before the cards are read', async () => {
  const { store } = await openStore('sqlite::memory:');
  afterTest(() => store.close());
  const appKey = await (await curves()).importSigningKey(seed());
  const read: (readonly string[])[] = [];
  const cards = createCards({
    appKey,
    now: Date.now,
    store: {
      ...store,
      measureCards: (identities) =>
        Promise.resolve(identities.includes('many') ? MAX_SEARCH_CHARACTERS + 1 : 10),
      findCards: (identities) => {
        read.push(identities);
        return store.findCards(identities);
      },
    },
  });
  const exported = await cards.publish(parseIdentity('alice'), await makeCard('alice'));
  const refused = cards.search(['alice', 'many']);
  await expect(refused).rejects.toMatchObject({ code: 'TOO_MANY_RESULTS' });
  expect(read).toEqual([]);
  expect(await cards.search(['alice'])).toEqual(new Map([['alice', [exported]]]));
});

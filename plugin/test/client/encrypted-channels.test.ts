import { MemoryKeyStore } from 'twilio-chat-encryption';
import { expect, test } from 'vitest';
import { encryptedChannels } from '../../src/client/encrypted-channels.ts';
import { codeOf } from '../outcomes.ts';
import { CHANNEL, OTHER_CHANNEL, person, pqPerson } from '../protocol/people.ts';

const [alice, older, bob] = [await pqPerson('alice'), await person('alice'), await person('bob')];

test('a channel of suite 2 stays one, for all cards of a person, after a restart too', async () => {
  const store = new MemoryKeyStore();
  const before = encryptedChannels(store, alice.card);
  await before.add(CHANNEL, 1);
  await before.checkSuite(CHANNEL, 1);
  await before.add(CHANNEL, 2);
  await before.add(CHANNEL, 1);
  for (const card of [alice.card, older.card]) {
    const { checkSuite } = encryptedChannels(store, card);
    expect(await codeOf(checkSuite(CHANNEL, 1))).toBe('SUITE_DOWNGRADE');
    await checkSuite(CHANNEL, 2);
    await checkSuite(OTHER_CHANNEL, 1);
  }
  await encryptedChannels(store, bob.card).checkSuite(CHANNEL, 1);
});

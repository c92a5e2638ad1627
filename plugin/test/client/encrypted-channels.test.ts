import { MemoryKeyStore } from 'twilio-chat-encryption';
import { expect, test } from 'vitest';
import { encryptedChannels } from '../../src/client/encrypted-channels.ts';
import { codeOf } from '../outcomes.ts';
import { CHANNEL, OTHER_CHANNEL } from '../protocol/people.ts';

test('a channel of suite 2 stays one, after a restart too', async () => {
  const store = new MemoryKeyStore();
  const before = encryptedChannels(store);
  await before.add(CHANNEL, 1);
  await before.checkSuite(CHANNEL, 1);
  await before.add(CHANNEL, 2);
  await before.add(CHANNEL, 1);
  const { checkSuite } = encryptedChannels(store);
  expect(await codeOf(checkSuite(CHANNEL, 1))).toBe('SUITE_DOWNGRADE');
  await checkSuite(CHANNEL, 2);
  await checkSuite(OTHER_CHANNEL, 1);
});

/** WebCrypto that fails for a moment, as when memory is short: no verdict on what somebody else made. */
import { exportCard } from 'twilio-chat-encryption/protocol';
import { afterEach, expect, test, vi } from 'vitest';
import { acceptedCards } from '../../src/client/accepted-cards.ts';
import { approveCard } from '../../src/protocol/card.ts';
import { curves } from '../../src/protocol/curves.ts';
import { APP_KEY, person } from '../protocol/people.ts';
import { Channel } from './channel.ts';
import { open, Server } from './devices.ts';

const failure = new DOMException('The operation failed for an operation-specific reason');

afterEach(() => {
  vi.restoreAllMocks();
});

test('a message whose key cannot be agreed on now is not malformed, but read later', async () => {
  const server = new Server();
  const [alice, bob] = [await open(server), await open(server, { identity: 'bob' })];
  const channel = new Channel('alice', 'bob');
  const index = await channel.send(alice, 'hello');
  vi.spyOn(crypto.subtle, 'deriveBits').mockRejectedValueOnce(failure);
  expect(await channel.read(bob, index)).toBe('STORE_PENDING');
  expect(await channel.read(bob, index)).toBe('hello (new)');
});

test('a card whose key cannot be imported now is accepted later, and nothing is read without it', async () => {
  const { card } = await person('carol');
  const exported = exportCard(await approveCard(card, APP_KEY, 1));
  const appKeys = [await (await curves()).importVerifyingKey(APP_KEY.publicKey)];
  const accept = acceptedCards();
  vi.spyOn(crypto.subtle, 'importKey').mockRejectedValueOnce(failure);
  await expect(accept(exported, appKeys)).rejects.toBe(failure);
  expect((await accept(exported, appKeys))?.id).toBe(card.id);
});

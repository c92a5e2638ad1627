/** What a device has and says after the keys of a backup were restored on it. */
import { MemoryKeyStore } from 'twilio-chat-encryption';
import { beforeEach, expect, test } from 'vitest';
import { openDevice } from '../../src/client/device.ts';
import { restoreDevice } from '../../src/client/restore.ts';
import { Channel } from './channel.ts';
import { after, heard, open, optionsOf, Server, stopClocks } from './devices.ts';

stopClocks();

let server: Server;

beforeEach(() => {
  server = new Server();
});

test('nobody is asked about the devices of the backup: they are the person’s own', async () => {
  const lost = await open(server);
  await lost.changes.backup('password');
  const { device } = await restoreDevice(await optionsOf(server), 'password');
  const unknown = heard(device, 'ownCardUnknown');
  expect(await device.devices.list()).toMatchObject([
    { cardId: lost.card().id, trust: 'pinned' },
    { cardId: device.card().id, trust: 'pinned' },
  ]);
  expect(unknown).toEqual([]);
});

test('a backup that is older than keys of a lost device says which these are', async () => {
  const phone = await open(server, { device: 'phone' });
  await phone.changes.backup('password');
  const { stored } = server.backups;
  await phone.changes.rotate('password');
  const channel = new Channel('alice');
  const index = await channel.send(phone, 'for the newer key');
  await phone.changes.backup('password');
  const laptop = await open(server, { device: 'laptop' });
  await laptop.devices.revoke(phone.card().id);
  // The server puts the older one back.
  server.backups.stored = stored;
  const { device, missing } = await restoreDevice(await optionsOf(server), 'password');
  expect(await channel.read(device, index)).toBe('NOT_ADDRESSED');
  expect(missing).toMatchObject([
    { cardId: phone.card().id, device: 'phone', status: 'revoked' },
    { cardId: laptop.card().id, device: 'laptop', status: 'live' },
  ]);
});

test('keys of cards that ended long ago are kept as if they had ended when they were restored', async () => {
  const phone = await open(server);
  const channel = new Channel('alice');
  const index = await channel.send(phone, 'old');
  await phone.changes.backup('password');
  const laptop = await open(server);
  await laptop.devices.revoke(phone.card().id);
  after(31);
  const options = await optionsOf(server, { keepKeysDays: 30 });
  const { device } = await restoreDevice(options, 'password');
  expect(await channel.read(device, index)).toBe('old (pinned)');
  device.close();
  (await openDevice(options)).close();
  after(60);
  expect(await channel.read(await openDevice(options), index)).toBe('old (pinned)');
  after(62);
  expect(await channel.read(await openDevice(options), index)).toBe('KEY_DELETED');
});

test('a device that was opened before it was restored is vouched for all the same', async () => {
  const lost = await open(server);
  const bob = await open(server, { identity: 'bob' });
  await bob.safetyNumbers.trustOf('alice');
  await lost.changes.backup('password');
  const keyStore = new MemoryKeyStore();
  (await open(server, { keyStore })).close();
  const { device } = await restoreDevice(await optionsOf(server, { keyStore }), 'password');
  await bob.cards.find('alice');
  expect(await bob.safetyNumbers.trustOf('alice')).toEqual([
    { cardId: lost.card().id, trust: 'pinned' },
    { cardId: device.card().id, trust: 'pinned' },
  ]);
});

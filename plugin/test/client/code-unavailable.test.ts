/** A page whose network fails, or whose server has another version by now, when it needs more code. */
import { MemoryKeyStore } from 'twilio-chat-encryption';
import { afterEach, expect, test, vi } from 'vitest';
import type * as Loading from '../../src/loading.ts';
import { codeOf } from '../outcomes.ts';
import { Channel } from './channel.ts';
import { after, open, Server, stopClocks } from './devices.ts';

const network = vi.hoisted(() => ({ fails: false }));

vi.mock('../../src/loading.ts', async (original) => {
  const { loaded, ...others } = await original<typeof Loading>();
  const fail = (): Promise<never> => Promise.reject(new TypeError('Failed to fetch'));
  return {
    ...others,
    loaded: <Part>(load: () => Promise<Part>) => loaded(network.fails ? fail : load),
    onDemand: <Part, Made>(load: () => Promise<Part>, make: (part: Part) => Made) =>
      others.onDemand(() => (network.fails ? fail() : load()), make),
  };
});

stopClocks();

afterEach(() => {
  network.fails = false;
});

test('a device whose keys are due opens without it, sends, and has new ones the next time', async () => {
  const [server, keyStore] = [new Server(), new MemoryKeyStore()];
  const due = { keyStore, rotateAfterDays: 30, keepKeysDays: 30 };
  const first = (await open(server, due)).card().id;
  after(31);
  network.fails = true;
  const device = await open(server, due);
  expect(device.card().id).toBe(first);
  expect(await new Channel('alice').send(device, 'as before')).toBe(0);
  expect(await codeOf(device.changes.rotate('password'))).toBe('CODE_UNAVAILABLE');
  network.fails = false;
  expect((await open(server, due)).card().previousCardId).toBe(first);
});

test('a device that is acknowledged is trusted then, and vouched for by the next call', async () => {
  const server = new Server();
  const device = await open(server);
  const other = await open(server);
  const ids = [other.card().id];
  after(1);
  await new Channel('alice').send(device, 'by an answer of now');
  network.fails = true;
  expect(await codeOf(device.acknowledge('alice', ids))).toBe('CODE_UNAVAILABLE');
  network.fails = false;
  await device.acknowledge('alice', ids);
  const listed = await device.devices.list();
  expect(listed.find(({ cardId }) => cardId === ids[0])).toMatchObject({
    trust: 'pinned',
    vouchers: [device.card().id],
  });
});

/** A device whose key store has no room left: what it has can be read, and nothing is lost. */
import { MemoryKeyStore, type KeyStore } from 'twilio-chat-encryption';
import { messageIdOf, parseIdentity } from 'twilio-chat-encryption/protocol';
import { describe, expect, test, vi } from 'vitest';
import type { DeliveredMessage } from '../../src/client/delivered.ts';
import { checkDeviceOptions } from '../../src/client/device-options.ts';
import { openDevice, type Device } from '../../src/client/device.ts';
import { full } from '../../src/client/key-store.ts';
import type { Outlet } from '../../src/client/outlet.ts';
import { codeOf } from '../outcomes.ts';
import { CHANNEL, random } from '../protocol/people.ts';
import { LoggedDirectory, PINS } from './logged-directory.ts';

/** A key store that is full, or takes nothing at all, when a test says so. */
class Filling extends MemoryKeyStore {
  isFull = false;
  isReadOnly = false;

  override update: KeyStore['update'] = (name, change) =>
    super.update(name, (current) => {
      const next = change(current);
      if (this.isFull && next !== null && next !== current) throw full(null);
      if (this.isReadOnly && next !== current) throw new Error('read only');
      return next;
    });
}

const members = [parseIdentity('alice'), parseIdentity('bob')];

/** Alice and bob in a channel, each with a key store of this kind. */
async function people() {
  const directory = new LoggedDirectory();
  const stores = { alice: new Filling(), bob: new Filling() };
  const open = async (identity: keyof typeof stores, rotateAfterDays?: number): Promise<Device> => {
    const keyStore = stores[identity];
    const options = {
      ...PINS,
      ...{ identity, server: directory, keyStore, password: 'password' },
      ...(rotateAfterDays !== undefined && { rotateAfterDays }),
    };
    return openDevice(await checkDeviceOptions(options));
  };
  const devices = { alice: await open('alice'), bob: await open('bob') };
  return { stores, open, devices, channel: new Channel() };
}

/** A channel, as Twilio keeps it. */
class Channel {
  readonly bodies: string[] = [];

  readonly outlet: Outlet = {
    channelSid: CHANNEL,
    limit: 32_768,
    members: () => Promise.resolve(members),
    post: (text) => Promise.resolve(this.bodies.push(text) - 1),
    find: (text) => {
      const at = this.bodies.indexOf(text);
      return Promise.resolve(at === -1 ? null : at);
    },
  };

  #delivered(index: number): DeliveredMessage {
    return {
      channelSid: CHANNEL,
      messageSid: `IM${index}`,
      index,
      author: 'alice',
      body: this.bodies[index] ?? '',
      file: null,
      fileSizes: [],
      createdAt: new Date(),
      updatedAt: new Date(),
      isLive: false,
      attempts: 0,
      joinedAt: () => Promise.resolve(null),
      members: () => Promise.resolve(members),
      watchJoins: () => () => undefined,
      around: () => Promise.resolve([]),
    };
  }

  /** What this device shows of all messages: their text, or why there is none. */
  async readBy(device: Device): Promise<unknown[]> {
    const judged = this.bodies.map((_, index) => device.judge(this.#delivered(index)));
    const received = await device.accept(await Promise.all(judged));
    return received.map(({ content, encryption }) =>
      encryption.status === 'pending' ? encryption.code : content.body,
    );
  }
}

test('sends nothing, says so, and goes on when there is room', async () => {
  const { stores, devices, channel } = await people();
  await devices.alice.send(channel.outlet, { body: 'one' });
  stores.alice.isFull = true;
  expect(await codeOf(devices.alice.send(channel.outlet, { body: 'lost' }))).toBe('KEY_STORE_FULL');
  expect(channel.bodies).toHaveLength(1);
  stores.alice.isFull = false;
  await devices.alice.send(channel.outlet, { body: 'two' });
  expect(await channel.readBy(devices.bob)).toEqual(['one', 'two']);
});

describe('what Twilio refused when it could not be taken out of the outbox', () => {
  /** Alice and bob, after alice's store got into this state while a message of hers was refused. */
  async function refused(state: 'isFull' | 'isReadOnly') {
    const world = await people();
    const { stores, devices, channel } = world;
    await devices.alice.send(channel.outlet, { body: 'one' });
    const post = (): Promise<number> => {
      stores.alice[state] = true;
      return Promise.reject(new Error('forbidden'));
    };
    const sending = devices.alice.send({ ...channel.outlet, post }, { body: 'refused' });
    const outcome = await sending.catch((error: unknown) => error);
    stores.alice[state] = false;
    return { ...world, outcome };
  }

  test('is not posted later, and the application has the refusal', async () => {
    const { devices, channel, outcome } = await refused('isFull');
    expect(outcome).toEqual(new Error('forbidden'));
    await devices.alice.send(channel.outlet, { body: 'two' });
    expect(await channel.readBy(devices.bob)).toEqual(['one', 'two']);
  });

  test('is not posted after a restart', async () => {
    const { open, devices, channel } = await refused('isFull');
    await (await open('alice')).send(channel.outlet, { body: 'two' });
    expect(await channel.readBy(devices.bob)).toEqual(['one', 'two']);
  });

  test('of which nothing can be written is told to be looked for, and not posted meanwhile', async () => {
    const { devices, channel, outcome } = await refused('isReadOnly');
    expect(outcome).toMatchObject({ code: 'DELIVERY_UNKNOWN', cause: new Error('forbidden') });
    await devices.alice.send(channel.outlet, { body: 'two' });
    expect(await channel.readBy(devices.bob)).toEqual(['one', 'two']);
  });
});

test('builds on no edit that Twilio refused, though that could not be noted', async () => {
  const { stores, devices, channel } = await people();
  const name = { cardId: devices.alice.card().id, messageId: messageIdOf(random(16)), sequence: 1 };
  const known: (string | null | undefined)[] = [];
  const edit = (replace: () => Promise<void>): Promise<void> =>
    devices.alice.edit(channel.outlet, {
      name,
      prepare(latest) {
        known.push(latest?.text);
        const content = { body: 'edited' };
        return Promise.resolve({ revision: known.length, content, limit: 32_768, replace });
      },
    });
  const refuse = (): Promise<void> => {
    stores.alice.isFull = true;
    return Promise.reject(new Error('forbidden'));
  };
  await expect(edit(refuse)).rejects.toThrow('forbidden');
  stores.alice.isFull = false;
  await edit(() => Promise.resolve());
  expect(known).toEqual([undefined, undefined]);
});

test('shows what it read before, and what is new when there is room', async () => {
  const { stores, devices, channel } = await people();
  await devices.alice.send(channel.outlet, { body: 'one' });
  expect(await channel.readBy(devices.bob)).toEqual(['one']);
  stores.bob.isFull = true;
  await devices.alice.send(channel.outlet, { body: 'two' });
  expect(await channel.readBy(devices.bob)).toEqual(['one', 'STORE_PENDING']);
  stores.bob.isFull = false;
  expect(await channel.readBy(devices.bob)).toEqual(['one', 'two']);
});

test('can be opened, and shows what there is when there is room', async () => {
  const { stores, open, devices, channel } = await people();
  await devices.alice.send(channel.outlet, { body: 'one' });
  expect(await channel.readBy(devices.bob)).toEqual(['one']);
  stores.bob.isFull = true;
  const bob = await open('bob');
  expect(await channel.readBy(bob)).toEqual(['STORE_PENDING']);
  stores.bob.isFull = false;
  expect(await channel.readBy(bob)).toEqual(['one']);
});

test('can be opened when its keys are due, which are changed when there is room', async () => {
  const { stores, open, devices } = await people();
  stores.alice.isFull = true;
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * 86_400_000 });
  try {
    const alice = await open('alice', 1);
    expect(alice.card().id).toBe(devices.alice.card().id);
    stores.alice.isFull = false;
    expect((await open('alice', 1)).card().id).not.toBe(devices.alice.card().id);
  } finally {
    vi.useRealTimers();
  }
});

test('cannot be made, and is made when there is room', async () => {
  const { stores, open } = await people();
  await stores.bob.update('key/bob', () => null);
  stores.bob.isFull = true;
  expect(await codeOf(open('bob'))).toBe('KEY_STORE_FULL');
  expect(await stores.bob.get('key/bob')).toBeNull();
  stores.bob.isFull = false;
  await open('bob');
});

test('can be removed', async () => {
  const { stores, devices } = await people();
  stores.bob.isFull = true;
  await devices.bob.changes.cleanup();
  expect(await stores.bob.get('key/bob')).toBeNull();
});

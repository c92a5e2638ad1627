/** New keys when their time has come, and what is broken off in between. */
import { EncryptionError, MemoryKeyStore, type DeviceOptions } from 'twilio-chat-encryption';
import { importCard } from 'twilio-chat-encryption/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Device } from '../../src/client/device.ts';
import { codeOf } from '../outcomes.ts';
import { Channel } from './channel.ts';
import { after, day, open as openOn, Server, START, stopClocks } from './devices.ts';

stopClocks();

let server: Server;
let keyStore: MemoryKeyStore;

beforeEach(() => {
  server = new Server();
  keyStore = new MemoryKeyStore();
});

/** Opens alice's one device. */
const open = (options: Partial<DeviceOptions> = {}): Promise<Device> =>
  openOn(server, { keyStore, ...options });

describe('keys are replaced', () => {
  test('when the device is opened after so many days, and not before', async () => {
    const first = (await open({ rotateAfterDays: 30 })).card().id;
    after(29);
    expect((await open({ rotateAfterDays: 30 })).card().id).toBe(first);
    after(30);
    expect((await open()).card().id).toBe(first);
    const rotated = await open({ rotateAfterDays: 30 });
    expect(rotated.card()).toMatchObject({ previousCardId: first, createdAt: day(30) });
    after(59);
    expect((await open({ rotateAfterDays: 30 })).card().id).toBe(rotated.card().id);
  });

  test('later, if the server cannot be reached then', async () => {
    const first = (await open()).card().id;
    after(31);
    server.failWith('DIRECTORY_UNREACHABLE');
    const offline = await open({ rotateAfterDays: 30 });
    expect(offline.card().id).toBe(first);
    server.recover();
    // The keys that were made then are the ones that are used now, without being asked to rotate.
    const next = await open();
    expect(next.card().previousCardId).toBe(first);
    expect((await open()).card().id).toBe(next.card().id);
  });

  test('by the next call, if the first broke off', async () => {
    const device = await open();
    const first = device.card().id;
    server.failWith('DIRECTORY_UNREACHABLE');
    expect(await codeOf(device.changes.rotate('password'))).toBe('DIRECTORY_UNREACHABLE');
    expect(device.card().id).toBe(first);
    const channel = new Channel('alice');
    expect(await channel.send(device, 'as before')).toBe(0);
    server.recover();
    const next = await device.changes.rotate('password');
    expect(device.card()).toMatchObject({ id: next, previousCardId: first });
    expect(server.published).toBe(2);
  });

  test('not, if the server refuses: the device goes on with those it has', async () => {
    const device = await open();
    server.failWith('DIRECTORY_REFUSED');
    expect(await codeOf(device.changes.rotate('password'))).toBe('DIRECTORY_REFUSED');
    server.recover();
    const channel = new Channel('alice');
    expect(await channel.send(device, 'as before')).toBe(0);
    expect(await channel.read(device, 0)).toBe('as before (pinned)');
  });

  test('not, once the device was revoked, which still opens', async () => {
    const device = await open();
    await device.devices.revoke(device.card().id);
    after(31);
    const opened = await open({ rotateAfterDays: 30 });
    expect(opened.card().id).toBe(device.card().id);
    expect(await codeOf(new Channel('alice').send(opened, 'x'))).toBe('DEVICE_REVOKED');
  });

  test('once, by two calls at once', async () => {
    const device = await open();
    const [one, two] = await Promise.all([
      device.changes.rotate('password'),
      device.changes.rotate('password'),
    ]);
    expect(one).toBe(two);
    expect(await device.devices.list()).toHaveLength(2);
  });

  test('while messages are being sent: all arrive, and are read', async () => {
    const [device, channel] = [await open(), new Channel('alice')];
    const sending = [0, 1, 2, 3].map((at) => channel.send(device, `message ${at}`));
    await device.changes.rotate('password');
    sending.push(channel.send(device, 'message 4'));
    for (const index of await Promise.all(sending)) {
      expect(await channel.read(device, index)).toBe(`message ${index} (pinned)`);
    }
  });
});

test('two tabs that open when keys are due both open, with the same new ones', async () => {
  const first = (await open()).card().id;
  after(31);
  const tabs = await Promise.all([open({ rotateAfterDays: 30 }), open({ rotateAfterDays: 30 })]);
  const [one, two] = tabs.map((tab) => tab.card());
  expect(one).toMatchObject({ previousCardId: first });
  expect(two?.id).toBe(one?.id);
});

test('a device that is closed while its keys are replaced has none any more, and goes on when it is opened', async () => {
  const device = await open();
  const before = device.card().id;
  server.publishing = (publish) => {
    device.close();
    return publish();
  };
  expect(await codeOf(device.changes.rotate('password'))).toBe('CLOSED');
  // Only keys that are held give another card.
  expect(device.card().id).toBe(before);
  server.recover();
  expect((await open()).card().previousCardId).toBe(before);
});

test('when the answer of the server is lost, the device goes on with the card that others encrypt for', async () => {
  const device = await open();
  const bob = await openOn(server, { identity: 'bob' });
  const channel = new Channel('alice', 'bob');
  await channel.tell(device, bob, 'before');
  server.publishing = async (publish) => {
    await publish();
    throw new EncryptionError('DIRECTORY_UNREACHABLE', 'The answer was lost.');
  };
  expect(await codeOf(device.changes.rotate('password'))).toBe('DIRECTORY_UNREACHABLE');
  server.recover();
  // Cards are asked for again by then.
  after(0.01);
  expect(await channel.tell(bob, device, 'for the new card')).toBe('for the new card (pinned)');
  expect(await channel.tell(device, bob, 'by the new card')).toBe('by the new card (pinned)');
});

describe('a clock that was ahead, by which the server refused a card,', () => {
  const ahead = 365;

  /** As the token server does; its clock is right. */
  function refuseFuture(): void {
    server.now = () => START;
    server.publishing = async (publish, exported) => {
      const { createdAt } = await importCard(exported);
      if (createdAt <= server.now() + 5 * 60_000) return publish();
      throw new EncryptionError('DIRECTORY_REFUSED', 'CLOCK_SKEW');
    };
  }

  test('does not keep a new device from opening once it is right', async () => {
    refuseFuture();
    after(ahead);
    expect(await codeOf(open())).toBe('DIRECTORY_REFUSED');
    after(0);
    const device = await open();
    expect(await new Channel('alice').tell(device, device, 'x')).toBe('x (pinned)');
  });

  test('does not keep a device from getting new keys once it is right', async () => {
    const device = await open();
    const before = device.card().id;
    refuseFuture();
    after(ahead);
    expect(await codeOf(device.changes.rotate('password'))).toBe('DIRECTORY_REFUSED');
    after(0);
    const next = await device.changes.rotate('password');
    expect(device.card()).toMatchObject({ id: next, previousCardId: before, createdAt: START });
  });
});

describe('the private keys of a new card', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('are wiped when they are sealed', async () => {
    const made: Uint8Array[] = [];
    const random = crypto.getRandomValues.bind(crypto);
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      // Signing seed, X25519 secret and X-Wing seed.
      if (array instanceof Uint8Array && array.length === 96) made.push(array);
      return random(array);
    });
    const device = await open();
    await device.changes.rotate('password');
    expect(made).toEqual([new Uint8Array(96), new Uint8Array(96)]);
  });
});

/** New keys when their time has come, what becomes of the old ones, and what is broken off in between. */
import { EncryptionError, MemoryKeyStore, type DeviceOptions } from 'twilio-chat-encryption';
import { parseIdentity } from 'twilio-chat-encryption/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { DeliveredMessage } from '../../src/client/delivered.ts';
import { checkDeviceOptions } from '../../src/client/device-options.ts';
import { openDevice, type Device } from '../../src/client/device.ts';
import type { Outlet } from '../../src/client/outlet.ts';
import { codeOf } from '../outcomes.ts';
import { CHANNEL } from '../protocol/people.ts';
import { LoggedDirectory, PINS } from './logged-directory.ts';

const DAYS = 24 * 60 * 60_000;
const START = Date.UTC(2026, 0, 1);

/** A directory that can be out of reach, or refuse. */
class Directory extends LoggedDirectory {
  failure: 'DIRECTORY_UNREACHABLE' | 'DIRECTORY_REFUSED' | null = null;
  published = 0;

  override async publish(exported: string): Promise<string> {
    if (this.failure) throw new EncryptionError(this.failure, 'No.');
    this.published += 1;
    return super.publish(exported);
  }
}

let directory: Directory;
let keyStore: MemoryKeyStore;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  directory = new Directory();
  keyStore = new MemoryKeyStore();
});

afterEach(() => {
  vi.useRealTimers();
});

async function open(options: Partial<DeviceOptions> = {}): Promise<Device> {
  const usual = { ...PINS, identity: 'alice', server: directory, keyStore, password: 'password' };
  return openDevice(await checkDeviceOptions({ ...usual, ...options }));
}

function after(days: number): void {
  vi.setSystemTime(START + days * DAYS);
}

/** A channel of alice's alone. */
class Channel implements Outlet {
  readonly channelSid = CHANNEL;
  readonly limit = 32_768;
  readonly #posted: { readonly body: string; readonly at: number }[] = [];
  members = () => Promise.resolve([parseIdentity('alice')]);
  post = (body: string) => Promise.resolve(this.#posted.push({ body, at: Date.now() }) - 1);
  find = () => Promise.resolve(null);

  /** What a device makes of the message with this index. */
  async read(device: Device, index: number): Promise<string> {
    const [received] = await device.accept([await device.judge(this.#delivered(index))]);
    const { encryption, content } = received ?? {};
    if (encryption?.status === 'verified') return `${content?.body ?? ''} (${encryption.trust})`;
    return encryption && 'code' in encryption ? encryption.code : 'nothing';
  }

  #delivered(index: number): DeliveredMessage {
    const { body = '', at = 0 } = this.#posted[index] ?? {};
    return {
      ...{ channelSid: CHANNEL, messageSid: `IM${index}`, index, author: 'alice', body },
      ...{ file: null, fileSizes: [], isLive: false, attempts: 0 },
      createdAt: new Date(at),
      updatedAt: new Date(at),
      joinedAt: () => Promise.resolve(new Date(START)),
      members: this.members,
      watchJoins: () => () => undefined,
      around: () => Promise.resolve([]),
    };
  }
}

describe('keys are replaced', () => {
  test('when the device is opened after so many days, and not before', async () => {
    const first = (await open({ rotateAfterDays: 30 })).card().id;
    after(29);
    expect((await open({ rotateAfterDays: 30 })).card().id).toBe(first);
    after(30);
    expect((await open()).card().id).toBe(first);
    const rotated = await open({ rotateAfterDays: 30 });
    expect(rotated.card()).toMatchObject({ previousCardId: first, createdAt: START + 30 * DAYS });
    after(59);
    expect((await open({ rotateAfterDays: 30 })).card().id).toBe(rotated.card().id);
  });

  test('later, if the server cannot be reached then', async () => {
    const first = (await open()).card().id;
    after(31);
    directory.failure = 'DIRECTORY_UNREACHABLE';
    const offline = await open({ rotateAfterDays: 30 });
    expect(offline.card().id).toBe(first);
    directory.failure = null;
    // The keys that were made then are the ones that are used now, without being asked to rotate.
    const next = await open();
    expect(next.card().previousCardId).toBe(first);
    expect((await open()).card().id).toBe(next.card().id);
  });

  test('by the next call, if the first broke off', async () => {
    const device = await open();
    const first = device.card().id;
    directory.failure = 'DIRECTORY_UNREACHABLE';
    expect(await codeOf(device.changes.rotate('password'))).toBe('DIRECTORY_UNREACHABLE');
    expect(device.card().id).toBe(first);
    const channel = new Channel();
    expect(await device.send(channel, { body: 'as before' })).toBe(0);
    directory.failure = null;
    const next = await device.changes.rotate('password');
    expect(device.card()).toMatchObject({ id: next, previousCardId: first });
    expect(directory.published).toBe(2);
  });

  test('not, if the server refuses: the device goes on with those it has', async () => {
    const device = await open();
    directory.failure = 'DIRECTORY_REFUSED';
    expect(await codeOf(device.changes.rotate('password'))).toBe('DIRECTORY_REFUSED');
    directory.failure = null;
    const channel = new Channel();
    expect(await device.send(channel, { body: 'as before' })).toBe(0);
    expect(await channel.read(device, 0)).toBe('as before (pinned)');
  });

  test('not, once the device was revoked, which still opens', async () => {
    const device = await open();
    await device.devices.revoke(device.card().id);
    after(31);
    const opened = await open({ rotateAfterDays: 30 });
    expect(opened.card().id).toBe(device.card().id);
    expect(await codeOf(opened.send(new Channel(), { body: 'x' }))).toBe('DEVICE_REVOKED');
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
    const [device, channel] = [await open(), new Channel()];
    const sending = [0, 1, 2, 3].map((at) => device.send(channel, { body: `message ${at}` }));
    await device.changes.rotate('password');
    sending.push(device.send(channel, { body: 'message 4' }));
    for (const index of await Promise.all(sending)) {
      expect(await channel.read(device, index)).toBe(`message ${index} (pinned)`);
    }
  });
});

describe('keys that were replaced', () => {
  const twoMessages = async (): Promise<Channel> => {
    const channel = new Channel();
    const device = await open();
    await device.send(channel, { body: 'old' });
    after(30);
    await device.changes.rotate('password');
    await device.send(channel, { body: 'new' });
    device.close();
    return channel;
  };

  test('are kept for ever by default', async () => {
    const channel = await twoMessages();
    after(3000);
    const device = await open();
    expect(await channel.read(device, 0)).toBe('old (pinned)');
  });

  test('are deleted after as many days as the application says; what they opened says so', async () => {
    const channel = await twoMessages();
    after(119);
    const before = await open({ keepKeysDays: 90 });
    expect(await channel.read(before, 0)).toBe('old (pinned)');
    after(121);
    const device = await open({ keepKeysDays: 90 });
    expect(await channel.read(device, 0)).toBe('KEY_DELETED');
    expect(await channel.read(device, 1)).toBe('new (pinned)');
    // For good, whatever the option is later.
    const later = await open();
    expect(await channel.read(later, 0)).toBe('KEY_DELETED');
    expect((await later.devices.list()).map(({ isReadable }) => isReadable)).toEqual([false, true]);
  });

  test.each([0, -1, 1.5, 3651, NaN, '90', null])('%s is no number of days', async (days) => {
    for (const name of ['rotateAfterDays', 'keepKeysDays']) {
      expect(await codeOf(open({ [name]: days }))).toBe('INVALID_ARGUMENT');
    }
  });
});

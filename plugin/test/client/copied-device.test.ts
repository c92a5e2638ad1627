/** A device whose keys somebody else has, too: what it notices itself. */
import { MemoryKeyStore } from 'twilio-chat-encryption';
import type { Bytes } from 'twilio-chat-encryption/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Device } from '../../src/client/device.ts';
import { codeOf } from '../outcomes.ts';
import { Channel } from './channel.ts';
import { confirm, heard, open, Server, stopClocks } from './devices.ts';

stopClocks();

/** A store that can be copied. */
class CopiedStore extends MemoryKeyStore {
  readonly #names = new Set<string>();

  override update(name: string, change: (current: Bytes | null) => Bytes | null): Promise<void> {
    this.#names.add(name);
    return super.update(name, change);
  }

  async copy(): Promise<MemoryKeyStore> {
    const result = new MemoryKeyStore();
    for (const name of this.#names) {
      const record = await this.get(name);
      await result.update(name, () => record);
    }
    return result;
  }
}

let server: Server;
let device: Device;
let thief: Device;

beforeEach(async () => {
  server = new Server();
  const keyStore = new CopiedStore();
  device = await open(server, { keyStore });
  // With the password, too.
  thief = await open(server, { keyStore: await keyStore.copy() });
});

describe('a copy of a device', () => {
  test('that vouches for a card is found out: it is reported, and gets nothing from the original', async () => {
    const unknown = heard(device, 'ownCardUnknown');
    const planted = await open(server, { device: 'planted' });
    await confirm(thief, planted);
    expect(await device.devices.list()).toMatchObject([
      { isThis: true, trust: 'pinned' },
      { device: 'planted', trust: 'changed' },
    ]);
    const channel = new Channel('alice');
    expect(await channel.tell(device, planted, 'a secret')).toBe('NOT_ADDRESSED');
    expect(unknown).toEqual([{ identity: 'alice', cardIds: [planted.card().id] }]);
  });

  test('that replaces the card is found out: the original says so once, and sends nothing', async () => {
    const revoked = heard(device, 'deviceRevoked');
    await thief.changes.rotate('password');
    await device.devices.list();
    await device.devices.list();
    expect(revoked).toEqual([{ identity: 'alice', status: 'superseded' }]);
    expect(await codeOf(new Channel('alice').send(device, 'x'))).toBe('DEVICE_REVOKED');
  });

  test('speaks for nobody once the card is revoked as compromised, not on the original either', async () => {
    const bob = await open(server, { identity: 'bob' });
    const channel = new Channel('alice', 'bob');
    await channel.send(thief, 'before');
    const index = await channel.send(thief, 'by the thief');
    await device.devices.revoke(device.card().id, { compromisedSince: new Date() });
    await bob.cards.find('alice');
    const later = Date.now() + 10 * 60_000;
    expect(await channel.read(bob, index, later)).toBe('CARD_REVOKED');
    expect(await channel.read(device, index, later)).toBe('CARD_REVOKED');
  });
});

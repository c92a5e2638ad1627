/** A device that was shown two logs, of which neither became the other. */
import { exportCard } from 'twilio-chat-encryption/protocol';
import { describe, expect, test, vi } from 'vitest';
import type { Device } from '../../src/client/device.ts';
import { codeOf } from '../outcomes.ts';
import { person } from '../protocol/people.ts';
import { Channel } from './channel.ts';
import { open, Server, stopClocks } from './devices.ts';

stopClocks();

/** Alice, who was shown a fork once, and Bob, whom she does not know yet. */
async function afterSplit(): Promise<{ readonly alice: Device; readonly bob: Device }> {
  const server = new Server();
  const bob = await open(server, { identity: 'bob' });
  const alice = await open(server);
  const fork = new Server();
  while (fork.log.size < server.log.size) {
    await fork.publish(exportCard((await person('mallory')).card));
  }
  const lookup = vi.spyOn(server, 'lookup').mockImplementation((...asked) => fork.lookup(...asked));
  expect(await codeOf(alice.devices.list())).toBe('SPLIT_VIEW');
  lookup.mockRestore();
  expect(await alice.splitView()).not.toBeNull();
  return { alice, bob };
}

describe('nobody is trusted at first sight', () => {
  test('by sending to them', async () => {
    const { alice } = await afterSplit();
    expect(await codeOf(new Channel('alice', 'bob').send(alice, 'x'))).toBe('SPLIT_VIEW');
  });

  test('by looking at their devices, or comparing a safety number', async () => {
    const { alice } = await afterSplit();
    expect(await codeOf(alice.safetyNumbers.trustOf('bob'))).toBe('SPLIT_VIEW');
    expect(await codeOf(alice.safetyNumbers.safetyNumber('bob'))).toBe('SPLIT_VIEW');
    expect(await codeOf(new Channel('alice', 'bob').send(alice, 'x'))).toBe('SPLIT_VIEW');
  });

  test('by reading what they wrote, which is shown as by somebody unconfirmed', async () => {
    const { alice, bob } = await afterSplit();
    const channel = new Channel('alice', 'bob');
    expect(await channel.tell(bob, alice, 'hello')).toBe('hello (changed)');
    expect(await codeOf(channel.send(alice, 'x'))).toBe('SPLIT_VIEW');
  });
});

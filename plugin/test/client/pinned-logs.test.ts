/** Several logs are pinned, while one takes the place of another. */
import { MemoryKeyStore } from 'twilio-chat-encryption';
import { base64url, curves } from 'twilio-chat-encryption/protocol';
import { describe, expect, test } from 'vitest';
import { codeOf } from '../outcomes.ts';
import { APP_KEY, random } from '../protocol/people.ts';
import { Channel } from './channel.ts';
import { heard, open, Server, stopClocks } from './devices.ts';
import { PINS } from './logged-directory.ts';

stopClocks();

const OLD = PINS.logKey;

/** A token server that began another log, and its key. */
async function nextLog() {
  const key = await (await curves()).importSigningKey(random(32));
  return { server: new Server(APP_KEY, key), logKey: base64url.encode(key.publicKey) };
}

test('while the newer log is not there yet, the older one is used', async () => {
  const { logKey } = await nextLog();
  const server = new Server();
  const device = await open(server, { logKey: [logKey, OLD] });
  const bob = await open(server, { identity: 'bob', logKey: OLD });
  const channel = new Channel('alice', 'bob');
  expect(await channel.tell(device, bob, 'hello')).toBe('hello (new)');
});

describe('once the newer log is there', () => {
  /** Alice's device, which was opened before, and everything it may be opened with. */
  async function moved() {
    const keyStore = new MemoryKeyStore();
    const before = new Server();
    const next = await nextLog();
    const options = { keyStore, logKey: [next.logKey, OLD] };
    const device = await open(before, options);
    const channel = new Channel('alice');
    const index = await channel.send(device, 'before');
    device.close();
    return { before, next, options, channel, index };
  }

  test('a device that is opened goes on with it, and reads what was sent before', async () => {
    const { next, options, channel, index } = await moved();
    const device = await open(next.server, options);
    expect(await channel.read(device, index)).toBe('before (pinned)');
    expect(await channel.tell(device, device, 'after')).toBe('after (pinned)');
    expect(heard(device, 'splitView')).toEqual([]);
  });

  test('a device does not go back: whoever has the old key would hide all that came since', async () => {
    const { before, next, options, channel, index } = await moved();
    (await open(next.server, options)).close();
    const device = await open(before, options);
    expect(await codeOf(device.devices.list())).toBe('LOG_STALE');
    expect(await codeOf(channel.send(device, 'x'))).toBe('LOG_STALE');
    // What there is can be read.
    expect(await channel.read(device, index)).toBe('before (pinned)');
  });

  test('a device that is open says that it must be opened again', async () => {
    const { before, next, options } = await moved();
    const device = await open(before, options);
    before.lookup = (...asked) => next.server.lookup(...asked);
    expect(await codeOf(device.devices.list())).toBe('LOG_CHANGED');
    device.close();
    expect(await (await open(next.server, options)).devices.list()).toMatchObject([
      { status: 'live' },
    ]);
  });

  test('one that ended is used for the heads in messages, and for nothing else', async () => {
    const { before, next, options, channel, index } = await moved();
    const pins = { keyStore: options.keyStore, logKey: next.logKey, earlierLogKeys: [OLD] };
    const device = await open(next.server, pins);
    expect(await channel.read(device, index)).toBe('before (pinned)');
    device.close();
    const without = await open(next.server, { ...pins, earlierLogKeys: [] });
    expect(await channel.read(without, index)).toBe('MALFORMED');
    without.close();
    // A device that never saw the newer one would be shown the old one by whoever stole its key.
    const fresh = await open(before, { ...pins, keyStore: new MemoryKeyStore(), identity: 'bob' });
    expect(await codeOf(fresh.devices.list())).toBe('LOG_STALE');
  });
});

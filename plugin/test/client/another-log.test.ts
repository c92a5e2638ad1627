/** A log that does not go on from what a device saw of it: another one, or one that was hacked. */
import { MemoryKeyStore } from 'twilio-chat-encryption';
import { base64url, curves, parseIdentity } from 'twilio-chat-encryption/protocol';
import { describe, expect, test } from 'vitest';
import { codeOf } from '../outcomes.ts';
import { ForgetfulLog } from '../malicious-server/forgetful-log.ts';
import { APP_KEY, LOG_KEY, random } from '../protocol/people.ts';
import { Channel } from './channel.ts';
import { open, Server, stopClocks } from './devices.ts';

stopClocks();

describe('a log under another key, which the application pinned when the last one was lost', () => {
  const anotherLog = async () => {
    const key = await (await curves()).importSigningKey(random(32));
    return { server: new Server(APP_KEY, key), logKey: base64url.encode(key.publicKey) };
  };

  test('opens the devices that knew the last one, which send and read', async () => {
    const keyStore = new MemoryKeyStore();
    const channel = new Channel('alice', 'bob');
    const before = new Server();
    const device = await open(before, { keyStore });
    device.close();
    const { server, logKey } = await anotherLog();
    const bob = await open(server, { logKey, identity: 'bob' });
    const again = await open(server, { logKey, keyStore });
    expect(again.card().id).toBe(device.card().id);
    expect(await channel.tell(again, again, 'after')).toBe('after (pinned)');
    expect(await channel.tell(bob, again, 'hello')).toBe('hello (pinned)');
    expect(await channel.tell(again, bob, 'to Bob')).toBe('to Bob (pinned)');
  });

  test('is compared with nothing of the last one, however large it grows', async () => {
    const before = new Server();
    for (const identity of ['x', 'y', 'bob']) await open(before, { identity });
    const keyStore = new MemoryKeyStore();
    const carol = await open(before, { identity: 'carol', keyStore });
    await carol.safetyNumbers.trustOf('bob');
    carol.close();
    const { server, logKey } = await anotherLog();
    await open(server, { logKey, identity: 'bob' });
    const again = await open(server, { logKey, identity: 'carol', keyStore });
    for (const identity of ['d', 'e', 'f', 'g']) {
      // It is another device of Bob's, which nobody vouched for.
      expect(await again.safetyNumbers.trustOf('bob')).toMatchObject([{ trust: 'changed' }]);
      await open(server, { logKey, identity });
      await again.cards.find('bob');
    }
  });
});

describe('a log that took back what it had about a person', () => {
  test('does not shut them out of what they have: the device opens and reads, and sends nothing', async () => {
    const log = new ForgetfulLog(LOG_KEY);
    const server = new Server(APP_KEY, LOG_KEY, log);
    const keyStore = new MemoryKeyStore();
    const channel = new Channel('alice');
    const device = await open(server, { keyStore });
    const index = await channel.send(device, 'mine');
    const before = log.size;
    // A card is planted, and taken out again when the server is repaired.
    await open(server);
    await device.devices.list();
    const content = 'of somebody else';
    const { id: cardId } = device.card();
    await log.appendTo(before, {
      ...{ operation: 'approve', time: Date.now(), identity: parseIdentity('nobody') },
      ...{ cardId, content },
    });
    expect(await codeOf(device.devices.list())).toBe('LOG_INVALID');
    device.close();
    const again = await open(server, { keyStore });
    expect(await channel.read(again, index)).toBe('mine (pinned)');
    expect(await codeOf(channel.send(again, 'x'))).toBe('LOG_INVALID');
  });
});

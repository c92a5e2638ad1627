import { describe, expect, test } from 'vitest';
import { next } from './support/events.ts';
import { createPair, createWorld } from './support/world.ts';

/** JSON text of exactly so many bytes. */
const attributes = (bytes: number): string => 'x'.repeat(bytes - 2);

describe('limits', () => {
  test('of messages are counted in bytes of UTF-8', async () => {
    const { connect } = await createWorld();
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const [ours, theirs] = await createPair(alice, bob);
    const heard = next(theirs, 'messageAdded');
    const longest = 'é'.repeat(16 * 1024);
    await ours.sendMessage(longest, attributes(4096));
    expect((await heard).body).toBe(longest);

    const tooLong = { status: 400, body: { code: 50504 } };
    await expect(ours.sendMessage(`${longest}a`)).rejects.toMatchObject(tooLong);
    await expect((await heard).updateBody(`${longest}a`)).rejects.toThrow();
    await expect(ours.sendMessage('a'.repeat(1_000_000))).rejects.toMatchObject(tooLong);
    await expect(ours.sendMessage('a', attributes(4097))).rejects.toMatchObject({ status: 400 });
    expect(await ours.sendMessage('fits')).toBe(1);
  });

  test('of channels', async () => {
    const { connect } = await createWorld();
    const alice = await connect('alice');
    const channel = await alice.createChannel({
      friendlyName: 'é'.repeat(256),
      uniqueName: 'u'.repeat(256),
      attributes: attributes(16 * 1024),
    });
    const refused = async (attempt: Promise<unknown>, code: number): Promise<void> => {
      await expect(attempt).rejects.toMatchObject({ status: 400, body: { code } });
    };
    await refused(alice.createChannel({ friendlyName: 'f'.repeat(257) }), 50003);
    await refused(alice.createChannel({ uniqueName: 'u'.repeat(257) }), 50004);
    await refused(alice.createChannel({ attributes: attributes(16 * 1024 + 1) }), 50303);
    await refused(alice.createChannel({ uniqueName: channel.sid }), 50306);
    await refused(channel.updateFriendlyName('f'.repeat(257)), 50003);
    await refused(channel.add('i'.repeat(257)), 50207);
  });
});

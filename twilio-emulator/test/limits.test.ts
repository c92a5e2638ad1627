import { describe, expect, test } from 'vitest';
import { createRoom } from './support/rooms.ts';
import { next } from './support/sdk.ts';
import { createWorld, SDKS } from './support/world.ts';

/** JSON text of exactly so many bytes. */
const attributes = (bytes: number): string => 'x'.repeat(bytes - 2);

describe.each(SDKS)('$name: the limits', (sdk) => {
  test('of messages are counted in bytes of UTF-8', async () => {
    const { device, emulator } = await createWorld();
    const [alice, bob] = [await device(sdk, 'alice'), await device(sdk, 'bob')];
    const [{ raw: ours }, theirs] = await createRoom(emulator, alice, [bob]);
    if (theirs === undefined) expect.fail();
    const heard = next(theirs, 'messageAdded');
    const longest = 'é'.repeat(16 * 1024);
    await ours.sendMessage(longest, attributes(4096));
    expect((await heard).body).toBe(longest);

    const tooLong = { status: 400, body: { code: 50504 } };
    await expect(ours.sendMessage(`${longest}a`)).rejects.toMatchObject(tooLong);
    const [own] = (await ours.getMessages()).items;
    await expect(own?.updateBody(`${longest}a`)).rejects.toMatchObject(tooLong);
    await expect(own?.updateAttributes(attributes(4097))).rejects.toMatchObject({ status: 400 });
    await expect(ours.sendMessage('a'.repeat(1_000_000))).rejects.toMatchObject(tooLong);
    await expect(ours.sendMessage('a', attributes(4097))).rejects.toMatchObject({ status: 400 });
    expect(await ours.sendMessage('fits')).toBe(1);
  });

  test('of rooms', async () => {
    const { device } = await createWorld();
    const alice = await device(sdk, 'alice');
    const { raw: room } = await alice.create({
      friendlyName: 'é'.repeat(256),
      uniqueName: 'u'.repeat(256),
      attributes: attributes(16 * 1024),
    });
    const refused = async (attempt: Promise<unknown>, code: number): Promise<void> => {
      await expect(attempt).rejects.toMatchObject({ status: 400, body: { code } });
    };
    await refused(alice.create({ friendlyName: 'f'.repeat(257) }), 50003);
    await refused(alice.create({ uniqueName: 'u'.repeat(257) }), 50004);
    await refused(alice.create({ attributes: attributes(16 * 1024 + 1) }), 50303);
    await refused(alice.create({ uniqueName: room.sid }), 50306);
    await refused(room.updateFriendlyName('f'.repeat(257)), 50003);
    await refused(room.updateAttributes(attributes(16 * 1024 + 1)), 50303);
    await refused(room.add('i'.repeat(257)), 50207);
  });

  test('of members', async () => {
    const { device, emulator } = await createWorld();
    const alice = await device(sdk, 'alice');
    const [room] = await createRoom(emulator, alice, []);
    for (let i = 1; i < 1000; i++) emulator.tamper.addMember('u', `member ${i}`);
    await expect(room.raw.add('one too many')).rejects.toMatchObject({
      ...{ status: 403, body: { code: 50403 } },
    });
    const self = await room.memberByIdentity('alice');
    await self?.updateAttributes(attributes(4096));
    await expect(self?.updateAttributes(attributes(4097))).rejects.toMatchObject({ status: 400 });
  });
});

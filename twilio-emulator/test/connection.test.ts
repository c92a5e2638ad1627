import { describe, expect, test } from 'vitest';
import { createRoom } from './support/rooms.ts';
import { collect, next } from './support/sdk.ts';
import { createWorld, PAIRS, SDKS, settled } from './support/world.ts';

describe.concurrent.each(PAIRS)(
  '$label, after a broken connection:',
  ({ ours: first, theirs: second }) => {
    async function createScene(atEnd: (cleanUp: () => Promise<void>) => void) {
      const { device, emulator } = await createWorld({}, atEnd);
      const [alice, bob] = [await device(first, 'alice'), await device(second, 'bob')];
      const [ours, theirs] = await createRoom(emulator, alice, [bob]);
      if (theirs === undefined) expect.fail();
      return { emulator, alice, bob, ours, theirs };
    }

    test('a client gets what it missed, in order and once', async ({ onTestFinished }) => {
      const { emulator, bob, ours, theirs } = await createScene(onTestFinished);
      const early = [next(theirs, 'messageAdded'), next(ours, 'messageAdded')] as const;
      await ours.raw.sendMessage('before');
      const [, mine] = await Promise.all(early);
      await settled(emulator, 'bob');

      const missed = collect(theirs, 'messageAdded', 3);
      const edited = next(theirs, 'messageUpdated');
      const renamed = next(theirs, 'updated', (e) => e.updateReasons.includes('friendlyName'));
      const lost = next(bob, 'connectionStateChanged', (state) => state !== 'connected');
      emulator.tamper.disconnect('bob');
      await lost;
      for (const body of ['one', 'two', 'three']) await ours.raw.sendMessage(body);
      await mine.updateBody('edited');
      await ours.raw.updateFriendlyName('renamed');

      expect((await missed).map(({ index, body }) => `${index} ${body ?? ''}`)).toEqual([
        '1 one',
        '2 two',
        '3 three',
      ]);
      expect((await edited).message.body).toBe('edited');
      await renamed;
      expect(theirs.raw.friendlyName).toBe('renamed');
      expect((await theirs.raw.getMessages()).items.map(({ body }) => body)).toEqual([
        'edited',
        'one',
        'two',
        'three',
      ]);
    });

    test('a client learns that it was removed, and hears of nothing later', async ({
      onTestFinished,
    }) => {
      const { emulator, bob, ours, theirs } = await createScene(onTestFinished);
      const bodies: unknown[] = [];
      theirs.on('messageAdded', ({ body }) => bodies.push(body));
      const left = next(bob, 'roomLeft');
      const lost = next(bob, 'connectionStateChanged', (state) => state !== 'connected');
      emulator.tamper.disconnect('bob');
      await lost;
      await ours.removeMember('bob');
      await ours.raw.sendMessage('after bob');
      await left;
      expect(bodies).toEqual([]);
      expect(emulator.inspect.followers(`${ours.sid}.messages`)).toEqual(['alice']);
    });

    test('a send may be rejected although it was stored', async ({ onTestFinished }) => {
      const { emulator, alice, ours, theirs } = await createScene(onTestFinished);
      const undo = emulator.tamper.onRequest(({ method, path }) =>
        method === 'POST' && path.endsWith('/Messages')
          ? { when: 'after', then: 'disconnect' }
          : undefined,
      );
      const heard = next(theirs, 'messageAdded');
      const [back, own] = [
        next(alice, 'connectionStateChanged', (state) => state === 'connected'),
        next(ours, 'messageAdded'),
      ];
      await expect(ours.raw.sendMessage('stored')).rejects.toThrow('disconnected');
      undo();
      expect((await heard).body).toBe('stored');
      expect(emulator.inspect.messages('u').length).toBe(1);
      await back;
      expect((await own).body).toBe('stored');
    });

    test('a client that was sent away (308) comes back', async ({ onTestFinished }) => {
      const { emulator, bob, ours, theirs } = await createScene(onTestFinished);
      const heard = next(theirs, 'messageAdded');
      const back = next(bob, 'connectionStateChanged', (state) => state === 'connected');
      emulator.tamper.offload('bob');
      await ours.raw.sendMessage('meanwhile');
      await back;
      expect((await heard).body).toBe('meanwhile');
      const answered = next(ours, 'messageAdded', ({ author }) => author === 'bob');
      await theirs.raw.sendMessage('back');
      expect((await answered).body).toBe('back');
    });
  },
);

describe.concurrent.each(SDKS)('$name: two devices of one identity', (sdk) => {
  test('hear everything, whichever it comes from', async ({ onTestFinished }) => {
    const { device, emulator } = await createWorld({}, onTestFinished);
    const [alice, phone] = [await device(sdk, 'alice'), await device(sdk, 'bob')];
    // The other one runs the other SDK.
    const laptop = await device(SDKS.find((other) => other !== sdk) ?? sdk, 'bob');
    const joined = next(laptop, 'roomJoined');
    const [ours, onPhone] = await createRoom(emulator, alice, [phone]);
    if (onPhone === undefined) expect.fail();
    const onLaptop = await laptop.roomBySid(await joined);
    await onLaptop.members();
    const heard = [next(onPhone, 'messageAdded'), next(onLaptop, 'messageAdded')];
    await ours.raw.sendMessage('to both');
    expect((await Promise.all(heard)).map(({ body }) => body)).toEqual(['to both', 'to both']);
    const atPhone = next(onPhone, 'messageAdded');
    await onLaptop.raw.sendMessage('from the laptop');
    expect((await atPhone).author).toBe('bob');

    const read = next(onLaptop, 'updated', () => onLaptop.horizon() === 1);
    expect(await onPhone.read(1)).toBe(0);
    await read;
    const typing: unknown[] = [];
    onLaptop.on('typingStarted', ({ identity }) => typing.push(identity));
    const seen = next(ours, 'typingStarted');
    await onPhone.raw.typing();
    await seen;
    expect(typing).toEqual([]);
    const left = [next(phone, 'roomLeft'), next(laptop, 'roomLeft')];
    await onPhone.raw.leave();
    expect(await Promise.all(left)).toEqual([ours.sid, ours.sid]);
  });
});

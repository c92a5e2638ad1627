import { describe, expect, test, vi } from 'vitest';
import { admit, createRoom } from './support/rooms.ts';
import { next, type Member } from './support/sdk.ts';
import { createWorld, PAIRS, SDKS, settled } from './support/world.ts';

describe.concurrent.each(SDKS)('$name: a room', (sdk) => {
  test('is created with names and attributes, and found by sid and unique name', async ({
    onTestFinished,
  }) => {
    const { device, emulator } = await createWorld({}, onTestFinished);
    const alice = await device(sdk, 'alice');
    const added = next(alice, 'roomAdded');
    const room = await alice.create({
      ...{ uniqueName: 'room 1/ü', friendlyName: 'Room', attributes: { topic: 'x' } },
    });
    expect(await added).toBe(room.sid);
    expect(room.raw).toMatchObject({
      ...{ status: 'notParticipating', createdBy: 'alice', attributes: { topic: 'x' } },
      ...{ friendlyName: 'Room', uniqueName: 'room 1/ü' },
    });
    expect(await room.raw.getAttributes()).toEqual({ topic: 'x' });
    expect((await alice.roomBySid(room.sid)).raw.friendlyName).toBe('Room');
    expect((await alice.roomByUniqueName('room 1/ü')).sid).toBe(room.sid);
    await expect(alice.roomByUniqueName('nowhere')).rejects.toThrow();
    await expect(alice.create({ uniqueName: 'room 1/ü' })).rejects.toMatchObject({
      ...{ status: 409, body: { code: 50307 } },
    });
    expect(emulator.inspect.channels()).toMatchObject([{ type: 'private', members: [] }]);
  });

  test('may have no names, and any JSON for its attributes', async ({ onTestFinished }) => {
    const { device } = await createWorld({}, onTestFinished);
    const alice = await device(sdk, 'alice');
    const room = await alice.create({ attributes: ['any', null] });
    expect(room.raw).toMatchObject({ friendlyName: null, attributes: ['any', null] });
    expect(room.raw.uniqueName).toBeNull();
  });

  test('is closed to strangers', async ({ onTestFinished }) => {
    const { device } = await createWorld({}, onTestFinished);
    const [alice, eve] = [await device(sdk, 'alice'), await device(sdk, 'eve')];
    const secret = await alice.create({ uniqueName: 'secret' });
    await expect(eve.roomByUniqueName('secret')).rejects.toThrow();
    await expect(eve.roomBySid(secret.sid)).rejects.toThrow();
  });

  test('is listed for a user who connects later', async ({ onTestFinished }) => {
    const { device } = await createWorld({}, onTestFinished);
    const alice = await device(sdk, 'alice');
    for (let i = 0; i < 60; i++) {
      const room = await alice.create({ uniqueName: `r${i}` });
      await room.raw.add('bob');
    }
    const bob = await device(sdk, 'bob');
    const rooms = await bob.subscribedRooms();
    expect(new Set(rooms.map(({ raw }) => raw.uniqueName)).size).toBe(60);
    expect(rooms.every(({ raw }) => raw.status === 'joined')).toBe(true);
  });

  test('keeps identities apart, whatever characters they have', async ({ onTestFinished }) => {
    const { device, emulator } = await createWorld({}, onTestFinished);
    const alice = await device(sdk, 'alice');
    for (const identity of ['a b@c.d', '__proto__', '50 %', 'a/b', 'constructor']) {
      const other = await device(sdk, identity);
      const [ours, theirs] = await createRoom(emulator, alice, [other], { uniqueName: identity });
      expect(await theirs?.raw.sendMessage('hi')).toBe(0);
      expect((await ours.memberByIdentity(identity))?.identity).toBe(identity);
      const left = next(other, 'roomLeft');
      await ours.removeMember(identity);
      await left;
      expect(emulator.inspect.messages(identity)[0]?.author).toBe(identity);
    }
  });
});

describe.concurrent.each(PAIRS)('$label: members', ({ ours: first, theirs: second }) => {
  async function createScene(atEnd: (cleanUp: () => Promise<void>) => void) {
    const { device, emulator } = await createWorld({}, atEnd);
    const [alice, bob] = [await device(first, 'alice'), await device(second, 'bob')];
    const [ours, theirs] = await createRoom(emulator, alice, [bob]);
    if (theirs === undefined) expect.fail();
    return { device, emulator, alice, bob, ours, theirs };
  }

  test('learn of changed names and attributes', async ({ onTestFinished }) => {
    const { emulator, alice, ours, theirs } = await createScene(onTestFinished);
    const renamed = next(theirs, 'updated', (e) => e.updateReasons.includes('friendlyName'));
    await ours.raw.updateFriendlyName('New');
    await renamed;
    expect(theirs.raw.friendlyName).toBe('New');
    const changed = next(ours, 'updated', (e) => e.updateReasons.includes('attributes'));
    await theirs.raw.updateAttributes({ by: 'bob' });
    await changed;
    expect(ours.raw.attributes).toEqual({ by: 'bob' });

    const renamedAgain = next(theirs, 'updated', (e) => e.updateReasons.includes('uniqueName'));
    await ours.raw.updateUniqueName('v');
    await renamedAgain;
    expect(theirs.raw.uniqueName).toBe('v');
    await alice.create({ uniqueName: 'u' });
    await expect(ours.raw.updateUniqueName('u')).rejects.toMatchObject({ body: { code: 50307 } });
    await ours.raw.updateUniqueName(null);
    expect(emulator.inspect.channels().map(({ uniqueName }) => uniqueName)).toEqual([null, 'u']);
  });

  test('lose the room when its creator deletes it', async ({ onTestFinished }) => {
    const { emulator, bob, ours, theirs } = await createScene(onTestFinished);
    await expect(theirs.raw.delete()).rejects.toMatchObject({ status: 403 });
    const [gone, removed] = [next(bob, 'roomRemoved'), next(theirs, 'removed')];
    await ours.raw.delete();
    expect(await gone).toBe(ours.sid);
    await removed;
    expect(emulator.inspect.channels()).toEqual([]);
    await expect(bob.roomBySid(ours.sid)).rejects.toThrow();
  });

  test('are counted and listed once', async ({ onTestFinished }) => {
    const { ours, theirs } = await createScene(onTestFinished);
    await expect(ours.raw.add('bob')).rejects.toMatchObject({
      ...{ status: 409, body: { code: 50404 } },
    });
    await vi.waitFor(async () => {
      expect(await theirs.memberCount()).toBe(2);
    });
    const bob = await ours.memberByIdentity('bob');
    expect(bob).toMatchObject({ identity: 'bob', type: 'chat', attributes: {}, isTyping: false });
    expect(await ours.memberBySid(bob?.sid ?? '')).toBe(bob);
    await expect(ours.memberByIdentity('nobody')).rejects.toThrow();
  });

  test('leave, and find the whole history when they come back', async ({ onTestFinished }) => {
    const { bob, ours, theirs } = await createScene(onTestFinished);
    const [left, seen] = [next(bob, 'roomLeft'), next(ours, 'memberLeft')];
    await theirs.raw.leave();
    expect(await left).toBe(ours.sid);
    expect((await seen).identity).toBe('bob');
    await ours.raw.sendMessage('without bob');
    const again = await admit(ours, bob);
    expect((await again.raw.getMessages()).items.map(({ body }) => body)).toEqual(['without bob']);
    const heard = next(again, 'messageAdded');
    await ours.raw.sendMessage('with bob');
    expect((await heard).body).toBe('with bob');
  });

  test('hear nothing more when they are removed', async ({ onTestFinished }) => {
    const { device, emulator, bob, ours, theirs } = await createScene(onTestFinished);
    await admit(ours, await device(second, 'carol'));
    await expect(theirs.removeMember('carol')).rejects.toMatchObject({ status: 403 });

    const left = next(bob, 'roomLeft');
    await ours.removeMember('bob');
    await left;
    await settled(emulator, 'carol');
    const pushed: string[] = [];
    emulator.tamper.onPush(({ identity }) => {
      pushed.push(identity);
      return undefined;
    });
    await ours.raw.sendMessage('secret');
    await ours.raw.updateFriendlyName('secret');
    expect(pushed).toContain('carol');
    expect(pushed).not.toContain('bob');
    await expect(theirs.raw.sendMessage('still here?')).rejects.toThrow();
    const followers = emulator.inspect.followers(`${ours.sid}.messages`);
    expect(followers.toSorted()).toEqual(['alice', 'carol']);
  });

  test('are removed as they are, too, and lead to what they said as long as they are in', async ({
    onTestFinished,
  }) => {
    const { device, bob, ours, theirs } = await createScene(onTestFinished);
    await admit(ours, await device(second, 'carol'));
    const heard = next(ours, 'messageAdded', ({ author }) => author === 'bob');
    await theirs.raw.sendMessage('by bob');
    const message = await heard;
    const author = (): Promise<Member> =>
      'getParticipant' in message ? message.getParticipant() : message.getMember();
    const member = await author();
    expect(member).toBe(await ours.memberByIdentity('bob'));
    const gone = [next(bob, 'roomLeft'), next(ours, 'memberLeft')];
    await member.remove();
    await Promise.all(gone);
    await expect(author()).rejects.toThrow();

    const carol = next(ours, 'memberLeft');
    await ours.removeMember((await ours.memberByIdentity('carol'))?.sid ?? '');
    expect((await carol).identity).toBe('carol');
  });

  test('may do what admins may if they are made one', async ({ onTestFinished }) => {
    const { emulator, ours, theirs } = await createScene(onTestFinished);
    const heard = next(theirs, 'messageAdded');
    await ours.raw.sendMessage('by alice');
    const message = await heard;
    await expect(message.remove()).rejects.toMatchObject({ status: 403 });
    const promoted = next(theirs, 'memberUpdated', (e) => e.updateReasons.includes('roleSid'));
    emulator.operate.setRole('u', 'bob', 'channelAdmin');
    const { member } = await promoted;
    expect(member.roleSid).toBe((await theirs.memberByIdentity('alice'))?.roleSid);
    await message.updateBody('moderated');
    await theirs.removeMember('alice');
    emulator.operate.setRole('u', 'bob', 'channelUser');
    await expect(theirs.raw.delete()).rejects.toMatchObject({ status: 403 });
  });
});

import { describe, expect, test, vi } from 'vitest';
import { next } from './support/events.ts';
import { admit, createPair, createWorld, settled } from './support/world.ts';

describe.concurrent('channels', () => {
  test('are created with names and attributes, and found by sid and unique name', async ({
    onTestFinished,
  }) => {
    const { connect } = await createWorld({}, onTestFinished);
    const alice = await connect('alice');
    const channel = await alice.createChannel({
      uniqueName: 'room 1/ü',
      friendlyName: 'Room',
      attributes: { topic: 'x' },
      isPrivate: true,
    });
    expect(channel.status).toBe('notParticipating');
    expect(channel.createdBy).toBe('alice');
    expect(channel.attributes).toEqual({ topic: 'x' });
    expect((await alice.getChannelBySid(channel.sid)).friendlyName).toBe('Room');
    expect((await alice.getChannelByUniqueName('room 1/ü')).sid).toBe(channel.sid);
    await expect(alice.getChannelByUniqueName('nowhere')).rejects.toThrow();
    await expect(alice.createChannel({ uniqueName: 'room 1/ü' })).rejects.toMatchObject({
      status: 409,
      body: { code: 50307 },
    });
  });

  test('tell their members of changed names and attributes', async ({ onTestFinished }) => {
    const { connect, emulator } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const [ours, theirs] = await createPair(alice, bob);
    const renamed = next(theirs, 'updated', (e) => e.updateReasons.includes('friendlyName'));
    await ours.updateFriendlyName('New');
    expect((await renamed).channel.friendlyName).toBe('New');
    const changed = next(ours, 'updated', (e) => e.updateReasons.includes('attributes'));
    await theirs.updateAttributes({ by: 'bob' });
    expect((await changed).channel.attributes).toEqual({ by: 'bob' });

    await ours.updateUniqueName('v');
    expect(emulator.inspect.channels().map(({ uniqueName }) => uniqueName)).toEqual(['v']);
    await alice.createChannel({ uniqueName: 'u' });
    await expect(ours.updateUniqueName('u')).rejects.toMatchObject({ body: { code: 50307 } });
  });

  test('disappear for everyone when their creator deletes them', async ({ onTestFinished }) => {
    const { connect, emulator } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const [ours, theirs] = await createPair(alice, bob);
    await expect(theirs.delete()).rejects.toMatchObject({ status: 403 });
    const removed = next(bob, 'channelRemoved');
    await ours.delete();
    expect((await removed).sid).toBe(ours.sid);
    expect(emulator.inspect.channels()).toEqual([]);
    await expect(bob.getChannelBySid(ours.sid)).rejects.toThrow();
  });

  test('are closed to strangers if they are private', async ({ onTestFinished }) => {
    const { connect } = await createWorld({}, onTestFinished);
    const [alice, eve] = [await connect('alice'), await connect('eve')];
    const secret = await alice.createChannel({ uniqueName: 'secret', isPrivate: true });
    await expect(eve.getChannelByUniqueName('secret')).rejects.toThrow();
    await expect(eve.getChannelBySid(secret.sid)).rejects.toThrow();
    expect((await eve.getPublicChannelDescriptors()).items).toEqual([]);
  });

  test('are listed, visible and open to everyone if they are public', async ({
    onTestFinished,
  }) => {
    const { connect } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    for (let i = 0; i < 53; i++) {
      await alice.createChannel({ uniqueName: `p${i}`, isPrivate: false });
    }
    const first = await bob.getPublicChannelDescriptors();
    const second = await first.nextPage();
    expect([first.items.length, second.items.length, second.hasNextPage]).toEqual([50, 3, false]);
    expect((await second.prevPage()).items.map(({ uniqueName }) => uniqueName)).toEqual(
      first.items.map(({ uniqueName }) => uniqueName),
    );

    const channel = await (second.items[0] ?? expect.fail()).getChannel();
    expect([channel.uniqueName, channel.status]).toEqual(['p50', 'notParticipating']);
    await expect(channel.sendMessage('from outside')).rejects.toThrow();
    const joined = next(bob, 'channelJoined');
    await channel.join();
    expect((await joined).status).toBe('joined');
    expect(await channel.sendMessage('from inside')).toBe(0);
    // The SDK answers from memory for half a second.
    await vi.waitFor(async () => {
      const own = await bob.getUserChannelDescriptors();
      expect(own.items.map(({ uniqueName }) => uniqueName)).toEqual(['p50']);
    });
  });
});

describe.concurrent('membership', () => {
  test('comes with an invitation, if it is accepted', async ({ onTestFinished }) => {
    const { connect } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const channel = await alice.createChannel({ isPrivate: true });
    await channel.join();
    await channel.getMembers();
    const invited = next(bob, 'channelInvited');
    await channel.invite('bob');
    const invitation = await invited;
    expect(invitation.status).toBe('invited');
    await expect(channel.invite('bob')).rejects.toMatchObject({ body: { code: 50212 } });
    const [joined, seen] = [next(bob, 'channelJoined'), next(channel, 'memberJoined')];
    await invitation.join();
    expect((await joined).sid).toBe(channel.sid);
    expect((await seen).identity).toBe('bob');
  });

  test('does not come with an invitation that is declined', async ({ onTestFinished }) => {
    const { connect, emulator } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob@example.com')];
    const channel = await alice.createChannel({ isPrivate: true });
    const invited = next(bob, 'channelInvited');
    await channel.invite('bob@example.com');
    const invitation = await invited;
    const gone = next(bob, 'channelRemoved');
    await invitation.decline();
    await gone;
    expect(emulator.inspect.channels()[0]).toMatchObject({ members: [], invited: [] });
    await expect(bob.getChannelBySid(channel.sid)).rejects.toThrow();
  });

  test('can be had once', async ({ onTestFinished }) => {
    const { connect } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const [ours] = await createPair(alice, bob);
    await expect(ours.add('bob')).rejects.toMatchObject({ status: 409, body: { code: 50404 } });
    expect(await ours.getMembersCount()).toBe(2);
    expect((await ours.getMembers()).map(({ identity }) => identity).toSorted()).toEqual([
      'alice',
      'bob',
    ]);
    const users = await ours.getUserDescriptors();
    expect(users.items.map(({ identity }) => identity).toSorted()).toEqual(['alice', 'bob']);
  });

  test('ends by leaving, and begins anew with the whole history', async ({ onTestFinished }) => {
    const { connect } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const [ours, theirs] = await createPair(alice, bob);
    const [left, seen] = [next(bob, 'channelLeft'), next(ours, 'memberLeft')];
    await theirs.leave();
    expect((await left).sid).toBe(ours.sid);
    expect((await seen).identity).toBe('bob');
    await ours.sendMessage('without bob');
    const again = await admit(ours, bob);
    expect((await again.getMessages()).items.map(({ body }) => body)).toEqual(['without bob']);
    const heard = next(again, 'messageAdded');
    await ours.sendMessage('with bob');
    expect((await heard).body).toBe('with bob');
  });

  test('ends when the creator removes a member, who hears nothing more', async ({
    onTestFinished,
  }) => {
    const { connect, emulator } = await createWorld({}, onTestFinished);
    const [alice, bob, carol] = [
      await connect('alice'),
      await connect('bob'),
      await connect('carol'),
    ];
    const [ours, theirs] = await createPair(alice, bob);
    await admit(ours, carol);
    await expect(theirs.removeMember('carol')).rejects.toMatchObject({ status: 403 });

    const left = next(bob, 'channelLeft');
    await ours.removeMember('bob');
    await left;
    await settled(emulator, 'carol');
    const pushed: string[] = [];
    emulator.tamper.onPush(({ identity }) => {
      pushed.push(identity);
      return undefined;
    });
    await ours.sendMessage('secret');
    await ours.updateFriendlyName('secret');
    expect(pushed).toContain('carol');
    expect(pushed).not.toContain('bob');
    await expect(theirs.sendMessage('still here?')).rejects.toThrow();
    expect(emulator.inspect.followers(`${ours.sid}.messages`).toSorted()).toEqual([
      'alice',
      'carol',
    ]);
  });

  test('keeps identities apart, whatever characters they have', async ({ onTestFinished }) => {
    const { connect, emulator } = await createWorld({}, onTestFinished);
    const alice = await connect('alice');
    for (const identity of ['a b@c.d', '__proto__', '50 %', 'a/b', 'constructor']) {
      const other = await connect(identity);
      const [ours, theirs] = await createPair(alice, other, identity);
      expect(await theirs.sendMessage('hi')).toBe(0);
      expect((await ours.getMemberByIdentity(identity)).identity).toBe(identity);
      const left = next(other, 'channelLeft');
      await ours.removeMember(identity);
      await left;
      expect(emulator.inspect.messages(identity)[0]?.author).toBe(identity);
    }
  });

  test('lists the channels of a user who connects later', async ({ onTestFinished }) => {
    const { connect } = await createWorld({}, onTestFinished);
    const alice = await connect('alice');
    for (let i = 0; i < 60; i++) {
      const channel = await alice.createChannel({ uniqueName: `c${i}`, isPrivate: true });
      await channel.add('bob');
    }
    const bob = await connect('bob');
    const first = await bob.getSubscribedChannels();
    const sids = first.items.map(({ sid }) => sid);
    const all = first.hasNextPage ? [...sids, ...(await first.nextPage()).items] : sids;
    expect(all.length).toBe(60);
  });
});

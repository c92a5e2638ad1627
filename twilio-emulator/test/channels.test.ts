import type { ChannelSortingOptions } from 'twilio-chat';
import { describe, expect, test, vi } from 'vitest';
import { conversationsClient } from './support/conversations.ts';
import { conversationsSdk } from './support/conversations-sdk.ts';
import { next } from './support/events.ts';
import { next as nextOf } from './support/sdk.ts';
import { createWorld, settled } from './support/world.ts';

describe.concurrent('channels', () => {
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
});

describe.concurrent('what twilio-chat knows of channels it is in', () => {
  test('can be sorted', async ({ onTestFinished }) => {
    const { connect } = await createWorld({}, onTestFinished);
    const alice = await connect('alice');
    for (const name of ['b', 'c', 'a']) {
      const channel = await alice.createChannel({ uniqueName: name, friendlyName: `f${name}` });
      await channel.join();
      await channel.getMembers();
      const heard = next(channel, 'updated', (e) => e.updateReasons.includes('lastMessage'));
      await channel.sendMessage(name);
      await heard;
    }
    // It prints what it compares.
    const print = vi.spyOn(console, 'log').mockReturnValue();
    const sorted = async (options: ChannelSortingOptions) =>
      (await alice.getLocalChannels(options)).map(({ uniqueName }) => uniqueName);
    expect(await sorted({ criteria: 'uniqueName' })).toEqual(['a', 'b', 'c']);
    expect(await sorted({ criteria: 'friendlyName', order: 'descending' })).toEqual([
      'c',
      'b',
      'a',
    ]);
    expect(await sorted({ criteria: 'lastMessage' })).toEqual(['b', 'c', 'a']);
    expect(await alice.getLocalChannels()).toHaveLength(3);
    print.mockRestore();
  });

  test('is described without opening them', async ({ onTestFinished }) => {
    const { connect } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const channel = await alice.createChannel({
      ...{ uniqueName: 'u', friendlyName: 'F', attributes: { k: 1 }, isPrivate: true },
    });
    await channel.add('bob');
    await channel.join();
    await channel.sendMessage('hi');
    await vi.waitFor(async () => {
      const [described] = (await bob.getUserChannelDescriptors()).items;
      expect(described).toMatchObject({
        ...{ sid: channel.sid, uniqueName: 'u', friendlyName: 'F', attributes: { k: 1 } },
        ...{ createdBy: 'alice', membersCount: 2, messagesCount: 1, status: 'joined' },
        ...{ type: 'private', isPrivate: true, lastConsumedMessageIndex: null },
      });
      expect((await described?.getChannel())?.sid).toBe(channel.sid);
    });
  });
});

describe.concurrent('what one SDK has and the other has not:', () => {
  test('who is invited finds a conversation that can be joined', async ({ onTestFinished }) => {
    const { connect, device } = await createWorld({}, onTestFinished);
    const alice = await connect('alice');
    const bob = await device(conversationsSdk, 'bob');
    const added = nextOf(bob, 'roomAdded');
    const channel = await alice.createChannel({ isPrivate: true });
    await channel.invite('bob');
    const room = await bob.roomBySid(await added);
    // The SDK has no such status, and passes on what the service says once it looks.
    expect<string>(room.raw.status).toBe('invited');
    const joined = nextOf(bob, 'roomJoined');
    await room.raw.join();
    expect(await joined).toBe(channel.sid);
  });

  test('a public channel can be peeked at, joined and left', async ({ onTestFinished }) => {
    const world = await createWorld({}, onTestFinished);
    const alice = await world.connect('alice');
    const { client: bob } = await conversationsClient(world, 'bob');
    const channel = await alice.createChannel({ friendlyName: 'open', isPrivate: false });
    const conversation = await bob.peekConversationBySid(channel.sid);
    expect(conversation.friendlyName).toBe('open');
    await expect(conversation.sendMessage('from outside')).rejects.toMatchObject({ status: 403 });
    const joined = new Promise((resolve) => bob.once('conversationJoined', resolve));
    await conversation.join();
    await joined;
    await conversation.getParticipants();
    expect(await conversation.sendMessage('from inside')).toBe(0);
    await settled(world.emulator, 'bob');
    const left = new Promise((resolve) => bob.once('conversationLeft', resolve));
    await conversation.leave();
    await left;
    expect(conversation.status).toBe('notParticipating');
  });
});

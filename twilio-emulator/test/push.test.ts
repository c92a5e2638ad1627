import { Client as ConversationsClient } from '@twilio/conversations';
import { Client as ChatClient } from 'twilio-chat';
import { describe, expect, test } from 'vitest';
import { chatSdk } from './support/chat-sdk.ts';
import { conversationsSdk } from './support/conversations-sdk.ts';
import { admit, createRoom } from './support/rooms.ts';
import { next } from './support/sdk.ts';
import { createWorld, SDKS, settled } from './support/world.ts';

describe.each(SDKS)('$name: push notifications', (sdk) => {
  /** Bob has a device that is registered; the room has a name. */
  async function createScene(platform: 'fcm' | 'apn' = 'fcm') {
    const { device, emulator } = await createWorld();
    const [alice, bob] = [await device(sdk, 'alice'), await device(sdk, 'bob')];
    await bob.raw.setPushRegistrationId(platform, 'device 1');
    const options = { uniqueName: 'u', friendlyName: 'Room' };
    const [ours, theirs] = await createRoom(emulator, alice, [bob], options);
    if (theirs === undefined) expect.fail();
    /** The last one that Bob's device got, as the SDK reads it. */
    const received = async () => {
      const heard = next(bob, 'pushNotification');
      await bob.raw.handlePushNotification({ ...emulator.inspect.pushes().at(-1)?.payload });
      return heard;
    };
    return { emulator, alice, bob, ours, theirs, received };
  }

  test('go to devices that are registered', async () => {
    const { emulator, bob, alice } = await createScene();
    expect(emulator.inspect.registrations()).toMatchObject([
      { identity: 'bob', channelType: 'fcm', address: 'device 1' },
    ]);
    const user = await alice.raw.getUser('bob');
    expect('isNotifiable' in user ? user.isNotifiable : user.notifiable).toBe(true);

    await bob.raw.setPushRegistrationId('fcm', 'device 2');
    expect(emulator.inspect.registrations().map(({ address }) => address)).toEqual(['device 2']);
    await bob.raw.setPushRegistrationId('apn', 'device 3');
    expect(emulator.inspect.registrations()).toHaveLength(2);
    const notifiable = next(alice, 'userUpdated', (e) => e.user.identity === 'bob');

    await bob.raw.unsetPushRegistrationId('fcm');
    await bob.raw.unsetPushRegistrationId('apn');

    expect(emulator.inspect.registrations()).toEqual([]);
    await notifiable;
  });

  test.each(['fcm', 'apn'] as const)('tell of a message through %s', async (platform) => {
    const { emulator, bob, ours, theirs, received } = await createScene(platform);
    const heard = next(theirs, 'messageAdded');
    await ours.raw.sendMessage('hi');
    const { sid } = await heard;
    const push = await received();
    expect(push).toMatchObject({ title: 'Room', body: 'Room;alice: hi', sound: null });
    expect(push.type).toMatch(/new_message$/);
    expect(push.data).toMatchObject({ messageSid: sid, messageIndex: 0 });
    expect(Object.values(push.data)).toContain(ours.sid);
    const [sent] = emulator.inspect.pushes().slice(-1);
    expect(sent).toMatchObject({ identity: 'bob', channelType: platform, address: 'device 1' });
    const Client = bob.raw instanceof ConversationsClient ? ConversationsClient : ChatClient;
    expect(Client.parsePushNotification({ ...sent?.payload })).toEqual(push);
  });

  test('are short: what is longer than 178 bytes is cut between two characters', async () => {
    const { ours, received } = await createScene();
    await ours.raw.sendMessage('é'.repeat(200));
    const { body } = await received();
    expect(body).toBe(`Room;alice: ${'é'.repeat(83)}`);
  });

  test('tell who was added and removed, but not who left', async () => {
    const { emulator, alice, bob, ours, received } = await createScene();
    await alice.raw.user.updateFriendlyName('Alice L.');
    expect(emulator.inspect.pushes()).toHaveLength(1);
    expect((await received()).body).toMatch(/^You have been added to the \w+ Room by alice$/);
    const left = next(bob, 'roomLeft');
    await ours.removeMember('bob');
    await left;
    expect((await received()).body).toMatch(/^Alice L. has removed you from the \w+ Room$/);
    const again = await admit(ours, bob);
    expect(emulator.inspect.pushes()).toHaveLength(3);
    await settled(emulator, 'bob');
    const gone = next(bob, 'roomLeft');
    await again.raw.leave();
    await gone;
    expect(emulator.inspect.pushes()).toHaveLength(3);
  });

  test('do not come for what one said oneself, nor for a room that is muted', async () => {
    const { emulator, ours, theirs } = await createScene();
    const before = emulator.inspect.pushes().length;
    await theirs.raw.sendMessage('own');
    const muted = next(theirs, 'updated', (e) => e.updateReasons.includes('notificationLevel'));
    await theirs.raw.setUserNotificationLevel('muted');
    await muted;
    expect(theirs.raw.notificationLevel).toBe('muted');
    await ours.raw.sendMessage('unheard');
    expect(emulator.inspect.pushes()).toHaveLength(before);
    await theirs.raw.setUserNotificationLevel('default');
    await ours.raw.sendMessage('heard');
    expect(emulator.inspect.pushes()).toHaveLength(before + 1);
  });
});

test('twilio-chat hears of invitations', async () => {
  const { device, connect, emulator } = await createWorld();
  const alice = await connect('alice');
  const bob = await device(chatSdk, 'bob');
  await bob.raw.setPushRegistrationId('fcm', 'd');
  const channel = await alice.createChannel({ friendlyName: 'F', isPrivate: true });
  await channel.invite('bob');
  expect(emulator.inspect.pushes()).toMatchObject([
    { payload: { data: { twi_message_type: 'twilio.channel.invited_to_channel' } } },
  ]);
});

test('Conversations tells of files, and can forget a device that is gone', async () => {
  const { device, emulator } = await createWorld();
  const [alice, bob] = [
    await device(conversationsSdk, 'alice'),
    await device(conversationsSdk, 'bob'),
  ];
  if (!(bob.raw instanceof ConversationsClient)) expect.fail();
  await bob.raw.setPushRegistrationId('fcm', 'd');
  const [ours] = await createRoom(emulator, alice, [bob], { friendlyName: 'F' });
  await ours.raw.sendMessage({ contentType: 'a/b', filename: 'c.d', media: 'x' });
  const payload = { ...emulator.inspect.pushes().at(-1)?.payload };
  const push = ConversationsClient.parsePushNotification(payload);
  expect(push.body).toBe('F;alice: c.d');
  expect(push.data).toMatchObject({
    ...{ conversationTitle: 'F', mediaCount: 1 },
    media: [{ filename: 'c.d', content_type: 'a/b', size: 1 }],
  });
  await bob.raw.removePushRegistrations('fcm', 'd');
  expect(emulator.inspect.registrations()).toEqual([]);
});

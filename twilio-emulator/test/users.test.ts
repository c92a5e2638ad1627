import { describe, expect, test, vi } from 'vitest';
import { chatSdk } from './support/chat-sdk.ts';
import { createRoom } from './support/rooms.ts';
import { next as nextMember } from './support/events.ts';
import { next, type User } from './support/sdk.ts';
import { createWorld, PAIRS, SDKS } from './support/world.ts';

/** The SDKs name this differently. */
function reachability(user: User): { online: boolean | null; notifiable: boolean | null } {
  return 'isOnline' in user
    ? { online: user.isOnline, notifiable: user.isNotifiable }
    : { online: user.online, notifiable: user.notifiable };
}

describe.concurrent.each(PAIRS)('$label: a user', ({ ours: first, theirs: second }) => {
  test('has a name and attributes, which others see change', async ({ onTestFinished }) => {
    const { device, emulator } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await device(first, 'alice'), await device(second, 'bob')];
    const subscribed = next(bob, 'userSubscribed', ({ identity }) => identity === 'alice');
    const user = await bob.raw.getUser('alice');
    expect(await subscribed).toBe(user);
    expect(user).toMatchObject({ friendlyName: null, attributes: {}, isSubscribed: true });

    const named = next(bob, 'userUpdated', (e) => e.updateReasons.includes('friendlyName'));
    await alice.raw.user.updateFriendlyName('Alice L.');
    expect((await named).user.friendlyName).toBe('Alice L.');
    const changed = next(bob, 'userUpdated', (e) => e.updateReasons.includes('attributes'));
    await alice.raw.user.updateAttributes(['any', null]);
    expect((await changed).user).toBe(user);
    expect(user.attributes).toEqual(['any', null]);
    expect(alice.raw.user.friendlyName).toBe('Alice L.');
    expect(emulator.inspect.users()[0]).toMatchObject({
      ...{ identity: 'alice', friendlyName: 'Alice L.', attributes: '["any",null]', online: true },
    });

    // The service lets clients change nobody but themselves.
    await expect(user.updateFriendlyName('Mallory')).rejects.toMatchObject({ status: 403 });
    const gone = next(bob, 'userUnsubscribed');
    await user.unsubscribe();
    expect(await gone).toBe(user);
    expect((await bob.raw.getSubscribedUsers()).map(({ identity }) => identity)).toEqual(['bob']);
  });

  test('is online as long as one device is connected', async ({ onTestFinished }) => {
    const { device, emulator } = await createWorld({}, onTestFinished);
    const alice = await device(first, 'alice');
    const [phone, laptop] = [await device(second, 'bob'), await device(first, 'bob')];
    const user = await alice.raw.getUser('bob');
    expect(reachability(user)).toEqual({ online: true, notifiable: false });
    expect(alice.raw.reachabilityEnabled).toBe(true);
    const offline = next(alice, 'userUpdated', () => reachability(user).online === false);
    await phone.roundTrip();
    await phone.raw.shutdown();
    await alice.roundTrip();
    expect(reachability(user).online).toBe(true);
    await laptop.roundTrip();
    await laptop.raw.shutdown();
    await offline;
    const back = next(alice, 'userUpdated', () => reachability(user).online === true);
    await device(second, 'bob');
    await back;
    expect(emulator.inspect.users().map(({ online }) => online)).toEqual([true, true]);
  });
});

test.each(SDKS)('$name: members of a room lead to their users', async (sdk) => {
  const { device, emulator } = await createWorld();
  const [alice, bob] = [await device(sdk, 'alice'), await device(sdk, 'bob@example.com')];
  const [ours] = await createRoom(emulator, alice, [bob]);
  await bob.raw.user.updateFriendlyName('Bob');
  const member = await ours.memberByIdentity('bob@example.com');
  const user = await member?.getUser();
  expect(user).toMatchObject({ identity: 'bob@example.com' });
  await vi.waitFor(() => {
    expect(user?.friendlyName).toBe('Bob');
  });
  await expect(alice.raw.getUser('nobody')).rejects.toThrow();
});

test('twilio-chat describes users without following them', async () => {
  const { connect, device, emulator } = await createWorld();
  const [alice, bob] = [await connect('alice'), await device(chatSdk, 'bob')];
  await bob.raw.user.updateFriendlyName('Bob');
  await bob.raw.user.updateAttributes({ k: 1 });
  const described = await alice.getUserDescriptor('bob');
  expect(described).toMatchObject({ identity: 'bob', friendlyName: 'Bob', attributes: { k: 1 } });
  expect(described).toMatchObject({ online: true, notifiable: false });
  expect((await alice.getSubscribedUsers()).map(({ identity }) => identity)).toEqual(['alice']);
  const user = await described.subscribe();
  expect(user.friendlyName).toBe('Bob');

  const channel = await alice.createChannel({ uniqueName: 'u' });
  await channel.join();
  await channel.getMembers();
  const listed = nextMember(channel, 'memberJoined');
  await channel.add('bob');
  await listed;
  await vi.waitFor(async () => {
    const { items } = await channel.getUserDescriptors();
    expect(items.map(({ friendlyName }) => friendlyName).toSorted()).toEqual(['Bob', null]);
  });
  const member = await channel.getMemberByIdentity('bob');
  expect((await member.getUserDescriptor()).friendlyName).toBe('Bob');
  expect(emulator.inspect.users()).toHaveLength(2);
});

test.each(SDKS)('$name: what a user says of itself is limited', async (sdk) => {
  const { device } = await createWorld();
  const { raw } = await device(sdk, 'alice');
  await raw.user.updateFriendlyName('é'.repeat(256));
  await raw.user.updateAttributes('x'.repeat(4094));
  await expect(raw.user.updateFriendlyName('é'.repeat(257))).rejects.toMatchObject({
    ...{ status: 400, body: { code: 50003 } },
  });
  await expect(raw.user.updateAttributes('x'.repeat(4095))).rejects.toMatchObject({ status: 400 });
});

import { describe, expect, test } from 'vitest';
import { collect, next } from './support/events.ts';
import { createPair, createWorld, settled } from './support/world.ts';

describe.concurrent('after a broken connection', () => {
  test('a client gets what it missed, in order and once', async ({ onTestFinished }) => {
    const { connect, emulator } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const [ours, theirs] = await createPair(alice, bob);
    const early = [next(theirs, 'messageAdded'), next(ours, 'messageAdded')] as const;
    await ours.sendMessage('before');
    const [, mine] = await Promise.all(early);
    await settled(emulator, 'bob');

    const missed = collect(theirs, 'messageAdded', 3);
    const edited = next(theirs, 'messageUpdated');
    const renamed = next(theirs, 'updated', (e) => e.updateReasons.includes('friendlyName'));
    const lost = next(bob, 'connectionStateChanged', (state) => state !== 'connected');
    emulator.tamper.disconnect('bob');
    await lost;
    for (const body of ['one', 'two', 'three']) await ours.sendMessage(body);
    await mine.updateBody('edited');
    await ours.updateFriendlyName('renamed');

    expect((await missed).map(({ index, body }) => `${index} ${body}`)).toEqual([
      '1 one',
      '2 two',
      '3 three',
    ]);
    expect((await edited).message.body).toBe('edited');
    expect((await renamed).channel.friendlyName).toBe('renamed');
    expect((await theirs.getMessages()).items.map(({ body }) => body)).toEqual([
      'edited',
      'one',
      'two',
      'three',
    ]);
  });

  test('a client learns that it was removed, and hears of nothing later', async ({
    onTestFinished,
  }) => {
    const { connect, emulator } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const [ours, theirs] = await createPair(alice, bob);
    await settled(emulator, 'bob');
    const bodies: string[] = [];
    theirs.on('messageAdded', ({ body }) => bodies.push(body));
    const left = next(bob, 'channelLeft');
    const lost = next(bob, 'connectionStateChanged', (state) => state !== 'connected');
    emulator.tamper.disconnect('bob');
    await lost;
    await ours.removeMember('bob');
    await ours.sendMessage('after bob');
    await left;
    expect(bodies).toEqual([]);
    expect(emulator.inspect.followers(`${ours.sid}.messages`)).toEqual(['alice']);
  });

  test('a send may be rejected although it was stored', async ({ onTestFinished }) => {
    const { connect, emulator } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const [ours, theirs] = await createPair(alice, bob);
    await settled(emulator, 'alice');
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
    await expect(ours.sendMessage('stored')).rejects.toThrow('disconnected');
    undo();
    expect((await heard).body).toBe('stored');
    expect(emulator.inspect.messages('u').length).toBe(1);
    await back;
    expect((await own).body).toBe('stored');
  });

  test('a client that was sent away (308) comes back', async ({ onTestFinished }) => {
    const { connect, emulator } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const [ours, theirs] = await createPair(alice, bob);
    await settled(emulator, 'bob');
    const heard = next(theirs, 'messageAdded');
    const back = next(bob, 'connectionStateChanged', (state) => state === 'connected');
    emulator.tamper.offload('bob');
    await ours.sendMessage('meanwhile');
    await back;
    expect((await heard).body).toBe('meanwhile');
  });
});

describe.concurrent('presence', () => {
  test('follows the connections of an identity', async ({ onTestFinished }) => {
    const { connect, emulator } = await createWorld({}, onTestFinished);
    const [alice, bob] = [await connect('alice'), await connect('bob')];
    const user = await alice.getUser('bob');
    expect(user.online).toBe(true);
    await createPair(alice, bob);
    await settled(emulator, 'bob');
    const offline = next(alice, 'userUpdated', (e) => e.updateReasons.includes('online'));
    emulator.tamper.disconnect('bob');
    await offline;
    const online = next(alice, 'userUpdated', (e) => e.user.online);
    await online;
  });

  test('of one identity on two devices: both hear everything', async ({ onTestFinished }) => {
    const { connect } = await createWorld({}, onTestFinished);
    const [alice, phone, laptop] = [
      await connect('alice'),
      await connect('bob'),
      await connect('bob'),
    ];
    const joined = next(laptop, 'channelJoined');
    const [ours, onPhone] = await createPair(alice, phone);
    const onLaptop = await joined;
    await onLaptop.getMembers();
    const heard = [next(onPhone, 'messageAdded'), next(onLaptop, 'messageAdded')];
    await ours.sendMessage('to both');
    expect((await Promise.all(heard)).map(({ body }) => body)).toEqual(['to both', 'to both']);
    const atPhone = next(onPhone, 'messageAdded');
    await onLaptop.sendMessage('from the laptop');
    expect((await atPhone).author).toBe('bob');
  });
});

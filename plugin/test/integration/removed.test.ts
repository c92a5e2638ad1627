/** Somebody who was removed, and goes on as if they had not noticed: nothing is sent, and they are told why. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chatDevice, conversationsDevice, meet, pages, tell, type Device } from './rooms.ts';
import { startWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

const EVENTS = { 'twilio-chat': 'channelLeft', Conversations: 'conversationLeft' } as const;

describe.each(['twilio-chat', 'Conversations'] as const)('with %s', (sdk) => {
  async function deviceOf(identity: string): Promise<Device> {
    const person = await world.person(identity);
    if (sdk === 'twilio-chat') return chatDevice(identity, person.client);
    const raw = await world.conversations(person);
    return conversationsDevice(identity, person.encryption.wrapClient(raw));
  }

  function leaves({ client }: Device): Promise<unknown> {
    return new Promise((resolve) => {
      const emitter: { once(name: string, listener: (room: unknown) => void): unknown } = client;
      emitter.once(EVENTS[sdk], resolve);
    });
  }

  test('a text, a file and an edit are NOT_A_MEMBER, until they are a member again', async () => {
    const [alice, bob] = await Promise.all([deviceOf(`alice, ${sdk}`), deviceOf(`bob, ${sdk}`)]);
    const [own, bobs] = await meet(alice, bob);
    await tell(bobs, own, 'one');
    const [mine] = await pages(bobs, 10);
    const left = leaves(bob);
    await own.remove(bob.identity);
    await left;
    const uploads = world.emulator.inspect.media().length;
    for (const action of [
      () => bobs.raw.sendMessage('two'),
      () => bobs.raw.sendMessage({ contentType: 'text/plain', media: 'two' }),
      () => mine?.updateBody('two'),
    ]) {
      await expect(action()).rejects.toMatchObject({ code: 'NOT_A_MEMBER' });
    }
    expect(world.emulator.inspect.messages(own.raw.sid)).toHaveLength(1);
    expect(world.emulator.inspect.media()).toHaveLength(uploads);
    const joined = bob.joined(own.raw.sid);
    await own.add(bob.identity);
    expect((await tell(await joined, own, 'three')).encryption).toMatchObject({ anomalies: [] });
  });

  test('removed while it is on its way, it is NOT_A_MEMBER too', async () => {
    const [alice, bob] = await Promise.all([deviceOf(`carol, ${sdk}`), deviceOf(`dave, ${sdk}`)]);
    const [own, bobs] = await meet(alice, bob);
    const left = leaves(bob);
    const end = world.emulator.tamper.onRequest(async ({ method, path }) => {
      if (method !== 'POST' || !path.endsWith('/Messages')) return undefined;
      end();
      await own.remove(bob.identity);
      await left;
      return undefined;
    });
    await expect(bobs.raw.sendMessage('one')).rejects.toMatchObject({ code: 'NOT_A_MEMBER' });
    expect(world.emulator.inspect.messages(own.raw.sid)).toHaveLength(0);
  });
});

/** A message that was sent once is there once, and shown once, whatever happens to the connection meanwhile. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  chatDevice,
  conversationsDevice,
  filesOf,
  meet,
  pages,
  tell,
  textOf,
  type AnyMessage,
  type Device,
  type Room,
} from './rooms.ts';
import { startWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

type Fate = NonNullable<
  Awaited<ReturnType<Parameters<World['emulator']['tamper']['onRequest']>[0]>>
>;

/** The next message that is posted meets this fate, and those after it the next ones. */
function befall(...fates: Fate[]): void {
  const undo = world.emulator.tamper.onRequest(({ method, path }) => {
    if (method !== 'POST' || !path.endsWith('/Messages')) return undefined;
    const fate = fates.shift();
    if (fates.length === 0) undo();
    return fate;
  });
}

/** What listeners of a room are told of. */
function told({ raw }: Room): (string | null)[] {
  const bodies: (string | null)[] = [];
  const emitter: { on(name: string, listener: (message: AnyMessage) => void): unknown } = raw;
  emitter.on('messageAdded', ({ body }) => bodies.push(body));
  return bodies;
}

const bodiesOf = async (room: Room) => (await pages(room, 30)).map(({ body }) => body);
const stored = ({ raw }: Room) => world.emulator.inspect.messages(raw.sid);

describe.each(['twilio-chat', 'Conversations'] as const)('with %s', (sdk) => {
  let alice: Device;
  let bob: Device;

  async function deviceOf(identity: string): Promise<Device> {
    const person = await world.person(identity);
    if (sdk === 'twilio-chat') return chatDevice(identity, person.client);
    const raw = await world.conversations(person);
    return conversationsDevice(identity, person.encryption.wrapClient(raw));
  }

  beforeAll(async () => {
    [alice, bob] = await Promise.all([deviceOf(`alice, ${sdk}`), deviceOf(`bob, ${sdk}`)]);
  });

  describe('a message whose sending is cut off', () => {
    test.each([
      ['before it took effect arrives once, by itself', 'before'],
      ['after it took effect is found, and not posted again', 'after'],
    ] as const)('%s', async (_what, when) => {
      const [own, bobs] = await meet(alice, bob);
      const shown = [told(own), told(bobs)];
      befall({ when, then: 'disconnect' });
      expect(await own.raw.sendMessage('hello')).toBe(0);
      await tell(own, bobs, 'and on');
      await expect
        .poll(() => shown)
        .toEqual([
          ['hello', 'and on'],
          ['hello', 'and on'],
        ]);
      expect(await bodiesOf(bobs)).toEqual(['hello', 'and on']);
      expect(stored(own)).toHaveLength(2);
    });

    test('with its file, is posted once with it', async () => {
      const [own, bobs] = await meet(alice, bob);
      const shown = told(bobs);
      befall({ when: 'after', then: 'disconnect' }, { when: 'before', then: 'disconnect' });
      const file = { contentType: 'text/plain', media: 'an X-ray' };
      for (const index of [0, 1]) expect(await own.raw.sendMessage(file)).toBe(index);
      await expect.poll(() => shown).toHaveLength(2);
      for (const message of await pages(bobs, 10)) {
        expect(message.encryption).toMatchObject({ status: 'verified', anomalies: [] });
        expect(await textOf(filesOf(message)[0])).toBe('an X-ray');
      }
      expect(stored(own)).toHaveLength(2);
    });

    test('with an error of the server that says nothing is treated likewise', async () => {
      const [own, bobs] = await meet(alice, bob);
      befall({ when: 'after', then: 'fail', status: 500 });
      expect(await own.raw.sendMessage('hello')).toBe(0);
      expect(await bodiesOf(bobs)).toEqual(['hello']);
    });

    test('again and again fails as DELIVERY_UNKNOWN, and is not posted later', async () => {
      const [own, bobs] = await meet(alice, bob);
      const fail = { when: 'before', then: 'fail', status: 500 } as const;
      befall(fail, fail, fail);
      await expect(own.raw.sendMessage('lost')).rejects.toMatchObject({ code: 'DELIVERY_UNKNOWN' });
      const message = await tell(own, bobs, 'next');
      // Its number is gone; what stands before it would be missed.
      expect(await bodiesOf(bobs)).toEqual(['next']);
      expect(message.encryption).toMatchObject({ status: 'verified', anomalies: [] });
    });
  });

  test('a refusal of Twilio is passed on as it is, and nothing is posted later', async () => {
    const [own, bobs] = await meet(alice, bob);
    await tell(own, bobs, 'one');
    befall({ when: 'before', then: 'fail', status: 403 });
    await expect(own.raw.sendMessage('refused')).rejects.toMatchObject({ status: 403 });
    const message = await tell(own, bobs, 'two');
    expect(await bodiesOf(bobs)).toEqual(['one', 'two']);
    // The number was given away: readers are told that something was to stand here.
    expect(message.encryption).toMatchObject({ anomalies: [{ code: 'GAP', from: 2, to: 2 }] });
  });
});

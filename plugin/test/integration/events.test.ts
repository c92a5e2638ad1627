/** Listeners of a wrapped client are told what those of a bare one are told: in its order, and with its replay. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  chatDevice,
  conversationsDevice,
  meet,
  pages,
  tell,
  type AnyMessage,
  type Device,
} from './rooms.ts';
import { startWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

const SDKS = ['twilio-chat', 'Conversations'] as const;

async function deviceOf(
  sdk: (typeof SDKS)[number],
  identity: string,
  isWrapped: boolean,
): Promise<Device> {
  const person = await world.person(identity);
  if (sdk === 'twilio-chat') return chatDevice(identity, isWrapped ? person.client : person.raw);
  const bare = await world.conversations(person);
  return conversationsDevice(identity, isWrapped ? person.encryption.wrapClient(bare) : bare);
}

interface Updated {
  readonly message: AnyMessage;
  readonly updateReasons: readonly string[];
}

type Listener = (event: AnyMessage | Updated) => void;

interface Emitting {
  on(name: string, listener: Listener): unknown;
  once(name: string, listener: Listener): unknown;
  onWithReplay(name: string, listener: Listener): unknown;
  addListenerWithReplay(name: string, listener: Listener): unknown;
  /** Not in twilio-chat. */
  onceWithReplay?(name: string, listener: Listener): unknown;
}

const NAMES = ['messageAdded', 'messageUpdated', 'messageRemoved'];

const isUpdated = (event: AnyMessage | Updated): event is Updated => 'updateReasons' in event;

function said(event: AnyMessage | Updated): string {
  if (!isUpdated(event)) return String(event.body);
  const { message, updateReasons } = event;
  const words = `${message.body} ${JSON.stringify(message.attributes)}`;
  return `${words} ${updateReasons.toSorted().join()}`;
}

/** What listeners of two people are told, from a first message to replays of what was. */
async function chat(alice: Device, bob: Device): Promise<readonly string[]> {
  const [own, bobs] = await meet(alice, bob);
  const client: Emitting = bob.client;
  const room: Emitting = bobs.raw;
  const log: string[] = [];
  const listen = (emitter: Emitting, way: keyof Emitting, who: string, names = NAMES): void => {
    for (const name of names) {
      emitter[way]?.(name, (event) => log.push(`${who} ${name}: ${said(event)}`));
    }
  };
  /** Until so much more was told. */
  const told = async (more: number, doing: () => Promise<unknown>): Promise<void> => {
    const before = log.length;
    await doing();
    await expect.poll(() => log.length).toBe(before + more);
  };
  listen(room, 'on', 'room');
  listen(client, 'on', 'client');
  listen(room, 'once', 'room once');
  await told(3, () => tell(own, bobs, 'one'));
  await told(2, () => tell(own, bobs, 'two'));
  const [one, two] = await pages(own, 10);
  const [theirs] = await pages(bobs, 10);
  const message: Emitting | undefined = theirs;
  if (!message) throw new Error('There is no message.');
  listen(message, 'on', 'message', ['updated']);
  await told(4, async () => one?.updateBody('one, edited'));
  await told(3, async () => one?.updateAttributes({ mood: 'good' }));
  await told(3, async () => two?.remove());
  log.push('replayed:');
  listen(client, 'onWithReplay', 'client replays');
  if ('prepareMessage' in bobs.raw) listen(room, 'onceWithReplay', 'room replays once');
  listen(room, 'addListenerWithReplay', 'room replays');
  listen(message, 'onWithReplay', 'message replays', ['updated']);
  listen(room, 'onWithReplay', 'nothing', ['removed', 'typingStarted']);
  log.push('then:');
  await told(4, () => tell(own, bobs, 'three'));
  return log;
}

test.each(SDKS)('with %s', async (sdk) => {
  const [bare, wrapped] = await Promise.all(
    [false, true].map(async (isWrapped) => {
      const people = ['alice', 'bob'].map((name) =>
        deviceOf(sdk, `${name}, ${sdk}, ${isWrapped ? 'wrapped' : 'bare'}`, isWrapped),
      );
      const [alice, bob] = await Promise.all(people);
      if (!alice || !bob) throw new Error('Nobody is there.');
      return chat(alice, bob);
    }),
  );
  expect(bare?.join('\n')).toContain('client replays messageUpdated: one, edited {"mood":"good"}');
  expect(wrapped).toEqual(bare);
});

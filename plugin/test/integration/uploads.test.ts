/** A file that is uploaded slowly holds nothing up, and takes its place among the messages when it is there. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  arrival,
  chatDevice,
  conversationsDevice,
  filesOf,
  meet,
  pages,
  tell,
  textOf,
  type Device,
  type Room,
} from './rooms.ts';
import { startWorld, type Person, type World } from './world.ts';

let world: World;
let dave: Person;
let people = 0;

beforeAll(async () => {
  world = await startWorld();
  dave = await world.person('dave');
});

afterAll(() => world.close());

const SLOW = { contentType: 'text/plain', media: 'the x-ray' };

async function deviceOf(sdk: string, person: Person): Promise<Device> {
  if (sdk === 'twilio-chat') return chatDevice(person.identity, person.client);
  const raw = await world.conversations(person);
  return conversationsDevice(person.identity, person.encryption.wrapClient(raw));
}

/** The next upload is on its way until it is let arrive. */
function slowUpload() {
  const begun = Promise.withResolvers<undefined>();
  const fate = Promise.withResolvers<
    undefined | { when: 'before'; then: 'fail'; status: number }
  >();
  const end = world.emulator.tamper.onRequest(({ method, path }) => {
    if (method !== 'POST' || !path.includes('/Media')) return undefined;
    end();
    begun.resolve(undefined);
    return fate.promise;
  });
  return {
    begun: begun.promise,
    arrives: () => {
      fate.resolve(undefined);
    },
    fails: () => {
      fate.resolve({ when: 'before', then: 'fail', status: 413 });
    },
  };
}

describe.each(['twilio-chat', 'Conversations'])('with %s', (sdk) => {
  let alice: Person;
  let bob: Device;
  let own: Room;
  let bobs: Room;
  let device: Device;

  beforeAll(async () => {
    people += 1;
    alice = await world.person(`alice ${people}`);
    bob = await deviceOf(sdk, await world.person(`bob ${people}`));
    device = await deviceOf(sdk, alice);
  });

  async function room(): Promise<void> {
    [own, bobs] = await meet(device, bob);
  }

  async function history() {
    const all = await pages(bobs, 30);
    for (const { encryption } of all) {
      expect(encryption).toMatchObject({ status: 'verified', anomalies: [] });
    }
    return all.map(({ type, body }) => (type === 'media' ? 'file' : body));
  }

  test('texts are sent and received meanwhile, in this tab and in another', async () => {
    await room();
    const tab = await deviceOf(sdk, await world.again(alice));
    const upload = slowUpload();
    const sending = own.raw.sendMessage(SLOW, { part: 'knee' });
    await upload.begun;
    await tell(own, bobs, 'one');
    await tell(bobs, own, 'an answer');
    await tell(await tab.room(own.raw.sid), bobs, 'two');
    const [message] = (await pages(own, 10)).slice(0, 1);
    await message?.updateBody('one, edited');
    const arrived = arrival(bobs);
    upload.arrives();
    expect(await sending).toBe(3);
    const file = await arrived;
    expect([file.attributes, await textOf(filesOf(file)[0])]).toEqual([
      { part: 'knee' },
      'the x-ray',
    ]);
    await tell(own, bobs, 'three');
    expect(await history()).toEqual(['one, edited', 'an answer', 'two', 'file', 'three']);
  });

  test('one that fails is told as the SDK tells it, and leaves no gap', async () => {
    await room();
    const upload = slowUpload();
    const sending = own.raw.sendMessage(SLOW);
    const told = expect(sending).rejects.toMatchObject({ code: 413 });
    await upload.begun;
    await tell(own, bobs, 'one');
    upload.fails();
    await told;
    await tell(own, bobs, 'two');
    expect(await history()).toEqual(['one', 'two']);
  });

  test('nothing is uploaded for whom the application does not approve', async () => {
    const strict = await world.again(alice, { recipients: () => false });
    const [here] = await meet(await deviceOf(sdk, strict), chatDevice('dave', dave.client));
    const uploads = world.emulator.inspect.media().length;
    await expect(here.raw.sendMessage(SLOW)).rejects.toMatchObject({
      code: 'RECIPIENT_UNAPPROVED',
    });
    expect(world.emulator.inspect.media()).toHaveLength(uploads);
  });

  test('it is not uploaded again when its message has to be posted again', async () => {
    await room();
    const uploads = world.emulator.inspect.media().length;
    const undo = world.emulator.tamper.onRequest(({ method, path }) => {
      if (method !== 'POST' || !path.endsWith('/Messages')) return undefined;
      undo();
      return { when: 'before', then: 'fail', status: 500 };
    });
    const arrived = arrival(bobs);
    expect(await own.raw.sendMessage(SLOW)).toBe(0);
    expect(await textOf(filesOf(await arrived)[0])).toBe('the x-ray');
    expect(world.emulator.inspect.media()).toHaveLength(uploads + 1);
  });
});

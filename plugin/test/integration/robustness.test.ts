/** What an application, a slow network or a hostile server can do to the wrapper itself. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { kindOf } from './device-records.ts';
import type { Channel, Message } from 'twilio-chat';
import {
  Encryption,
  EncryptionError,
  MemoryKeyStore,
  type Directory,
  type KeyStore,
} from 'twilio-chat-encryption';
import { through } from './through.ts';
import {
  bring,
  deliver,
  history,
  next,
  pair,
  ready,
  startWorld,
  type Person,
  type World,
} from './world.ts';

let world: World;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = await Promise.all([world.person('alice'), world.person('bob')]);
});

afterAll(() => world.close());

/** The token server as a directory that can be made to fail, or to hang. */
function switchable(person: Person): Directory & { mode: 'up' | 'throws' | 'hangs' } {
  const honest = world.directory(person);
  const held: (() => void)[] = [];
  const switches = {
    get mode() {
      return mode;
    },
    set mode(value: 'up' | 'throws' | 'hangs') {
      mode = value;
      if (mode === 'up') for (const release of held.splice(0)) release();
    },
  };
  let mode: 'up' | 'throws' | 'hangs' = 'up';
  async function answer<T>(ask: () => Promise<T>): Promise<T> {
    if (mode === 'hangs') await new Promise<void>((resolve) => held.push(resolve));
    if (mode === 'throws') throw new TypeError('fetch failed');
    return ask();
  }
  // The switch is an accessor: what is copied from an object loses it.
  return Object.assign(switches, through(honest, answer));
}

/** When an SDK is asked for the members the next time. */
function membersAsked(channel: Channel): Promise<void> {
  return new Promise((resolve) => {
    const original = channel.getMembers.bind(channel);
    vi.spyOn(channel, 'getMembers').mockImplementationOnce(() => {
      resolve();
      return original();
    });
  });
}

describe('a message to somebody who just joined', () => {
  test('is no alarm for those who learn of them after it', async () => {
    const [own, bobs] = await pair(alice, bob);
    const raw = await bob.raw.getChannelBySid(own.sid);
    const lookedUp = membersAsked(raw);
    const stop = world.emulator.tamper.onPush(async ({ identity, object }) => {
      if (identity === 'bob' && object.endsWith('.roster')) await lookedUp;
      return undefined;
    });
    await world.crowd(['carol']);
    await own.add('carol');
    expect((await deliver(own, bobs, 'welcome')).encryption).toMatchObject({
      status: 'verified',
      anomalies: [],
    });
    stop();
  });
});

describe('a message is never lost', () => {
  test('to a directory that throws something of its own', async () => {
    const [erin, frank] = await Promise.all([world.person('erin'), world.person('frank')]);
    const directory = switchable(frank);
    const reader = await world.again(frank, { server: directory });
    const [own, franks] = await pair(erin, reader);
    directory.mode = 'throws';
    const message = await deliver(own, franks, 'hello');
    expect(message.encryption).toEqual({ status: 'pending', code: 'CARD_PENDING' });
    expect((await history(franks))[0]).toBe(message);
    const updated = next(franks, 'messageUpdated');
    directory.mode = 'up';
    await updated;
    expect(message.body).toBe('hello');
  });

  test('to an authorize() that throws', async () => {
    const [gina, hans] = await Promise.all([world.person('gina'), world.person('hans')]);
    const [own, hansens] = await pair(gina, hans);
    await deliver(hansens, own, 'from hans');
    await deliver(own, hansens, 'from gina');
    const refused = world.again(hans, { authorize: () => Promise.resolve('expired') });
    await expect(refused).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    // Offline there is no new session. The device opens all the same: others' cards are to come.
    const offline = await world.again(hans, {
      authorize: () => Promise.reject(new TypeError('fetch failed')),
    });
    const { items } = await (await offline.client.getChannelBySid(own.sid)).getMessages();
    expect(items.map(({ body }) => body)).toEqual(['from hans', '[pending: CARD_PENDING]']);
    const stranger = world.again(hans, {
      authorize: () => Promise.reject(new TypeError('fetch failed')),
      keyStore: new MemoryKeyStore(),
    });
    await expect(stranger).rejects.toMatchObject({ code: 'DIRECTORY_UNREACHABLE' });
  });

  test('to a key store that throws something of its own', async () => {
    const [ines, jan] = await Promise.all([world.person('ines'), world.person('jan')]);
    let broken = false;
    const keyStore: KeyStore = {
      get: (name) => jan.keyStore.get(name),
      update: (name, change) =>
        broken && kindOf(name).startsWith('message/')
          ? Promise.reject(new DOMException('quota', 'QuotaExceededError'))
          : jan.keyStore.update(name, change),
      clear: (scope) => jan.keyStore.clear(scope),
      lock: (name, work) => jan.keyStore.lock(name, work),
    };
    const reader = await world.again(jan, { keyStore });
    const [own, jans] = await pair(ines, reader);
    broken = true;
    const message = await deliver(own, jans, 'hello');
    expect(message.encryption).toEqual({ status: 'pending', code: 'STORE_PENDING' });
    const updated = next(jans, 'messageUpdated');
    broken = false;
    await updated;
    expect(message.body).toBe('hello');
  });

  test('to a timestamp that Twilio leaves out, or makes up: it is an anomaly', async () => {
    const [own, bobs] = await pair(alice, bob);
    await own.sendMessage('when?');
    world.emulator.tamper.rewrite(own.sid, 0, { dateCreated: '' }, 'silently');
    const fresh = await world.again(bob);
    const [message] = await history(await fresh.client.getChannelBySid(bobs.sid));
    expect(message?.encryption).toMatchObject({
      status: 'verified',
      anomalies: [{ code: 'CLOCK_SKEW' }],
    });
  });
});

describe('messages of known senders', () => {
  test('do not wait for a directory that hangs over an unknown one', async () => {
    const [kim, lea, mia] = await Promise.all([
      world.person('kim'),
      world.person('lea'),
      world.person('mia'),
    ]);
    const directory = switchable(mia);
    const reader = await world.again(mia, { server: directory });
    const [own, mias] = await pair(kim, reader);
    await deliver(own, mias, 'mia knows kim');
    const leas = await bring(own, lea);
    directory.mode = 'hangs';
    const unknown = next<Message>(mias, 'messageAdded', ({ author }) => author === 'lea');
    const known = next<Message>(mias, 'messageAdded', ({ author }) => author === 'kim');
    await leas.sendMessage('mia has never seen lea');
    await own.sendMessage('mia knows kim');
    expect((await unknown).encryption.status).toBe('pending');
    expect((await known).encryption.status).toBe('verified');
    const updated = next(mias, 'messageUpdated');
    directory.mode = 'up';
    await updated;
    expect((await unknown).body).toBe('mia has never seen lea');
  });
});

describe('close()', () => {
  test('while messages are pending leaves nothing running and nothing unhandled', async () => {
    const [nora, otto] = await Promise.all([world.person('nora'), world.person('otto')]);
    const directory = switchable(otto);
    const reader = await world.again(otto, { server: directory });
    const [own, ottos] = await pair(nora, reader);
    directory.mode = 'throws';
    await deliver(own, ottos, 'pending');
    reader.encryption.close();
    // An unhandled rejection would fail the run.
    await expect(ottos.getMessages()).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('an application cannot by mistake', () => {
  test('wrap what is wrapped already, and so encrypt twice', async () => {
    const [own] = await pair(alice, bob);
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as object;
    expect(() => alice.encryption.wrapChannel(own)).toThrow(invalid);
    expect(() => alice.encryption.wrapClient(alice.client)).toThrow(invalid);
    expect(() => bob.encryption.wrapChannel(own)).toThrow(invalid);
  });

  test("send through somebody else's client that was not connected when it was wrapped", async () => {
    const [own] = await pair(bob, alice);
    const raw = world.connect(bob.raw.token);
    const wrong = alice.encryption.wrapClient(raw);
    await ready(raw);
    const channel = await wrong.getChannelBySid(own.sid);
    await expect(channel.sendMessage('as whom?')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(world.emulator.inspect.messages(own.sid)).toEqual([]);
  });

  test('name a channel through a getter that the check does not see', async () => {
    class Options {
      get friendlyName(): string {
        return 'plugh-inherited';
      }
    }
    await expect(alice.client.createChannel(new Options())).rejects.toMatchObject({
      code: 'NOT_SUPPORTED_ENCRYPTED',
    });
    expect(world.emulator.inspect.dump()).not.toContain('plugh-inherited');
  });

  test('believe in an option that does not exist', async () => {
    const options = {
      identity: 'alice',
      server: world.server,
      authorize: () => Promise.resolve(alice.session),
      appKey: world.appKey,
      logKey: world.logKey,
      keyStore: new MemoryKeyStore(),
      password: 'x',
      recipient: 'approve',
    };
    await expect(Encryption.open(options)).rejects.toThrow(
      new EncryptionError('INVALID_ARGUMENT', 'Unknown options of Encryption.open: recipient.'),
    );
  });
});

describe('copies of a message', () => {
  test('raise no event when they are changed or removed, and leave no empty page', async () => {
    const [own, bobs] = await pair(alice, bob);
    await deliver(own, bobs, 'original');
    for (let count = 0; count < 12; count += 1) {
      world.emulator.tamper.copy({ channel: own.sid, index: 0 }, { channel: own.sid });
    }
    const events: string[] = [];
    bobs.on('messageUpdated', () => events.push('updated'));
    bobs.on('messageRemoved', () => events.push('removed'));
    world.emulator.tamper.rewrite(own.sid, 3, { dateUpdated: new Date().toISOString() });
    world.emulator.tamper.remove(own.sid, 4);
    await deliver(own, bobs, 'last');
    expect(events).toEqual([]);
    const page = await bobs.getMessages(10, 12);
    expect(page.items.map(({ body }) => body)).toEqual(['original']);
  });
});

describe('a copy that was shown as pending', () => {
  test('is removed when it proves to be one, and does not seem to be an attack', async () => {
    const [rosa, sven] = await Promise.all([world.person('rosa'), world.person('sven')]);
    const directory = switchable(sven);
    const reader = await world.again(sven, { server: directory });
    const [own, svens] = await pair(rosa, reader);
    directory.mode = 'throws';
    const shown: Message[] = [];
    svens.on('messageAdded', (message) => shown.push(message));
    await deliver(own, svens, 'hello');
    world.emulator.tamper.copy({ channel: own.sid, index: 0 }, { channel: own.sid });
    await expect.poll(() => shown.length).toBe(2);
    const events: [string, number][] = [];
    svens.on('messageUpdated', ({ message: { index } }) => events.push(['updated', index]));
    svens.on('messageRemoved', ({ index }) => events.push(['removed', index]));
    directory.mode = 'up';
    await expect.poll(() => events.length, { timeout: 10_000 }).toBe(2);
    // It is gone: what becomes of it is no news.
    world.emulator.tamper.remove(own.sid, 1);
    await deliver(own, svens, 'last');
    expect(events).toEqual([
      ['updated', 0],
      ['removed', 1],
    ]);
  });
});

describe('a new device of somebody', () => {
  test('gets the very next message after it was acknowledged', async () => {
    const [pia, quin] = await Promise.all([world.person('pia'), world.person('quin')]);
    const [own, quins] = await pair(pia, quin);
    await deliver(own, quins, 'hello');
    const second = await world.again({ ...quin, keyStore: new MemoryKeyStore() });
    const seconds = await second.client.getChannelBySid(own.sid);
    await seconds.getMembers();
    const warned = next<Message>(own, 'messageAdded', ({ author }) => author === 'quin');
    await seconds.sendMessage('new phone');
    expect((await warned).encryption).toMatchObject({ trust: 'changed' });
    await pia.encryption.acknowledge('quin', [second.encryption.cardId]);
    const welcome = next<Message>(seconds, 'messageAdded', ({ author }) => author === 'pia');
    await own.sendMessage('welcome');
    expect((await welcome).body).toBe('welcome');
  });
});

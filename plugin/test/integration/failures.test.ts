/** What goes wrong in a life: clear, typed, nothing half-done. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Message } from 'twilio-chat';
import {
  Encryption,
  EncryptionError,
  MemoryKeyStore,
  type EncryptionOptions,
} from 'twilio-chat-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deliver, history, next, pair, startWorld, type Person, type World } from './world.ts';
import { through } from './through.ts';

let world: World;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = await Promise.all([world.person('alice'), world.person('bob')]);
});

afterAll(() => world.close());

function optionsOf({
  identity,
  session,
  keyStore,
}: Pick<Person, 'identity' | 'session' | 'keyStore'>): EncryptionOptions {
  return {
    identity,
    server: world.server,
    authorize: () => Promise.resolve(session),
    appKey: world.appKey,
    logKey: world.logKey,
    keyStore,
    password: `password of ${identity}`,
  };
}

describe('sending', () => {
  test('to a member without a card fails, names them, and sends nothing', async () => {
    const [own] = await pair(alice, bob);
    await world.signUp('nocard');
    world.emulator.tamper.addMember(own.sid, 'nocard');
    await next(own, 'memberJoined');
    await expect(own.sendMessage('hello')).rejects.toMatchObject({
      code: 'MEMBER_WITHOUT_CARD',
      identities: ['nocard'],
      message: expect.stringContaining('nocard') as string,
    });
    expect(world.emulator.inspect.messages(own.sid)).toEqual([]);
  });

  test('works as soon as that member has a card', async () => {
    const [own] = await pair(alice, bob);
    const session = await world.signUp('latecomer');
    world.emulator.tamper.addMember(own.sid, 'latecomer');
    await next(own, 'memberJoined');
    await expect(own.sendMessage('one')).rejects.toMatchObject({ code: 'MEMBER_WITHOUT_CARD' });
    const late = { identity: 'latecomer', session, keyStore: new MemoryKeyStore() };
    await Encryption.open(optionsOf(late));
    expect(await own.sendMessage('two')).toBe(0);
  });

  test("over Twilio's limit fails before sending, and names size and limit", async () => {
    const [own, bobs] = await pair(alice, bob);
    await expect(own.sendMessage('x'.repeat(30_000))).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      message: expect.stringMatching(/\d{5} bytes, and Twilio takes 32768/) as string,
    });
    expect(world.emulator.inspect.messages(own.sid)).toEqual([]);
    expect((await deliver(own, bobs, 'x'.repeat(20_000))).body).toHaveLength(20_000);
  });

  test('what JSON cannot carry, or is not text, fails as INVALID_CONTENT', async () => {
    const [own] = await pair(alice, bob);
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    for (const attributes of [cycle, { big: 1n }]) {
      await expect(own.sendMessage('x', attributes)).rejects.toMatchObject({
        code: 'INVALID_CONTENT',
      });
    }
    await expect(own.sendMessage('\ud800')).rejects.toMatchObject({ code: 'INVALID_CONTENT' });
  });

  test('with the token server away waits for it', async () => {
    const [carol, dave] = await Promise.all([world.person('carol'), world.person('dave')]);
    const directory = world.directory(carol);
    let [isAway, refused] = [false, 0];
    const mended = await world.again(carol, {
      server: {
        ...directory,
        lookup: (identities, from) => {
          if (!isAway || refused >= 3) return directory.lookup(identities, from);
          refused += 1;
          return Promise.reject(new EncryptionError('DIRECTORY_UNREACHABLE', 'away'));
        },
      },
    });
    isAway = true;
    const [own, daves] = await pair(mended, dave);
    expect((await deliver(own, daves, 'hello')).body).toBe('hello');
    expect(refused).toBe(3);
  });

  test('after close() is CLOSED', async () => {
    const closed = await world.again(alice);
    const [own] = await pair(closed, bob);
    closed.encryption.close();
    await expect(own.sendMessage('x')).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('receiving', () => {
  test('with the token server away is pending, and decided by itself when it is back', async () => {
    const [erin, frank] = await Promise.all([world.person('erin'), world.person('frank')]);
    const directory = world.directory(frank);
    let away = false;
    const answers = <T>(answer: () => Promise<T>): Promise<T> =>
      away ? Promise.reject(new EncryptionError('DIRECTORY_UNREACHABLE', 'away')) : answer();
    const cutOff = await world.again(frank, {
      server: through(directory, answers),
    });
    const [own, franks] = await pair(erin, cutOff);
    away = true;
    const message = await deliver(own, franks, 'are you there?');
    expect(message.encryption).toEqual({ status: 'pending', code: 'CARD_PENDING' });
    expect(message.body).toBe('[pending: CARD_PENDING]');
    const updated = next<{ message: Message }>(franks, 'messageUpdated');
    const toldMessage = next<{ message: Message }>(message, 'updated');
    away = false;
    expect((await updated).message).toBe(message);
    expect((await toldMessage).message).toBe(message);
    expect(message.encryption.status).toBe('verified');
    expect(message.body).toBe('are you there?');
  });

  test('shows messages of before this device as SENT_BEFORE_DEVICE', async () => {
    const [own, bobs] = await pair(alice, bob);
    await deliver(own, bobs, 'old');
    const device = await world.again({ ...bob, keyStore: new MemoryKeyStore() });
    const [message] = await history(await device.client.getChannelBySid(bobs.sid));
    expect(message?.encryption).toEqual({ status: 'unavailable', code: 'SENT_BEFORE_DEVICE' });
  });
});

describe('opening', () => {
  test('with a wrong password is WRONG_PASSWORD and changes nothing', async () => {
    const before = await alice.keyStore.get('key/alice');
    await expect(
      Encryption.open({ ...optionsOf(alice), password: 'something else' }),
    ).rejects.toMatchObject({ code: 'WRONG_PASSWORD' });
    expect(await alice.keyStore.get('key/alice')).toEqual(before);
    expect((await Encryption.open(optionsOf(alice))).cardId).toBe(alice.encryption.cardId);
  });

  test.each([
    [{ identity: '' }, 'INVALID_IDENTITY'],
    [{ identity: 'a\u202eb' }, 'INVALID_IDENTITY'],
    [{ password: '' }, 'INVALID_ARGUMENT'],
    [{ appKey: [] }, 'INVALID_ARGUMENT'],
    [{ appKey: 'short' }, 'INVALID_ARGUMENT'],
    [{ appKey: 'A'.repeat(43) }, 'INVALID_KEY'],
    [{ server: 'http://chat.example' }, 'INVALID_ARGUMENT'],
    [{ server: 'no url' }, 'INVALID_ARGUMENT'],
    [{ device: '' }, 'INVALID_ARGUMENT'],
    [{ device: 'x'.repeat(257) }, 'INVALID_ARGUMENT'],
  ])('with %j is %s', async (change, code) => {
    const options = { ...optionsOf(alice), keyStore: new MemoryKeyStore(), ...change };
    await expect(Encryption.open(options)).rejects.toMatchObject({ code });
  });

  test('with a session of somebody else is refused by the server, and publishes nothing', async () => {
    const options = { ...optionsOf(alice), identity: 'mallory', keyStore: new MemoryKeyStore() };
    await expect(Encryption.open(options)).rejects.toMatchObject({
      code: 'DIRECTORY_REFUSED',
      message: expect.stringContaining('IDENTITY_MISMATCH') as string,
    });
    expect(await alice.encryption.cards.find('alice')).toHaveLength(1);
  });

  test('with a server that approves under another key is OWN_CARD_INVALID', async () => {
    const { APP_KEY } = await import('../protocol/people.ts');
    const appKey = Buffer.from(APP_KEY.publicKey).toString('base64url');
    const options = { ...optionsOf(alice), appKey, keyStore: new MemoryKeyStore() };
    await expect(Encryption.open(options)).rejects.toMatchObject({ code: 'OWN_CARD_INVALID' });
  });

  test('asks for a new session token when the old one is refused', async () => {
    const asked: string[] = [];
    const authorize = (): Promise<string> => {
      asked.push('asked');
      return Promise.resolve(asked.length === 1 ? 'expired' : alice.session);
    };
    await Encryption.open({ ...optionsOf(alice), authorize });
    expect(asked).toHaveLength(2);
    await expect(
      Encryption.open({ ...optionsOf(alice), authorize: () => Promise.resolve('forged') }),
    ).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  test('with something that is no token server is DIRECTORY_REFUSED', async () => {
    const page = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json').end('{"hello":"world"}');
    });
    page.listen(0, '127.0.0.1');
    await once(page, 'listening');
    const { port } = page.address() as AddressInfo;
    await expect(
      Encryption.open({ ...optionsOf(alice), server: `http://127.0.0.1:${port}` }),
    ).rejects.toMatchObject({ code: 'DIRECTORY_REFUSED' });
    page.close();
  });
});

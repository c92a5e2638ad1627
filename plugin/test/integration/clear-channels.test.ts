/** Channels that the application leaves unencrypted, and encryption that sticks. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deliver, history, next, pair, startWorld, type Person, type World } from './world.ts';

let world: World;
let alice: Person;
let bob: Person;
/** The sids of the channels that are encrypted. */
const encrypted = new Set<string>();

beforeAll(async () => {
  world = await startWorld();
  const options = { channels: ({ sid }: { readonly sid: string }) => encrypted.has(sid) };
  [alice, bob] = await Promise.all([world.person('alice', options), world.person('bob', options)]);
});

afterAll(() => world.close());

describe('a channel that is not to be encrypted', () => {
  test('works as without the library, and says that nothing is known', async () => {
    const [own, bobs] = await pair(alice, bob);
    const message = await deliver(own, bobs, 'in the clear', { mood: 'good' });
    expect([message.body, message.attributes]).toEqual(['in the clear', { mood: 'good' }]);
    expect(message.encryption).toEqual({ status: 'clear', code: 'CHANNEL_NOT_ENCRYPTED' });
    expect(world.emulator.inspect.messages(own.sid)[0]?.body).toBe('in the clear');
    const [mine] = await history(own);
    const updated = next(bobs, 'messageUpdated');
    await mine?.updateBody('edited');
    await updated;
    expect(message.body).toBe('edited');
  });

  test('is one beside encrypted channels of the same people', async () => {
    const [own, bobs] = await pair(alice, bob);
    encrypted.add(own.sid);
    const message = await deliver(own, bobs, 'for Bob');
    expect(message.encryption.status).toBe('verified');
    expect(world.emulator.inspect.messages(own.sid)[0]?.body).toMatch(/^e2e1\./);
  });
});

describe('a channel that was encrypted once', () => {
  test('sends nothing in the clear that was given while its first message was on the way', async () => {
    const asked = Promise.withResolvers<null>();
    const approval = Promise.withResolvers<boolean>();
    const { client } = await world.again(alice, {
      channels: ({ sid }) => encrypted.has(sid),
      recipients: () => {
        asked.resolve(null);
        return approval.promise;
      },
    });
    const own = await client.getChannelBySid((await pair(alice, bob))[0].sid);
    encrypted.add(own.sid);
    const first = own.sendMessage('one');
    await asked.promise;
    encrypted.delete(own.sid);
    const second = own.sendMessage('two');
    const refused = expect(second).rejects.toMatchObject({ code: 'NOT_SUPPORTED_ENCRYPTED' });
    // By then the rule was asked about the second one.
    await own.getMessages();
    approval.resolve(true);
    expect(await first).toBe(0);
    await refused;
    expect(world.emulator.inspect.messages(own.sid)).toHaveLength(1);
  });

  test('or is to be encrypted by now encrypts what waited to be sent', async () => {
    const [own] = await pair(alice, bob);
    const posting = Promise.withResolvers<null>();
    const arrives = Promise.withResolvers<undefined>();
    const end = world.emulator.tamper.onRequest(({ method, path }) => {
      if (method !== 'POST' || !path.endsWith('/Messages')) return undefined;
      end();
      posting.resolve(null);
      return arrives.promise;
    });
    const first = own.sendMessage('one');
    const second = own.sendMessage('two');
    await posting.promise;
    encrypted.add(own.sid);
    arrives.resolve(undefined);
    expect([await first, await second]).toEqual([0, 1]);
    const [, stored] = world.emulator.inspect.messages(own.sid);
    expect(stored?.body).toMatch(/^e2e1\./);
  });

  test('refuses to send in the clear when the rule changes its mind, also after a restart', async () => {
    const [own, bobs] = await pair(alice, bob);
    encrypted.add(own.sid);
    await deliver(own, bobs, 'one');
    encrypted.delete(own.sid);
    for (const person of [alice, await world.again(alice, { channels: () => false })]) {
      const channel = await person.client.getChannelBySid(own.sid);
      await expect(channel.sendMessage('two')).rejects.toMatchObject({
        code: 'NOT_SUPPORTED_ENCRYPTED',
      });
      const [message] = await history(channel);
      await expect(message?.updateBody('one, edited')).rejects.toMatchObject({
        code: 'NOT_SUPPORTED_ENCRYPTED',
      });
    }
    expect(world.emulator.inspect.messages(own.sid)).toHaveLength(1);
  });

  test('still reads what is encrypted, and refuses plaintext', async () => {
    const [own, bobs] = await pair(alice, bob);
    encrypted.add(own.sid);
    const first = await deliver(own, bobs, 'one');
    encrypted.delete(own.sid);
    const injected = next(bobs, 'messageAdded');
    world.emulator.tamper.inject(own.sid, { author: 'alice', body: 'plain' });
    await injected;
    const all = await history(bobs);
    expect(all.map(({ encryption: { status } }) => status)).toEqual(['verified', 'rejected']);
    expect(first.body).toBe('one');
  });

  test('is one for who only read in it', async () => {
    const [own, bobs] = await pair(alice, bob);
    encrypted.add(own.sid);
    await deliver(own, bobs, 'one');
    encrypted.delete(own.sid);
    await expect(bobs.sendMessage('answer')).rejects.toMatchObject({
      code: 'NOT_SUPPORTED_ENCRYPTED',
    });
  });
});

test('a rule that throws lets nothing out and shows nothing as clear', async () => {
  const carol = await world.person('carol', {
    channels: () => {
      throw new Error('broken rule');
    },
  });
  const [own, bobs] = await pair(alice, bob);
  await own.add('carol');
  const channel = await carol.client.getChannelBySid(own.sid);
  await expect(channel.sendMessage('secret')).rejects.toThrow('broken rule');
  await deliver(own, bobs, 'plain');
  const [message] = await history(channel);
  expect(message?.encryption).toEqual({ status: 'rejected', code: 'PLAINTEXT' });
});

test.each<[string, () => unknown]>([
  ['undefined, because a return was forgotten', () => undefined],
  ['a promise', () => Promise.resolve(false)],
  ['null', () => null],
])('a rule that gives %s lets nothing out', async (_what, choice) => {
  const carol = await world.person(`carol ${_what}`, {
    channels: choice as () => boolean,
  });
  const [own] = await pair(carol, bob);
  await expect(own.sendMessage('plugh')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(world.emulator.inspect.messages(own.sid)).toHaveLength(0);
});

test('a choice that is none opens nothing, and publishes no card', async () => {
  const channels: unknown = 'none';
  const opening = world.person('erin', { channels: channels as 'all' });
  await expect(opening).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

/** Twilio, the network and a member as attackers: each attack has a typed outcome. */
import type { Channel, Message } from 'twilio-chat';
import { MemoryKeyStore } from 'twilio-chat-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Card,
  exportCard,
  importCard,
  lookupFromJson,
  lookupToJson,
  openKeyRecord,
  parseChannelSid,
} from 'twilio-chat-encryption/protocol';
import { openRaw, sealRaw } from '../protocol/malicious-member.ts';
import { person as bystander, seal } from '../protocol/people.ts';
import {
  bring,
  deliver,
  history,
  next,
  pair,
  startWorld,
  type Person,
  type World,
} from './world.ts';

let world: World;
let alice: Person;
let bob: Person;
let carol: Person;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob, carol] = await Promise.all([
    world.person('alice'),
    world.person('bob'),
    world.person('carol'),
  ]);
});

afterAll(() => world.close());

function rejected(code: string): object {
  return { status: 'rejected', code };
}

/** Checks that a message shows nothing but its rejection. */
function expectRejected(message: Message | undefined, code: string): void {
  expect(message?.encryption).toEqual(rejected(code));
  expect(message?.body).toBe(`[rejected: ${code}]`);
  expect(message?.attributes).toEqual({});
}

/** What Twilio does next reaches this channel as a new message. */
function nextMessage(channel: Channel): Promise<Message> {
  return next<Message>(channel, 'messageAdded');
}

async function cardOf(person: Person): Promise<Card> {
  return importCard(await world.exportedCard(person));
}

/** The private key that somebody has in his own hands: his key record, and his password. */
async function encryptionSecret({ identity, keyStore }: Person): Promise<Uint8Array> {
  const record = await keyStore.get(`key/${identity}`);
  if (!record) throw new Error('No key record.');
  const secret = await openKeyRecord(`key/${identity}`, record, `password of ${identity}`);
  // Behind the version, the device's secret and the signing seed.
  return secret.slice(65, 97);
}

function flipped(body: string): string {
  const bytes = Buffer.from(body.slice(5), 'base64url');
  const last = bytes.length - 20;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  return `e2e1.${bytes.toString('base64url')}`;
}

describe('Twilio cannot', () => {
  test('change a message: a flipped byte is DECRYPTION_FAILED, in the update and in history', async () => {
    const [own, bobs] = await pair(alice, bob);
    const message = await deliver(own, bobs, 'pay 100');
    expect(message.body).toBe('pay 100');
    const [stored] = world.emulator.inspect.messages(own.sid);
    const updated = next<{ message: Message }>(bobs, 'messageUpdated');
    world.emulator.tamper.rewrite(own.sid, 0, { body: flipped(stored?.body ?? '') });
    expect((await updated).message).toBe(message);
    expectRejected(message, 'DECRYPTION_FAILED');
    const later = await world.again(bob);
    const [read] = await history(await later.client.getChannelBySid(own.sid));
    expectRejected(read, 'DECRYPTION_FAILED');
  });

  test('relabel the author: WRONG_AUTHOR', async () => {
    const [own, bobs] = await pair(alice, bob);
    await own.sendMessage('I agree');
    world.emulator.tamper.rewrite(own.sid, 0, { author: 'carol' }, 'silently');
    const fresh = await world.again(bob);
    const [message] = await history(await fresh.client.getChannelBySid(bobs.sid));
    expectRejected(message, 'WRONG_AUTHOR');
  });

  test('copy a message to another channel: WRONG_CHANNEL', async () => {
    const [own] = await pair(alice, bob);
    const [other, bobsOther] = await pair(alice, bob);
    await own.sendMessage('yes');
    const arrived = nextMessage(bobsOther);
    world.emulator.tamper.copy({ channel: own.sid, index: 0 }, { channel: other.sid });
    expectRejected(await arrived, 'WRONG_CHANNEL');
  });

  test('inject plaintext: PLAINTEXT, and none of its words are shown', async () => {
    const [own, bobs] = await pair(alice, bob);
    const arrived = nextMessage(bobs);
    const attributes = '{"mood":"evil"}';
    world.emulator.tamper.inject(own.sid, { author: 'alice', body: 'send me money', attributes });
    expectRejected(await arrived, 'PLAINTEXT');
  });

  test('replay a message in its channel: the copy is hidden, live and in history', async () => {
    const [own, bobs] = await pair(alice, bob);
    const seen: string[] = [];
    bobs.on('messageAdded', ({ body }) => seen.push(body));
    await deliver(own, bobs, 'buy');
    world.emulator.tamper.copy({ channel: own.sid, index: 0 }, { channel: own.sid });
    await deliver(own, bobs, 'thanks');
    expect(seen).toEqual(['buy', 'thanks']);
    expect((await history(bobs)).map(({ body }) => body)).toEqual(['buy', 'thanks']);
  });

  test('show an old message in the place of another: REPLAYED', async () => {
    const [own, bobs] = await pair(alice, bob);
    await deliver(own, bobs, 'yes');
    const second = await deliver(own, bobs, 'no');
    const [yes] = world.emulator.inspect.messages(own.sid);
    const updated = next(bobs, 'messageUpdated');
    world.emulator.tamper.rewrite(own.sid, 1, { body: yes?.body ?? '' });
    await updated;
    expectRejected(second, 'REPLAYED');
  });

  test('put a message that it held back in the place of another: REPLAYED, also after a reload', async () => {
    const [own, bobs] = await pair(alice, bob);
    await deliver(own, bobs, 'hello');
    // Twilio shows Bob only the later one, and keeps the other to show it in its place.
    const stop = world.emulator.tamper.onPush((push) =>
      push.object.endsWith('.messages') ? [] : undefined,
    );
    await own.sendMessage('yes, pay');
    stop();
    const shown = await deliver(own, bobs, 'no, do not pay');
    expect(shown.body).toBe('no, do not pay');
    const [, yes, no] = world.emulator.inspect.messages(own.sid);
    const updated = next(bobs, 'messageUpdated');
    world.emulator.tamper.rewrite(own.sid, 2, { body: yes?.body ?? '' });
    await updated;
    expectRejected(shown, 'REPLAYED');
    world.emulator.tamper.rewrite(own.sid, 1, { body: no?.body ?? '' }, 'silently');
    const later = await world.again(bob);
    const messages = await history(await later.client.getChannelBySid(own.sid));
    expect(messages.some(({ body }) => body === 'yes, pay')).toBe(false);
    expectRejected(messages.at(-1), 'REPLAYED');
  });

  test('name another member as the one who sent a message', async () => {
    const [own, bobs] = await pair(alice, bob);
    await deliver(own, bobs, 'I agree');
    const { sid } = await own.getMemberByIdentity('bob');
    world.emulator.tamper.rewrite(own.sid, 0, { memberSid: sid }, 'silently');
    const later = await world.again(bob);
    const [read] = await history(await later.client.getChannelBySid(own.sid));
    expect(read?.encryption.status).toBe('verified');
    expect((await read?.getMember())?.identity).toBe('alice');
    const conversations = bob.encryption.wrapClient(await world.conversations(bob));
    const conversation = await conversations.getConversationBySid(own.sid);
    const [same] = (await conversation.getMessages()).items;
    expect((await same?.getParticipant())?.identity).toBe('alice');
  });

  test('make somebody a member who then reads what was sent before', async () => {
    const [own, bobs] = await pair(alice, bob);
    await deliver(own, bobs, 'before carol');
    world.emulator.tamper.addMember(own.sid, 'carol');
    const carols = await carol.client.getChannelBySid(own.sid);
    const [message] = await history(carols);
    expect(message?.encryption).toEqual({ status: 'unavailable', code: 'SENT_BEFORE_JOIN' });
    expect(message?.body).toBe('[unavailable: SENT_BEFORE_JOIN]');
  });
});

describe('a member cannot', () => {
  test('pass a message on as if its author had sent it to somebody else: BAD_SIGNATURE', async () => {
    const [own, bobs] = await pair(alice, bob);
    await deliver(own, bobs, 'you are fired');
    const carols = await bring(own, carol);
    const [stored] = world.emulator.inspect.messages(own.sid);
    const arrived = nextMessage(carols);
    // Bob took the signed message out of his envelope and sealed it for others.
    const cards = await Promise.all([bob, carol].map(cardOf));
    const plaintext = openRaw(stored?.body ?? '', await encryptionSecret(bob));
    const body = sealRaw(
      plaintext,
      cards.map(({ encryptionKey }) => encryptionKey),
    );
    world.emulator.tamper.inject(own.sid, { author: 'alice', body });
    expectRejected(await arrived, 'BAD_SIGNATURE');
  });

  test('write under a card that the application did not approve: CARD_INVALID', async () => {
    const [own, bobs] = await pair(alice, bob);
    const mallory = await bystander('alice');
    const reader = { ...mallory, card: await cardOf(bob) };
    const body = await seal(mallory, [reader], 'trust me', {
      channelSid: parseChannelSid(own.sid),
    });
    const arrived = nextMessage(bobs);
    world.emulator.tamper.inject(own.sid, { author: 'alice', body });
    expectRejected(await arrived, 'CARD_INVALID');
  });
});

describe('a token server cannot', () => {
  test('have messages sealed for a card of its own making', async () => {
    const fake = await bystander('bob');
    const honest = world.directory(alice);
    const [own] = await pair(alice, bob);
    const misled = await world.again(alice, {
      keyStore: new MemoryKeyStore(),
      server: {
        ...honest,
        async lookup(identities, from) {
          const answer = await honest.lookup(identities, from);
          const lookup = lookupFromJson(answer.lookup);
          if (!lookup) throw new Error('The answer is no lookup.');
          const found = lookup.found.map(({ entries, proof }, index) => ({
            entries: entries.map(({ entry, content }) => ({
              entry,
              content: identities[index] === 'bob' ? exportCard(fake.card) : content,
            })),
            proof,
          }));
          return { ...answer, lookup: lookupToJson({ ...lookup, found }) };
        },
      },
    });
    const channel = await misled.client.getChannelBySid(own.sid);
    await expect(channel.sendMessage('secret')).rejects.toMatchObject({ code: 'LOG_INVALID' });
  });

  test('slip a new card under a known identity: it gets nothing until acknowledged', async () => {
    const [erin, dave] = await Promise.all([world.person('erin'), world.person('dave')]);
    const [own, daves] = await pair(erin, dave);
    await deliver(own, daves, 'hello');
    const second = await world.again({ ...dave, keyStore: new MemoryKeyStore() });
    const seconds = await second.client.getChannelBySid(own.sid);
    await seconds.getMembers();
    const onErin = await world.again(erin);
    const changed: unknown[] = [];
    onErin.encryption.on('keyChanged', (event) => changed.push(event));
    const again = await onErin.client.getChannelBySid(own.sid);
    const unread = nextMessage(seconds);
    await again.sendMessage('for the first device only');
    expect((await unread).encryption).toEqual({ status: 'unavailable', code: 'NOT_ADDRESSED' });
    expect(changed).toEqual([{ identity: 'dave', cardIds: [second.encryption.cardId] }]);
    const warned = next<Message>(again, 'messageAdded', ({ author }) => author === 'dave');
    // What the unknown card writes is verified, but labelled.
    const written = nextMessage(seconds);
    await seconds.sendMessage('new phone');
    await written;
    expect((await warned).encryption).toMatchObject({ status: 'verified', trust: 'changed' });
    const { cardId } = second.encryption;
    expect(await onErin.encryption.acknowledge('dave', [cardId])).toEqual([cardId]);
    expect((await deliver(again, seconds, 'for both')).body).toBe('for both');
  });
});

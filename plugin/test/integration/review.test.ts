/** What reviewers broke, and must stay whole. */
import type { Channel } from 'twilio-chat';
import {
  createCard,
  createEphemeral,
  curves,
  encodeContent,
  exportCard,
  messageIdOf,
  parseCardId,
  parseChannelSid,
  parseIdentity,
  sealMessage,
  x25519Slots,
  importCard,
  type Bytes,
  type EditTarget,
} from 'twilio-chat-encryption/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindOf } from './device-records.ts';
import { through } from './through.ts';
import { deliver, history, next, pair, startWorld, type Person, type World } from './world.ts';

let world: World;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  world = await startWorld();
  [alice, bob] = await Promise.all([world.person('alice'), world.person('bob')]);
});

afterAll(() => world.close());

const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length));

/** A card for Alice that a hacked token server approved, and edits under it. */
async function planted(own: Channel) {
  const backEnd = await curves();
  const signingKey = await backEnd.importSigningKey(random(32));
  const content = { identity: parseIdentity('alice'), createdAt: Date.now() };
  const card = await createCard(content, signingKey, await backEnd.importAgreementKey(random(32)));
  await world.directory(alice).publish(exportCard(card));
  const recipients = await Promise.all(
    [alice, bob].map(async (person) => importCard(await world.exportedCard(person))),
  );
  return async (target: EditTarget, body: string): Promise<string> => {
    const slots = x25519Slots(
      await createEphemeral(random),
      recipients.map(({ encryptionKey }) => encryptionKey),
    );
    const message = {
      kind: 'edit',
      channelSid: parseChannelSid(own.sid),
      senderCardId: card.id,
      messageId: messageIdOf(random(16)),
      sentAt: Date.now(),
      head: await world.head(alice),
      content: encodeContent({ body }),
      target,
    } as const;
    return (await sealMessage(message, signingKey, slots, random)).text;
  };
}

describe('a card of Alice that nobody acknowledged', () => {
  test('does not edit what she wrote', async () => {
    const [own, bobs] = await pair(alice, bob);
    const message = await deliver(own, bobs, 'pay Carol');
    const { encryption } = message;
    if (encryption.status !== 'verified') throw new Error(encryption.code);
    const edit = await planted(own);
    const target = {
      cardId: parseCardId(alice.encryption.cardId),
      messageId: encryption.messageId,
      sequence: 1,
      revision: 2 ** 32 - 1,
    };
    const updated = next(bobs, 'messageUpdated');
    world.emulator.tamper.rewrite(own.sid, 0, { body: await edit(target, 'pay Mallory') });
    await updated;
    expect(message.encryption).toEqual({ status: 'rejected', code: 'WRONG_AUTHOR' });
    expect(message.body).not.toContain('Mallory');
  });

  test('uses up none of her numbers, and stands in the way of none of her messages', async () => {
    const [own, bobs] = await pair(alice, bob);
    await deliver(own, bobs, 'one');
    const edit = await planted(own);
    const forged = { cardId: parseCardId(alice.encryption.cardId), revision: 1 };
    for (const sequence of [2, 2 ** 53 - 1]) {
      const target = { ...forged, messageId: messageIdOf(random(16)), sequence };
      const [mine, theirs] = [next(own, 'messageAdded'), next(bobs, 'messageAdded')];
      world.emulator.tamper.inject(own.sid, {
        author: 'alice',
        body: await edit(target, 'forged'),
      });
      await Promise.all([mine, theirs]);
    }
    const message = await deliver(own, bobs, 'two');
    expect(message.encryption).toMatchObject({ status: 'verified', anomalies: [] });
    expect((await history(bobs)).map(({ encryption }) => encryption.status)).toEqual([
      'verified',
      'rejected',
      'rejected',
      'verified',
    ]);
  });
});

describe('a session token that is refused for a while', () => {
  test('loses no follower whose key message could not be verified meanwhile', async () => {
    const crowd = Array.from({ length: 15 }, (_, index) => `one of ${index}`);
    await world.crowd(crowd);
    const carol = await world.person('carol');
    const [own, bobs] = await pair(carol, bob);
    for (const identity of crowd) world.emulator.tamper.addMember(own.sid, identity);
    await expect.poll(async () => (await own.getMembers()).length).toBe(17);
    await deliver(own, bobs, 'hello');
    let refused = true;
    const directory = world.directory(bob);
    const fails = <T>(action: () => Promise<T>): Promise<T> =>
      refused
        ? Promise.reject(Object.assign(new Error('refused'), { code: 'UNAUTHORIZED' }))
        : action();
    const dora = await world.again(bob, {
      server: through(directory, fails),
      keyStore: forgetful(bob),
    });
    const channel = await dora.client.getChannelBySid(own.sid);
    const [message] = (await history(channel)).slice(-1);
    expect(message?.encryption.status).toBe('pending');
    const updated = next<{ readonly message: unknown }>(
      channel,
      'messageUpdated',
      (event) => event.message === message,
    );
    refused = false;
    await updated;
    expect(message?.body).toBe('hello');
  });
});

/** Bob's key store without the sessions that he read. */
function forgetful({ keyStore }: Person): Person['keyStore'] {
  return {
    get: (name) =>
      kindOf(name).startsWith('session/') ? Promise.resolve(null) : keyStore.get(name),
    update: (name, change) =>
      kindOf(name).startsWith('session/')
        ? Promise.resolve(void change(null))
        : keyStore.update(name, change),
    clear: (scope) => keyStore.clear(scope),
    lock: (name, work) => keyStore.lock(name, work),
  };
}

test('what an application changes in its copy of a card changes nothing for the chat', async () => {
  const [own, bobs] = await pair(alice, bob);
  const [card] = await alice.encryption.cards.find('bob');
  card?.encryptionKey.fill(9);
  expect((await deliver(own, bobs, 'for Bob')).body).toBe('for Bob');
});

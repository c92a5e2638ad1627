/**
 * The application's key and the log's are changed as docs/keys.md says, under people who go on with their
 * chat: real clients, the real server on each database, and the real commands.
 */
import type { Channel, Message } from 'twilio-chat';
import { Encryption, MemoryKeyStore, type EncryptionOptions } from 'twilio-chat-encryption';
import { base64url } from 'twilio-chat-encryption/protocol';
import { expect, test } from 'vitest';
import {
  newKey,
  startServers,
  type Servers,
  type Variables,
} from '../../plugin/test/integration/servers.ts';
import {
  bring,
  history,
  next,
  pair,
  startWorld,
  type Person,
  type World,
} from '../../plugin/test/integration/world.ts';
import { codeOf, failureOf } from '../../plugin/test/outcomes.ts';
import { signingKeyOf } from '../src/domain/signer.ts';
import { run, type Ended } from './command-line.ts';
import { DATABASES } from './databases.ts';
import { afterTest, temporaryFolder } from './support.ts';

type Pins = Pick<EncryptionOptions, 'appKey' | 'logKey' | 'earlierLogKeys'>;

/** A message as it is shown. */
function line({ author, body, encryption }: Message): string {
  const isTrusted = encryption.status === 'verified' && encryption.trust !== 'changed';
  const why = 'code' in encryption ? encryption.code : encryption.status;
  return isTrusted ? `${author}: ${body}` : `${author}: ${why}`;
}

/** Messages that were sent to three people before Carol was there, and one of the tablet. */
const NOT_CAROLS = 13;

/** People in one channel, each with an application that is opened again with other pins. */
class Chat {
  readonly world: World;
  /** What people were told that they should not be. */
  readonly troubles: string[] = [];
  readonly #people = new Map<string, { readonly person: Person; readonly channel: Channel }>();

  constructor(world: World) {
    this.world = world;
  }

  add(person: Person, channel: Channel): void {
    const { identity, encryption } = person;
    this.#people.set(identity, { person, channel });
    for (const name of ['keyChanged', 'ownCardUnknown', 'splitView', 'auditFailed'] as const) {
      encryption.on(name, () => this.troubles.push(`${identity}: ${name}`));
    }
  }

  of(identity: string) {
    const found = this.#people.get(identity);
    if (!found) throw new Error(`${identity} is not there.`);
    return found;
  }

  /** Their application is closed, and opened with these pins. */
  async reopen(pins: Pins, ...identities: readonly string[]): Promise<void> {
    for (const identity of identities) {
      const { person, channel } = this.of(identity);
      await this.world.leave(person);
      const again = await this.world.again(person, pins);
      this.add(again, await again.client.getChannelBySid(channel.sid));
    }
  }

  /** Everybody says something, and all of these read it. */
  async talk(what: string, ...identities: readonly string[]): Promise<void> {
    for (const identity of identities) {
      const text = `${what} of ${identity}`;
      const isIt = ({ author }: Message): boolean => author === identity;
      const heard = identities.map((each) =>
        next<Message>(this.of(each).channel, 'messageAdded', isIt),
      );
      await this.of(identity).channel.sendMessage(text);
      const lines = (await Promise.all(heard)).map(line);
      expect(new Set(lines)).toEqual(new Set([`${identity}: ${text}`]));
    }
  }

  async read(identity: string): Promise<string[]> {
    return (await history(this.of(identity).channel)).map(line);
  }
}

async function publicKeyOf(privateKey: string): Promise<string> {
  const { publicKey } = await signingKeyOf(base64url.decode(privateKey) ?? new Uint8Array());
  return base64url.encode(publicKey);
}

/** The servers' four keys: what is secret, and what is pinned. */
async function makeKeys() {
  const [app1, app2, log1, log2] = [newKey(), newKey(), newKey(), newKey()];
  const [oldApp, newApp, oldLog, newLog] = await Promise.all(
    [app1, app2, log1, log2].map(publicKeyOf),
  );
  if (!oldApp || !newApp || !oldLog || !newLog) throw new Error('A key is missing.');
  return { app1, app2, log1, log2, oldApp, newApp, oldLog, newLog };
}

function command(args: readonly string[], variables: Variables): Promise<Ended> {
  return run(temporaryFolder(), args, { ...variables });
}

/** A history of all kinds of cards: Alice's was replaced, and Bob's tablet revoked. */
async function makeHistory(chat: Chat): Promise<void> {
  const { world } = chat;
  const [alice, bob, dan] = [
    await world.person('alice'),
    await world.person('bob'),
    await world.person('dan'),
  ];
  const [own, bobs] = await pair(alice, bob);
  const dans = await bring(own, dan);
  const tablet = await world.again(bob, { keyStore: new MemoryKeyStore() });
  // Each trusts the other, and vouches for it.
  for (const [one, other] of [[bob, tablet] as const, [tablet, bob] as const]) {
    await one.encryption.cards.find('bob');
    await one.encryption.devices();
    await one.encryption.trustOf('bob');
    await one.encryption.acknowledge('bob', [other.encryption.cardId]);
  }
  chat.add(alice, own);
  chat.add(bob, bobs);
  chat.add(dan, dans);
  const heard = next<Message>(own, 'messageAdded');
  await (await tablet.client.getChannelBySid(own.sid)).sendMessage('from the tablet');
  expect(line(await heard)).toBe('bob: from the tablet');
  await chat.talk('first', 'alice', 'bob', 'dan');
  await alice.encryption.rotate('password of alice');
  await world.leave(tablet);
  const compromisedSince = new Date();
  await bob.encryption.revoke(tablet.encryption.cardId, { compromisedSince });
  for (const { encryption } of [alice, dan]) await encryption.cards.find('alice', 'bob');
  await chat.talk('second', 'alice', 'bob', 'dan');
  // The tablet, before it was acknowledged.
  expect(chat.troubles.splice(0)).toEqual(['bob: ownCardUnknown']);
}

async function startChat(variables: Variables): Promise<readonly [Chat, Servers]> {
  const starting = startServers(Date.now, variables);
  const world = await startWorld(starting);
  afterTest(() => world.close());
  return [new Chat(world), await starting];
}

test.each(DATABASES)(
  'with $name, changing both keys loses nobody a message',
  async ({ create }) => {
    const keys = await makeKeys();
    const { oldApp, newApp, oldLog, newLog } = keys;
    const [chat, servers] = await startChat({
      DATABASE_URL: await create(),
      APP_PRIVATE_KEY: keys.app1,
      LOG_PRIVATE_KEY: keys.log1,
    });
    const { world } = chat;
    await makeHistory(chat);
    // Keys of before everything: they are restored after everything.
    await chat.of('bob').person.encryption.backup('password of bob');
    expect(await chat.read('dan')).toHaveLength(7);

    // Both keys are pinned, by everybody but Dan.
    const both: Pins = { appKey: [oldApp, newApp], logKey: [newLog, oldLog] };
    await chat.reopen(both, 'alice', 'bob');
    await chat.talk('third', 'alice', 'bob', 'dan');

    // The server approves with the new key. Cards of the old one go on.
    await servers.restart({ APP_PRIVATE_KEY: keys.app2, EARLIER_APP_KEYS: oldApp });
    await chat.talk('fourth', 'alice', 'bob', 'dan');
    const carol = await world.person('carol', both);
    const { channel: alices } = chat.of('alice');
    chat.add(carol, await bring(alices, carol));
    await chat.talk('fifth', 'alice', 'bob', 'carol');

    // Who pins the old key alone is told what to do, and shown nothing of what it did not approve.
    const { channel: dans } = chat.of('dan');
    expect((await chat.read('dan')).at(-1)).toBe('carol: CARD_INVALID');
    const failure = await failureOf(dans.sendMessage('to Carol'));
    expect(failure).toMatchObject({ code: 'APP_KEY_UNKNOWN', identities: ['carol'] });
    expect(failure.message).toContain('needs an update');
    const session = await world.signUp('erin');
    const erin = { ...world.options({ identity: 'erin', session }) };
    const unapproved = await failureOf(
      Encryption.open({ ...erin, keyStore: new MemoryKeyStore() }),
    );
    expect(unapproved.code).toBe('OWN_CARD_INVALID');
    expect(unapproved.message).toContain('needs an update');
    await chat.reopen(both, 'dan');
    expect((await chat.read('dan')).at(-1)).toBe('carol: fifth of carol');
    await chat.talk('sixth', 'alice', 'bob', 'carol', 'dan');

    // Who pins the new one alone refuses the cards of the old one.
    const onlyNew: Pins = { appKey: newApp, logKey: [newLog, oldLog] };
    await chat.reopen(onlyNew, 'carol');
    expect(await codeOf(chat.of('carol').channel.sendMessage('to Alice'))).toBe('APP_KEY_UNKNOWN');
    expect((await chat.read('carol')).at(-1)).toBe('dan: CARD_INVALID');
    expect(await codeOf(world.again(chat.of('alice').person, onlyNew))).toBe('OWN_CARD_INVALID');
    await chat.reopen(both, 'carol');
    const everybody = ['alice', 'bob', 'carol', 'dan'];
    const readAll = () => Promise.all(everybody.map((one) => chat.read(one)));
    const before = await readAll();
    // All is read, but for what was there before Carol.
    const unread = before.flat().filter((each) => !/: \w+ of \w+$|: from the tablet$/.test(each));
    expect(unread).toHaveLength(NOT_CAROLS);
    expect(new Set(unread.map((each) => each.replace(/^\w+: /, '')))).toEqual(
      new Set(['SENT_BEFORE_JOIN']),
    );

    // The log begins again under a new key, with all cards approved by the new key.
    await servers.restart({ LOG_PRIVATE_KEY: keys.log2 }, async (variables) => {
      const { code, stdout, stderr } = await command(['log', 'restart'], variables);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain(`appKey: ${newApp}\n  logKey: ${newLog}`);
      for (const args of [['doctor'], ['log', 'verify']]) {
        const checked = await command(args, { ...variables, EARLIER_APP_KEYS: '' });
        expect([args, checked.code, checked.stderr]).toEqual([args, 0, '']);
      }
    });
    const { person: alice } = chat.of('alice');
    const changed = await failureOf(alice.encryption.cards.find('bob'));
    expect(changed.code).toBe('LOG_CHANGED');
    expect(changed.message).toContain('Open the device again');
    const onlyOld: Pins = { appKey: [oldApp, newApp], logKey: oldLog };
    expect(await codeOf(world.again(alice, onlyOld))).toBe('LOG_KEY_UNKNOWN');
    await chat.reopen(both, ...everybody);
    expect(await readAll()).toEqual(before);
    await chat.talk('seventh', ...everybody);

    // The old keys are pinned no longer, but for the heads in messages of the time of the old log.
    const after: Pins = { appKey: newApp, logKey: newLog, earlierLogKeys: [oldLog] };
    await servers.restart({ EARLIER_APP_KEYS: '' });
    await chat.reopen(after, ...everybody);
    expect((await readAll()).map((lines) => lines.slice(0, -4))).toEqual(before);
    await chat.talk('eighth', ...everybody);
    await chat.reopen({ ...after, earlierLogKeys: [] }, 'dan');
    expect((await chat.read('dan'))[0]).toBe('bob: MALFORMED');
    await chat.reopen(after, 'dan');
    // And for somebody new, to whom all this is long ago.
    const frank = await world.person('frank', after);
    chat.add(frank, await bring(chat.of('alice').channel, frank));
    await chat.talk('ninth', ...everybody, 'frank');
    const { person: bob } = chat.of('bob');
    await world.leave(bob);
    const keyStore = new MemoryKeyStore();
    const options = { ...world.options(bob), ...after, keyStore };
    const { encryption, missing } = await Encryption.restore(options);
    expect(missing).toMatchObject([{ status: 'revoked' }]);
    const restored = await world.join(bob, encryption, keyStore);
    const bobs = await restored.client.getChannelBySid(chat.of('bob').channel.sid);
    const lines = (await history(bobs)).map(line);
    expect(lines.slice(0, -1)).toEqual((await chat.read('alice')).slice(0, -1));
    const statuses = await frank.encryption.trustOf('bob');
    expect(statuses).toEqual([
      { cardId: chat.of('bob').person.encryption.cardId, trust: 'pinned' },
    ]);
    expect(chat.troubles).toEqual([]);
  },
  120_000,
);

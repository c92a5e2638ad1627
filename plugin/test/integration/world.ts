/**
 * A whole system on real parts: a Twilio emulator, a token server over HTTP with SQLite, and
 * people with the real twilio-chat SDK, wrapped.
 */
import { Client as ConversationsClient } from '@twilio/conversations';
import { Client, type Channel, type Message } from 'twilio-chat';
import type { RunningEmulator } from 'twilio-chat-emulator';
import { vi } from 'vitest';
import {
  Encryption,
  MemoryKeyStore,
  type Directory,
  type EncryptionOptions,
  type KeyStore,
} from 'twilio-chat-encryption';
import { httpDirectory } from '../../src/client/directory.ts';
import { signUp, twilioToken } from './accounts.ts';
import { decodeHead, parseIdentity, type LogHead } from 'twilio-chat-encryption/protocol';
import { enrol } from './crowd.ts';
import { next } from './next.ts';
import { newKey, startServers, type Servers } from './servers.ts';

export { next } from './next.ts';

export interface World {
  readonly emulator: RunningEmulator;
  /** The token server's URL. */
  readonly server: string;
  readonly appKey: string;
  readonly logKey: string;
  /** A bare client of the SDK, not ready yet. */
  connect(accessToken: string): Client;
  /** A bare client of Conversations of somebody who is signed in, ready. */
  conversations(person: Pick<Person, 'session'>): Promise<ConversationsClient>;
  /** Signs up, and gives the session token. */
  signUp(identity: string): Promise<string>;
  /**
   * Signs people up who have a card and no client: they can be members, and read nothing.
   * @param postQuantum whether their cards have keys of suite 2; without by default
   */
  crowd(identities: readonly string[], postQuantum?: boolean): Promise<void>;
  /** A signed-in person with a wrapped client. */
  person(identity: string, options?: Partial<EncryptionOptions>): Promise<Person>;
  /** Another Twilio client of somebody who is signed in, with a key store of before. */
  again(person: Person, options?: Partial<EncryptionOptions>): Promise<Person>;
  /** Another Twilio client of somebody who is signed in, wrapped by a device that is open. */
  join(person: Person, encryption: Encryption, keyStore: KeyStore): Promise<Person>;
  /** What this person's devices are opened with. */
  options(person: Pick<Person, 'identity' | 'session'>): Omit<EncryptionOptions, 'keyStore'>;
  /** Ends this run of somebody's application; its key store stays. */
  leave(person: Person): Promise<void>;
  /** The token server as this person's directory. */
  directory(person: Person): Directory;
  /** The newest head of the log, as this person is shown it. */
  head(person: Person): Promise<LogHead>;
  /** This person's approved card, as the directory has it. */
  exportedCard(person: Person): Promise<string>;
  close(): Promise<void>;
}

export interface Person {
  readonly identity: string;
  readonly session: string;
  readonly keyStore: KeyStore;
  readonly encryption: Encryption;
  readonly raw: Client;
  readonly client: Client;
}

/** @param starting what runs behind the people */
export async function startWorld(starting: Promise<Servers> = startServers()): Promise<World> {
  const servers = await starting;
  const { emulator, server, appKey, logKey } = servers;
  const opened: Encryption[] = [];
  const clients: Client[] = [];
  const conversationsClients: ConversationsClient[] = [];

  function connect(accessToken: string): Client {
    const client = new Client(accessToken, emulator.clientOptions);
    clients.push(client);
    return client;
  }

  const newAccount = (identity: string): Promise<string> => signUp(server, identity, newKey());

  const optionsOf: World['options'] = ({ identity, session }) => ({
    identity,
    server,
    authorize: () => Promise.resolve(session),
    appKey,
    logKey,
    password: `password of ${identity}`,
  });

  async function join(
    { identity, session }: Pick<Person, 'identity' | 'session'>,
    encryption: Encryption,
    keyStore: KeyStore,
  ): Promise<Person> {
    opened.push(encryption);
    const raw = connect(await twilioToken(server, session));
    await ready(raw);
    const client = encryption.wrapClient(raw);
    return { identity, session, keyStore, encryption, raw, client };
  }

  async function enter(
    person: Pick<Person, 'identity' | 'session' | 'keyStore'>,
    options: Partial<EncryptionOptions>,
  ): Promise<Person> {
    const { keyStore } = person;
    const encryption = await Encryption.open({ ...optionsOf(person), keyStore, ...options });
    return join(person, encryption, options.keyStore ?? keyStore);
  }

  return {
    emulator,
    connect,
    async conversations({ session }) {
      const accessToken = await twilioToken(server, session);
      const client = new ConversationsClient(accessToken, emulator.clientOptions);
      conversationsClients.push(client);
      await next(client, 'initialized');
      return client;
    },
    server,
    appKey,
    logKey,
    signUp: newAccount,
    crowd: (identities, postQuantum = false) => enrol(server, identities, postQuantum),
    async person(identity, options = {}) {
      const session = await newAccount(identity);
      return enter({ identity, session, keyStore: new MemoryKeyStore() }, options);
    },
    again: (person, options = {}) => enter(person, options),
    join,
    options: optionsOf,
    async leave({ encryption, raw }) {
      encryption.close();
      await leaveQuietly(emulator, [raw]);
      clients.splice(clients.indexOf(raw), 1);
    },
    directory: ({ session }) => httpDirectory(server, () => Promise.resolve(session)),
    async head({ identity, session }) {
      const directory = httpDirectory(server, () => Promise.resolve(session));
      const { head } = await directory.lookup([parseIdentity(identity)], 0);
      const decoded = decodeHead(new Uint8Array(Buffer.from(head, 'base64url')));
      if (!decoded) throw new Error('The log has no head.');
      return decoded;
    },
    async exportedCard({ encryption, session }) {
      const directory = httpDirectory(server, () => Promise.resolve(session));
      return (await directory.get(encryption.cardId)) ?? '';
    },
    async close() {
      for (const encryption of opened) encryption.close();
      await leaveQuietly(emulator, clients);
      for (const client of conversationsClients) {
        await client.getUser(client.user.identity);
        await client.shutdown();
      }
      await servers.close();
    },
  };
}

/** Waits until a client that was just made is ready. */
export async function ready(client: Client): Promise<void> {
  const state = await next<string>(client, 'stateChanged');
  if (state !== 'initialized') throw new Error(`The client is ${state}.`);
}

/**
 * Shuts clients down when nothing of theirs is in flight any more: the SDK raises an unhandled
 * rejection for whatever is.
 */
async function leaveQuietly(emulator: RunningEmulator, clients: readonly Client[]): Promise<void> {
  const identities = clients.map(({ user }) => user.identity);
  const count = (all: readonly string[], one: string): number =>
    all.filter((identity) => identity === one).length;
  await vi.waitFor(() => {
    for (const { sid, members } of emulator.inspect.channels()) {
      for (const member of members.filter((identity) => identities.includes(identity))) {
        for (const part of ['channel', 'messages', 'roster']) {
          const followers = emulator.inspect.followers(`${sid}.${part}`);
          if (count(followers, member) < count(identities, member)) throw new Error('unsettled');
        }
      }
    }
  }, 15_000);
  for (const client of clients) {
    // The answer comes after everything that was sent before it.
    await client.getUserDescriptor(client.user.identity);
    await client.shutdown();
  }
}

/** Adds somebody to a channel, and gives the channel as they have it. */
export async function bring(channel: Channel, other: Person): Promise<Channel> {
  const joined = next<Channel>(other.client, 'channelJoined', ({ sid }) => sid === channel.sid);
  await channel.add(other.identity);
  const theirs = await joined;
  // Reading the members opens the message list: from here on no message is missed.
  await theirs.getMembers();
  return theirs;
}

/** A new channel of two people, as each of them has it. */
export async function pair(creator: Person, other: Person): Promise<readonly [Channel, Channel]> {
  const own = await creator.client.createChannel({ isPrivate: true });
  await own.join();
  await own.getMembers();
  return [own, await bring(own, other)];
}

/** Sends, and gives the message as `reader` gets it. */
export async function deliver(
  sender: Channel,
  reader: Channel,
  body: string,
  attributes?: unknown,
): Promise<Message> {
  // Others may arrive before: of one's own messages one hears, too.
  const early: Message[] = [];
  const keep = (message: Message): void => void early.push(message);
  reader.on('messageAdded', keep);
  const index = await sender.sendMessage(body, attributes);
  const isSent = (message: Message): boolean => message.index === index;
  const arrived = early.find(isSent) ?? (await next<Message>(reader, 'messageAdded', isSent));
  reader.off('messageAdded', keep);
  return arrived;
}

/** All messages, oldest first, through every page. */
export async function history(channel: Channel, pageSize = 30): Promise<Message[]> {
  let page = await channel.getMessages(pageSize);
  const messages = [...page.items];
  while (page.hasPrevPage) {
    page = await page.prevPage();
    messages.unshift(...page.items);
  }
  return messages;
}

/** What the benches of the whole plugin stand on: the emulator over a real websocket, and real SDKs. */
import { Client as ConversationsClient } from '@twilio/conversations';
import twilio from 'twilio';
import { Client as ChatClient } from 'twilio-chat';
import { startEmulator } from 'twilio-chat-emulator';
import { Encryption, MemoryKeyStore, type KeyStore } from 'twilio-chat-encryption';
import { createCard, curves, exportCard, parseIdentity } from 'twilio-chat-encryption/protocol';
import { LoggedDirectory, PINS } from '../plugin/test/client/logged-directory.ts';

export const emulator = await startEmulator();
/** A token server without a network. */
export const directory = new LoggedDirectory();

/** Somebody's device. */
export async function open(
  identity: string,
  keyStore: KeyStore = new MemoryKeyStore(),
): Promise<Encryption> {
  return Encryption.open({ identity, ...PINS, server: directory, keyStore, password: 'bench' });
}

/** Publishes cards of people who have no client. */
export async function enrol(identities: readonly string[]): Promise<void> {
  const backEnd = await curves();
  for (const identity of identities) {
    const card = await createCard(
      { identity: parseIdentity(identity), createdAt: Date.now() },
      await backEnd.importSigningKey(crypto.getRandomValues(new Uint8Array(32))),
      await backEnd.importAgreementKey(crypto.getRandomValues(new Uint8Array(32))),
    );
    await directory.publish(exportCard(card));
  }
}

/** A channel or a conversation, by one name for both SDKs. */
export interface Room {
  readonly sid: string;
  sendMessage(text: string): Promise<number>;
  getMessages(size: number): Promise<{ readonly items: readonly unknown[] }>;
}

/** One of the SDKs. */
export interface Sdk {
  readonly name: string;
  /** A room that this person makes. */
  readonly create: (identity: string, wrapWith: Encryption | null) => Promise<Room>;
  /** A room that exists, with a client that never saw it. */
  readonly enter: (identity: string, wrapWith: Encryption | null, sid: string) => Promise<Room>;
}

function token(identity: string): string {
  const { accountSid, apiKey, apiSecret, serviceSid } = emulator.config;
  const { AccessToken } = twilio.jwt;
  const made = new AccessToken(accountSid, apiKey, apiSecret, { identity, ttl: 3600 });
  made.addGrant(new AccessToken.ChatGrant({ serviceSid }));
  return made.toJwt();
}

async function chatClient(identity: string, wrapWith: Encryption | null): Promise<ChatClient> {
  const raw = new ChatClient(token(identity), emulator.clientOptions);
  await new Promise<void>((resolve) =>
    raw.once('stateChanged', () => {
      resolve();
    }),
  );
  return wrapWith ? wrapWith.wrapClient(raw) : raw;
}

async function conversationsClient(
  identity: string,
  wrapWith: Encryption | null,
): Promise<ConversationsClient> {
  const raw = new ConversationsClient(token(identity), emulator.clientOptions);
  await new Promise<void>((resolve) =>
    raw.once('initialized', () => {
      resolve();
    }),
  );
  return wrapWith ? wrapWith.wrapClient(raw) : raw;
}

export const chat = {
  name: 'twilio-chat',
  async create(identity, wrapWith) {
    const channel = await (await chatClient(identity, wrapWith)).createChannel();
    return channel.join();
  },
  enter: async (identity, wrapWith, sid) =>
    (await chatClient(identity, wrapWith)).getChannelBySid(sid),
} satisfies Sdk;

export const conversations: Sdk = {
  name: 'Conversations',
  async create(identity, wrapWith) {
    const client = await conversationsClient(identity, wrapWith);
    return (await client.createConversation()).join();
  },
  enter: async (identity, wrapWith, sid) =>
    (await conversationsClient(identity, wrapWith)).getConversationBySid(sid),
};

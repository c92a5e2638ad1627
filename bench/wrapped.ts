/**
 * What wrapping a client costs: one message sent, and the first page of 100 read, with the bare SDK and
 * with the wrapped one. Both talk to the emulator over a real websocket on this machine, so the network
 * takes nearly nothing: over a real one the ratio is nearer to 1. Rounds are interleaved in one run.
 */
import { Client as ConversationsClient } from '@twilio/conversations';
import twilio from 'twilio';
import { Client as ChatClient } from 'twilio-chat';
import { startEmulator } from 'twilio-chat-emulator';
import { Encryption, MemoryKeyStore } from 'twilio-chat-encryption';
import { LoggedDirectory, PINS } from '../plugin/test/client/logged-directory.ts';

const PAGE = 100;
const SENDS = 200;
const PAGES = 15;
const BODY = 'x'.repeat(200);

const emulator = await startEmulator();
/** A token server without a network. */
const directory = new LoggedDirectory();

function token(identity: string): string {
  const { accountSid, apiKey, apiSecret, serviceSid } = emulator.config;
  const { AccessToken } = twilio.jwt;
  const made = new AccessToken(accountSid, apiKey, apiSecret, { identity, ttl: 3600 });
  made.addGrant(new AccessToken.ChatGrant({ serviceSid }));
  return made.toJwt();
}

const encryption = async (identity: string): Promise<Encryption> =>
  Encryption.open({
    identity,
    ...PINS,
    server: directory,
    keyStore: new MemoryKeyStore(),
    password: 'bench',
  });

/** What is measured, by one name for both SDKs. */
interface Room {
  readonly sid: string;
  sendMessage(text: string): Promise<number>;
  getMessages(size: number): Promise<{ readonly items: readonly unknown[] }>;
}

interface Sdk {
  readonly name: string;
  /** A room that this person makes. */
  create(identity: string, wrapWith: Encryption | null): Promise<Room>;
  /** A room that exists, with a client that never saw it. */
  open(identity: string, wrapWith: Encryption | null, sid: string): Promise<Room>;
}

const chat: Sdk = {
  name: 'twilio-chat',
  async create(identity, wrapWith) {
    const channel = await (await chatClient(identity, wrapWith)).createChannel();
    return channel.join();
  },
  open: async (identity, wrapWith, sid) =>
    (await chatClient(identity, wrapWith)).getChannelBySid(sid),
};

async function chatClient(identity: string, wrapWith: Encryption | null): Promise<ChatClient> {
  const raw = new ChatClient(token(identity), emulator.clientOptions);
  await new Promise<void>((resolve) =>
    raw.once('stateChanged', () => {
      resolve();
    }),
  );
  return wrapWith ? wrapWith.wrapClient(raw) : raw;
}

const conversations: Sdk = {
  name: 'Conversations',
  async create(identity, wrapWith) {
    const client = await conversationsClient(identity, wrapWith);
    const conversation = await client.createConversation();
    return conversation.join();
  },
  open: async (identity, wrapWith, sid) =>
    (await conversationsClient(identity, wrapWith)).getConversationBySid(sid),
};

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

async function timed(task: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await task();
  return performance.now() - start;
}

function median(times: readonly number[]): number {
  const sorted = [...times].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function report(what: string, bare: readonly number[], wrapped: readonly number[]): void {
  const [one, other] = [median(bare), median(wrapped)];
  const ratio = (other / one).toFixed(2);
  console.log(`${what}: bare ${one.toFixed(2)} ms, wrapped ${other.toFixed(2)} ms, ratio ${ratio}`);
}

for (const sdk of [chat, conversations]) {
  const identity = `alice of ${sdk.name}`;
  const device = await encryption(identity);
  const bare = await sdk.create(identity, null);
  const wrapped = await sdk.create(identity, device);
  const sends: Record<'bare' | 'wrapped', number[]> = { bare: [], wrapped: [] };
  for (let round = 0; round < SENDS; round++) {
    sends.bare.push(await timed(() => bare.sendMessage(BODY)));
    sends.wrapped.push(await timed(() => wrapped.sendMessage(BODY)));
  }
  report(`${sdk.name}, send`, sends.bare, sends.wrapped);
  const pages: Record<'bare' | 'wrapped', number[]> = { bare: [], wrapped: [] };
  for (let round = 0; round < PAGES; round++) {
    const first = await sdk.open(identity, null, bare.sid);
    pages.bare.push(await timed(() => first.getMessages(PAGE)));
    const second = await sdk.open(identity, device, wrapped.sid);
    pages.wrapped.push(await timed(() => second.getMessages(PAGE)));
  }
  report(`${sdk.name}, page of ${PAGE}`, pages.bare, pages.wrapped);
}
process.exit(0);

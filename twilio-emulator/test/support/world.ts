import { Client as ConversationsClient } from '@twilio/conversations';
import twilio from 'twilio';
import { Client, type Channel, type ClientOptions } from 'twilio-chat';
import { onTestFinished, vi } from 'vitest';
import { startEmulator, type RunningEmulator, type StartOptions } from '../../src/index.ts';
import { chatSdk } from './chat-sdk.ts';
import { conversationsSdk } from './conversations-sdk.ts';
import { next } from './events.ts';
import type { Device, Sdk } from './sdk.ts';

/** Both SDKs, for suites that run with each of them. */
export const SDKS: readonly Sdk[] = [chatSdk, conversationsSdk];

/** Who is in a room with whom: both SDKs are, each with itself and each with the other. */
export const PAIRS = SDKS.flatMap((ours) =>
  SDKS.map((theirs) => ({ ours, theirs, label: `${ours.name} with ${theirs.name}` })),
);

/** An emulator and the SDK clients that a test connects to it; all of it ends with the test. */
export interface World {
  readonly emulator: RunningEmulator;
  /** A connected client of twilio-chat. */
  readonly connect: (identity: string, options?: ClientOptions) => Promise<Client>;
  /** A connected client of either SDK. */
  readonly device: (sdk: Sdk, identity: string) => Promise<Device>;
  readonly token: (identity: string, ttl?: number) => string;
  /** Leaves a client to the end of the test that the test itself made. */
  readonly adopt: <C extends AnyClient>(client: C) => C;
}

type AnyClient = Device['raw'];

/**
 * Starts an emulator for the test that is running, or for as long as `atEnd` says: tests that run at
 * the same time, because the SDK mostly waits, have to give theirs.
 */
export async function createWorld(
  options: StartOptions = {},
  atEnd: (cleanUp: () => Promise<void>) => void = onTestFinished,
): Promise<World> {
  const emulator = await startEmulator(options);
  const clients: AnyClient[] = [];
  atEnd(async () => {
    await Promise.all(clients.map((client) => leaveQuietly(emulator, client)));
    await emulator.close();
  });
  const token = (identity: string, ttl?: number): string =>
    accessToken(emulator.config, identity, ttl);
  const adopt: World['adopt'] = (client) => {
    clients.push(client);
    return client;
  };
  return {
    emulator,
    token,
    adopt,
    async connect(identity, more) {
      const client = adopt(new Client(token(identity), { ...emulator.clientOptions, ...more }));
      await next(client, 'stateChanged', (state) => state === 'initialized');
      return client;
    },
    async device(sdk, identity) {
      const device = sdk.open(token(identity), emulator.clientOptions);
      adopt(device.raw);
      await sdk.ready(device);
      return device;
    },
  };
}

/** An access token, made by Twilio's own package. */
export function accessToken(
  config: RunningEmulator['config'],
  identity: string,
  ttl = 3600,
): string {
  const { AccessToken } = twilio.jwt;
  const { accountSid, apiKey, apiSecret, serviceSid } = config;
  const token = new AccessToken(accountSid, apiKey, apiSecret, { identity, ttl });
  token.addGrant(new AccessToken.ChatGrant({ serviceSid }));
  return token.toJwt();
}

/** A private channel with its creator and another in it, as each of them sees it. */
export async function createPair(
  owner: Client,
  other: Client,
  uniqueName = 'u',
): Promise<[Channel, Channel]> {
  const channel = await owner.createChannel({ uniqueName, isPrivate: true });
  await channel.join();
  await channel.getMembers();
  return [channel, await admit(channel, other)];
}

/** Adds someone to a channel; resolves to the channel as the newcomer sees it, fully opened. */
export async function admit(channel: Channel, newcomer: Client): Promise<Channel> {
  const joined = next(newcomer, 'channelJoined', ({ sid }) => sid === channel.sid);
  const listed = next(channel, 'memberJoined');
  await channel.add(newcomer.user.identity);
  await listed;
  const theirs = await joined;
  await theirs.getMembers();
  return theirs;
}

/** Waits until an identity's connections follow everything of the channels it is in. */
export async function settled(emulator: RunningEmulator, identity: string): Promise<void> {
  const wanted = emulator.inspect
    .channels()
    .filter(({ members }) => members.includes(identity))
    .flatMap(({ sid }) => [`${sid}.channel`, `${sid}.messages`, `${sid}.roster`]);
  await vi.waitFor(
    () => {
      const missing = wanted.filter((name) => !emulator.inspect.followers(name).includes(identity));
      if (missing.length > 0) throw new Error(`${identity} does not follow ${missing.join(', ')}`);
    },
    { timeout: 5_000, interval: 20 },
  );
}

/**
 * Shuts a client down when nothing of it is in flight any more: the SDK raises an unhandled
 * rejection half a minute after it was shut down with a request open.
 */
async function leaveQuietly(emulator: RunningEmulator, client: AnyClient): Promise<void> {
  if (client.connectionState === 'connected') {
    const { identity } = client.user;
    await settled(emulator, identity);
    // The answer comes after everything that was sent before it.
    if (client instanceof ConversationsClient) await client.getContentTemplates();
    else await client.getUserDescriptor(identity);
  }
  await client.shutdown();
}

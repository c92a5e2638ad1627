/** A Twilio token runs out in the middle of a chat: the wrapped client goes on. */
import { Client as ConversationsClient } from '@twilio/conversations';
import twilio from 'twilio';
import { Client as ChatClient } from 'twilio-chat';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chatDevice, conversationsDevice, meet, tell, type Device } from './rooms.ts';
import { startWorld, type Person, type World } from './world.ts';

let world: World;
let alice: Device;

beforeAll(async () => {
  world = await startWorld();
  alice = chatDevice('alice', (await world.person('alice')).client);
});

afterAll(() => world.close());

/** A Twilio token that runs out after so many seconds. */
function shortToken(identity: string, ttl: number): string {
  const { accountSid, apiKey, apiSecret, serviceSid } = world.emulator.config;
  const { AccessToken } = twilio.jwt;
  const token = new AccessToken(accountSid, apiKey, apiSecret, { identity, ttl });
  token.addGrant(new AccessToken.ChatGrant({ serviceSid }));
  return token.toJwt();
}

/** Somebody whose token server gives no Twilio tokens until it is told to. */
async function cutOff(identity: string): Promise<Person & { readonly mend: () => void }> {
  const person = await world.person(identity);
  const directory = world.directory(person);
  let away = true;
  const again = await world.again(person, {
    server: {
      ...directory,
      async twilioToken() {
        if (away || !directory.twilioToken) throw new Error('away');
        return directory.twilioToken();
      },
    },
  });
  return {
    ...again,
    mend: () => {
      away = false;
    },
  };
}

test('a client of twilio-chat gets a new one, also when it is too late for the old one', async () => {
  const { identity, encryption, mend } = await cutOff('bob');
  const raw = new ChatClient(shortToken(identity, 3), world.emulator.clientOptions);
  const expired = new Promise<void>((resolve) => raw.once('tokenExpired', resolve));
  const client = encryption.wrapClient(raw);
  await expired;
  mend();
  await expect.poll(() => raw.connectionState).toBe('connected');
  const [own, bobs] = await meet(alice, chatDevice(identity, client));
  expect((await tell(own, bobs, 'still there?')).encryption.status).toBe('verified');
  await client.shutdown();
});

test('a client of Conversations likewise', async () => {
  const { identity, encryption, mend } = await cutOff('carol');
  const raw = new ConversationsClient(shortToken(identity, 3), world.emulator.clientOptions);
  const expired = new Promise<void>((resolve) => raw.once('tokenExpired', resolve));
  const client = encryption.wrapClient(raw);
  await expired;
  mend();
  await expect.poll(() => raw.connectionState).toBe('connected');
  const [own, carols] = await meet(alice, conversationsDevice(identity, client));
  expect((await tell(own, carols, 'still there?')).encryption.status).toBe('verified');
  await client.shutdown();
});

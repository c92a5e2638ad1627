/** Two people and the servers behind them in one process, wrapped or bare. Nothing of the test runner in here. */
import { Client as ConversationsClient } from '@twilio/conversations';
import { Client as ChatClient } from 'twilio-chat';
import type { RunningEmulator } from 'twilio-chat-emulator';
import { Encryption, MemoryKeyStore } from 'twilio-chat-encryption';
import { signUp, twilioToken } from '../accounts.ts';
import { chatDevice, conversationsDevice, type Device } from '../rooms.ts';
import { newKey, startServers, type Servers } from '../servers.ts';

/** The SDKs. */
export type SdkName = 'twilio-chat' | 'Conversations';

/** What is looked at: the SDK as it is, or wrapped. */
export type Manner = 'bare' | 'wrapped';

/** Somebody with a client of an SDK. */
export interface Somebody extends Device {
  /** None of a bare client. */
  readonly encryption: Encryption | null;
}

export interface Stage {
  readonly servers: Servers;
  /** Whom things happen to. */
  readonly alice: Somebody;
  /** Who only talks to her, with twilio-chat. */
  readonly bob: Somebody;
  /** Waits until nothing that somebody's client does by itself is in flight. */
  quiet(person: Somebody): Promise<void>;
  /** Shuts somebody's client down, whatever is in flight. */
  shutdown(person: Somebody): Promise<void>;
  /** Shuts it down when nothing is: the SDKs raise what is. */
  leave(person: Somebody): Promise<void>;
  closeEmulator(): Promise<void>;
  /** Ends what did not end yet. */
  close(): Promise<void>;
}

/** Opens a stage on which Alice has this SDK. */
export async function openStage(sdk: SdkName, manner: Manner): Promise<Stage> {
  const servers = await startServers();
  const { emulator } = servers;
  const alice = await enter(servers, sdk, manner, 'alice');
  const bob = await enter(servers, 'twilio-chat', manner, 'bob');
  const here = new Set([alice, bob]);
  let isEmulatorOpen = true;

  async function quiet({ identity, client }: Somebody): Promise<void> {
    await follows(emulator, identity);
    // The answer comes after everything that was sent before it.
    await client.getUser(identity);
  }

  async function shutdown(person: Somebody): Promise<void> {
    here.delete(person);
    await person.client.shutdown();
  }

  async function leave(person: Somebody): Promise<void> {
    if (isEmulatorOpen) await quiet(person);
    await shutdown(person);
  }

  async function closeEmulator(): Promise<void> {
    isEmulatorOpen = false;
    await emulator.close();
  }

  return {
    servers,
    alice,
    bob,
    quiet,
    shutdown,
    leave,
    closeEmulator,
    async close() {
      for (const person of [...here]) await leave(person);
      for (const { encryption } of [alice, bob]) encryption?.close();
      await servers.closeTokenServer();
      if (isEmulatorOpen) await closeEmulator();
    },
  };
}

async function enter(
  { server, appKey, logKey, emulator }: Servers,
  sdk: SdkName,
  manner: Manner,
  identity: string,
): Promise<Somebody> {
  const session = await signUp(server, identity, newKey());
  const options = {
    identity,
    server,
    authorize: () => Promise.resolve(session),
    appKey,
    logKey,
    keyStore: new MemoryKeyStore(),
    password: `password of ${identity}`,
  };
  const encryption = manner === 'wrapped' ? await Encryption.open(options) : null;
  const accessToken = await twilioToken(server, session);
  if (sdk === 'twilio-chat') {
    const raw = new ChatClient(accessToken, emulator.clientOptions);
    await happens((done) => raw.onWithReplay('stateChanged', done));
    return { ...chatDevice(identity, encryption?.wrapClient(raw) ?? raw), encryption };
  }
  const raw = new ConversationsClient(accessToken, emulator.clientOptions);
  await happens((done) => raw.onWithReplay('initialized', done));
  return { ...conversationsDevice(identity, encryption?.wrapClient(raw) ?? raw), encryption };
}

/** Waits for what calls `done`. */
function happens(when: (done: () => void) => unknown): Promise<void> {
  return new Promise((resolve) => {
    when(resolve);
  });
}

/** Waits until somebody follows all channels that they are in. */
async function follows({ inspect }: RunningEmulator, identity: string): Promise<void> {
  const isFollowed = (object: string): boolean => inspect.followers(object).includes(identity);
  const settled = (): boolean =>
    inspect
      .channels()
      .filter(({ members }) => members.includes(identity))
      .every(({ sid }) =>
        ['channel', 'messages', 'roster'].every((part) => isFollowed(`${sid}.${part}`)),
      );
  while (!settled()) await new Promise((resolve) => setTimeout(resolve, 10));
}

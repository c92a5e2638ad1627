import { Client } from 'twilio-chat';
import { deriveAuthSecret, Encryption } from 'twilio-chat-encryption';
import type { StoredMessage } from '../models/stored-message.ts';
import { SETTINGS } from '../settings.ts';
import { openAccess, type Access } from './access.ts';
import { deliveredMessage } from './delivered-message.ts';
import { deviceName } from './device-name.ts';
import { ServerFailure } from './server-failure.ts';
import { signUp } from './token-server.ts';

/** Somebody who is signed in, with an unlocked key and a connected, encrypted client. */
export interface Session {
  readonly identity: string;
  readonly access: Access;
  readonly encryption: Encryption;
  /** What the page works with: everything in it is encrypted and verified. */
  readonly client: Client;
  /** Gives a message as Twilio delivers it, past the encryption: only to be looked at. */
  readonly deliveredMessage: (channelSid: string, index: number) => Promise<StoredMessage>;
  /** Locks the key and disconnects. */
  readonly end: () => Promise<void>;
}

/** What signing in is busy with. */
export type Stage = 'deriving' | 'signing-in' | 'unlocking' | 'connecting';

/** What the form asks for. */
export interface SignIn {
  readonly isNew: boolean;
  readonly identity: string;
  readonly password: string;
}

const CONNECT_MILLISECONDS = 20_000;

/**
 * Signs up or in, unlocks this device's key, or makes it, and connects to Twilio.
 * @throws ServerFailure, EncryptionError
 */
export async function startSession(
  { isNew, identity, password }: SignIn,
  onStage: (stage: Stage) => void,
): Promise<Session> {
  onStage('deriving');
  const authSecret = await deriveAuthSecret(password, identity, SETTINGS.origin);
  onStage('signing-in');
  const credentials = { identity, authSecret };
  if (isNew) await signUp(credentials);
  const access = await openAccess(credentials);
  onStage('unlocking');
  const encryption = await Encryption.open({
    identity,
    password,
    server: location.origin,
    authorize: access.authorize,
    appKey: SETTINGS.appKey,
    logKey: SETTINGS.logKey,
    device: deviceName(navigator.userAgent),
    // The page names channels, and says that Twilio sees those names.
    metadata: 'clear',
  });
  try {
    onStage('connecting');
    const raw = await connect(await access.twilioToken());
    return sessionOf(access, encryption, raw);
  } catch (error) {
    encryption.close();
    throw error;
  }
}

function sessionOf(access: Access, encryption: Encryption, raw: Client): Session {
  return {
    identity: encryption.identity,
    access,
    encryption,
    client: encryption.wrapClient(raw),
    deliveredMessage: (channelSid, index) => deliveredMessage(raw, channelSid, index),
    async end() {
      encryption.close();
      await raw.shutdown();
    },
  };
}

// `Client.create` resolves when the token was refused, and never without a connection.
async function connect(token: string): Promise<Client> {
  const client = new Client(token, SETTINGS.emulated ? emulatorOptions() : {});
  const ready = new Promise<void>((resolve, reject) => {
    const fail = (message: string): void => {
      reject(new ServerFailure('TWILIO_UNREACHABLE', message));
    };
    client.on('stateChanged', (state) => {
      if (state === 'initialized') resolve();
      else fail('Twilio could not start the chat.');
    });
    client.on('connectionStateChanged', (state) => {
      if (state === 'denied') fail('Twilio refused the access token.');
    });
    setTimeout(() => {
      fail('Twilio did not answer.');
    }, CONNECT_MILLISECONDS);
  });
  try {
    await ready;
    return client;
  } catch (error) {
    await client.shutdown();
    throw error;
  }
}

function emulatorOptions(): { Twilsock: { uri: string } } {
  const { protocol, host } = location;
  return { Twilsock: { uri: `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/v3/wsconnect` } };
}

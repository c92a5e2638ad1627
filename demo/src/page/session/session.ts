import type { Client } from 'twilio-chat';
import { Encryption, type RestoredEncryption } from 'twilio-chat-encryption';
import type { StoredMessage } from '../models/stored-message.ts';
import { SETTINGS } from '../settings.ts';
import type { Access } from './access.ts';
import type { Account, Stage } from './account.ts';
import { connect } from './connect.ts';
import { deliveredMessage } from './delivered-message.ts';

/** Somebody who is signed in, with an unlocked key and a connected, encrypted client. */
export interface Session {
  readonly identity: string;
  readonly access: Access;
  readonly encryption: Encryption;
  /** What came of the backup, if the keys of one were restored at this opening. */
  readonly restored: Restored | null;
  /** What the page works with: everything in it is encrypted and verified. */
  readonly client: Client;
  /** Gives a message as Twilio delivers it, past the encryption: only to be looked at. */
  readonly deliveredMessage: (channelSid: string, index: number) => Promise<StoredMessage>;
  /** Locks the key and disconnects. */
  readonly end: () => Promise<void>;
}

/** How old a backup was, and the cards whose keys were not in it. */
export type Restored = Omit<RestoredEncryption, 'encryption'>;

/** How the key is opened. A password is given where it is not the account's. */
export interface Opening {
  /** `open` unlocks this device's key, or makes it; `restore` makes it and adds those of the backup. */
  readonly kind: 'open' | 'restore';
  readonly otherPassword?: string;
}

/**
 * Opens this device's key and connects to Twilio.
 * @throws ServerFailure, EncryptionError
 */
export async function openSession(
  account: Account,
  opening: Opening,
  onStage: (stage: Stage) => void,
): Promise<Session> {
  onStage(opening.kind === 'open' ? 'unlocking' : 'restoring');
  const { encryption, restored } = await openEncryption(account, opening);
  try {
    onStage('connecting');
    const raw = await connect(await account.access.twilioToken());
    return {
      identity: encryption.identity,
      access: account.access,
      encryption,
      restored,
      client: encryption.wrapClient(raw),
      deliveredMessage: (channelSid, index) => deliveredMessage(raw, channelSid, index),
      async end() {
        encryption.close();
        await raw.shutdown();
      },
    };
  } catch (error) {
    encryption.close();
    throw error;
  }
}

interface Opened {
  readonly encryption: Encryption;
  readonly restored: Restored | null;
}

async function openEncryption(account: Account, opening: Opening): Promise<Opened> {
  const { identity, password, device, access } = account;
  const { kind, otherPassword = password } = opening;
  const options = {
    identity,
    password,
    server: location.origin,
    authorize: access.authorize,
    appKey: SETTINGS.appKey,
    logKey: SETTINGS.logKey,
    ...(device !== '' && { device }),
    // The page names channels, and says that Twilio sees those names.
    metadata: 'clear',
  } as const;
  if (kind === 'restore') {
    const { encryption, savedAt, missing } = await Encryption.restore({
      ...options,
      backupPassword: otherPassword,
    });
    return { encryption, restored: { savedAt, missing } };
  }
  const encryption = await Encryption.open({ ...options, password: otherPassword });
  if (otherPassword !== password) await adoptPassword(encryption, otherPassword, password);
  return { encryption, restored: null };
}

/** From now on the account's password opens this device, too. */
async function adoptPassword(encryption: Encryption, from: string, to: string): Promise<void> {
  try {
    await encryption.changePassword(from, to);
  } catch (error) {
    encryption.close();
    throw error;
  }
}

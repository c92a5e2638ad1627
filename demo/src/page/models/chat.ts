import type { Session } from '../session/session.ts';
import { backupOf, type Backup } from './backup.ts';
import { changePassword, type PasswordChange } from './change-password.ts';
import { channelListOf, type ChannelList } from './channels.ts';
import { comparisonOf, type Comparison } from './comparison.ts';
import { keepConnected, type Connection } from './connection.ts';
import { conversationOf, type Conversation } from './conversation.ts';
import { deviceRemovalOf, type DeviceRemoval } from './device-removal.ts';
import { keyChangesOf, type KeyChanges } from './key-changes.ts';
import { ownDevicesOf, type OwnDevices } from './own-devices.ts';
import { splitViewOf, type SplitViewState } from './split-view.ts';
import type { Readable } from './store.ts';

/** Everything that the signed-in page shows. It lives as long as the session. */
export interface Chat {
  readonly session: Session;
  readonly connection: Readable<Connection>;
  readonly channels: ChannelList;
  readonly keyChanges: KeyChanges;
  readonly devices: OwnDevices;
  readonly backup: Backup;
  readonly splitView: Readable<SplitViewState>;
  readonly removal: Readable<DeviceRemoval>;
  /** The conversation in a channel, opened at the first call; undefined in one that was left. */
  readonly conversation: (channelSid: string) => Conversation | undefined;
  /** Starts comparing safety numbers with somebody. */
  readonly compare: (identity: string) => Comparison;
  /** Deletes everything that this device keeps, after it was removed if that is wanted. */
  readonly erase: (withRemoval: boolean) => Promise<void>;
  readonly changePassword: (current: string, next: string) => Promise<PasswordChange>;
}

/** The models of a session. */
export function chatOf(session: Session): Chat {
  const channels = channelListOf(session.client);
  const conversations = new Map<string, Conversation>();
  session.encryption.on('recipientAdded', ({ channelSid, identities }) => {
    conversations.get(channelSid)?.noteRecipients(identities);
  });
  function reassess(): void {
    for (const opened of conversations.values()) opened.reassess();
  }
  const keyChanges = keyChangesOf(session.encryption, reassess);
  const backup = backupOf(session.encryption);
  const devices = ownDevicesOf(session.encryption, () => {
    reassess();
    void backup.refresh();
  });
  void backup.refresh();
  session.client.on('messageAdded', ({ encryption }) => {
    // Perhaps this device was removed from another one.
    if (encryption.status === 'unavailable') void devices.refresh();
  });
  return {
    session,
    connection: keepConnected(session.client, session.access.twilioToken),
    channels,
    keyChanges,
    devices,
    backup,
    splitView: splitViewOf(session.encryption),
    removal: deviceRemovalOf(session.encryption),
    conversation(sid) {
      const channel = channels.find(sid);
      if (!channel) {
        conversations.delete(sid);
        return undefined;
      }
      const opened = conversations.get(sid) ?? conversationOf(channel, session);
      conversations.set(sid, opened);
      return opened;
    },
    compare: (identity) =>
      comparisonOf(session.encryption, identity, (cardIds) => {
        keyChanges.compared(identity, cardIds);
      }),
    erase: devices.erase,
    changePassword: (current, next) => changePassword(session, backup, current, next),
  };
}

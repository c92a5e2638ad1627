import type { Session } from '../session/session.ts';
import { channelListOf, type ChannelList } from './channels.ts';
import { comparisonOf, type Comparison } from './comparison.ts';
import { keepConnected, type Connection } from './connection.ts';
import { conversationOf, type Conversation } from './conversation.ts';
import { deviceRemovalOf, type DeviceRemoval } from './device-removal.ts';
import { keyChangesOf, type KeyChanges } from './key-changes.ts';
import type { Readable } from './store.ts';

/** Everything that the signed-in page shows. It lives as long as the session. */
export interface Chat {
  readonly session: Session;
  readonly connection: Readable<Connection>;
  readonly channels: ChannelList;
  readonly keyChanges: KeyChanges;
  readonly removal: Readable<DeviceRemoval>;
  /** The conversation in a channel, opened at the first call; undefined in one that was left. */
  readonly conversation: (channelSid: string) => Conversation | undefined;
  /** Starts comparing safety numbers with somebody. */
  readonly compare: (identity: string) => Comparison;
}

/** The models of a session. */
export function chatOf(session: Session): Chat {
  const channels = channelListOf(session.client);
  const conversations = new Map<string, Conversation>();
  session.encryption.on('recipientAdded', ({ channelSid, identities }) => {
    conversations.get(channelSid)?.noteRecipients(identities);
  });
  const keyChanges = keyChangesOf(session.encryption, () => {
    for (const opened of conversations.values()) opened.reassess();
  });
  return {
    session,
    connection: keepConnected(session.client, session.access.twilioToken),
    channels,
    keyChanges,
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
  };
}

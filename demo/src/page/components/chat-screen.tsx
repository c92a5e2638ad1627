import { useState, type ReactNode } from 'react';
import type { Chat } from '../models/chat.ts';
import { useStore } from '../models/use-store.ts';
import { ChannelSidebar } from './channel-sidebar.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { ConversationScreen } from './conversation-screen.tsx';
import { DeviceRemovedBanner } from './device-removed-banner.tsx';
import { ChatIcon } from './icons.tsx';

interface ChatScreenProps {
  readonly chat: Chat;
  readonly onSignOut: () => void;
}

/** Channels on the left, the chosen one beside them; on a phone one after the other. */
export function ChatScreen({ chat, onSignOut }: ChatScreenProps): ReactNode {
  const [selected, setSelected] = useState<string | null>(null);
  const { channels } = useStore(chat.channels);
  const channel = channels.find(({ sid }) => sid === selected);
  const conversation = channel && chat.conversation(channel.sid);

  return (
    <div className={`app ${conversation ? 'has-conversation' : ''}`}>
      <div className="banners">
        <ConnectionBanner connection={chat.connection} onSignOut={onSignOut} />
        <DeviceRemovedBanner removal={chat.removal} onSignOut={onSignOut} />
      </div>
      <ChannelSidebar
        chat={chat}
        selected={channel?.sid ?? null}
        onSelect={setSelected}
        onSignOut={onSignOut}
      />
      {conversation ? (
        <ConversationScreen
          key={channel.sid}
          chat={chat}
          conversation={conversation}
          name={channel.name}
          onBack={() => {
            setSelected(null);
          }}
        />
      ) : (
        <main className="empty-main">
          <ChatIcon />
          <h2>No channel chosen</h2>
          <p>Choose a channel, or create one and add somebody by name.</p>
        </main>
      )}
    </div>
  );
}

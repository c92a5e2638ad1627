import { useState, type ReactNode } from 'react';
import type { Chat } from '../models/chat.ts';
import { useStore } from '../models/use-store.ts';
import { ChannelSidebar } from './channel-sidebar.tsx';
import { ChatBanners } from './chat-banners.tsx';
import { ConversationScreen } from './conversation-screen.tsx';
import { DevicesPanel } from './devices-panel.tsx';
import { ChatIcon } from './icons.tsx';
import type { Panel } from './panel.ts';

interface ChatScreenProps {
  readonly chat: Chat;
  readonly onSignOut: () => void;
}

/** Channels on the left, the chosen one beside them; on a phone one after the other. */
export function ChatScreen({ chat, onSignOut }: ChatScreenProps): ReactNode {
  const [selected, setSelected] = useState<string | null>(null);
  const [panel, setPanel] = useState<Panel | null>(null);
  const { channels } = useStore(chat.channels);
  const channel = channels.find(({ sid }) => sid === selected);
  const conversation = channel && chat.conversation(channel.sid);

  function select(sid: string | null): void {
    setSelected(sid);
    setPanel(null);
  }

  function showDevices(): void {
    void chat.devices.refresh();
    void chat.backup.refresh();
    setPanel({ kind: 'devices' });
  }

  return (
    <div className={`app ${conversation ? 'has-conversation' : ''}`}>
      <ChatBanners
        chat={chat}
        isDevicesOpen={panel?.kind === 'devices'}
        onDevices={showDevices}
        onSignOut={onSignOut}
      />
      <ChannelSidebar
        chat={chat}
        selected={channel?.sid ?? null}
        onSelect={select}
        isDevicesOpen={panel?.kind === 'devices'}
        onDevices={() => {
          if (panel?.kind === 'devices') setPanel(null);
          else showDevices();
        }}
        onSignOut={onSignOut}
      />
      {conversation ? (
        <ConversationScreen
          key={channel.sid}
          chat={chat}
          conversation={conversation}
          name={channel.name}
          panel={panel}
          onPanel={setPanel}
          onBack={() => {
            select(null);
          }}
        />
      ) : (
        <main className="empty-main">
          <ChatIcon />
          <h2>No channel chosen</h2>
          <p>Choose a channel, or create one and add somebody by name.</p>
        </main>
      )}
      {panel?.kind === 'devices' && (
        <DevicesPanel
          chat={chat}
          onErased={onSignOut}
          onClose={() => {
            setPanel(null);
            // Back to where the panel was opened from.
            document.getElementById('open-devices')?.focus();
          }}
        />
      )}
    </div>
  );
}

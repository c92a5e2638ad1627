import type { ReactNode } from 'react';
import type { Chat } from '../models/chat.ts';
import type { ChannelView } from '../models/channels.ts';
import { useStore } from '../models/use-store.ts';
import { Avatar } from './avatar.tsx';
import { DeviceIcon, LeaveIcon } from './icons.tsx';
import { NewChannelForm } from './new-channel-form.tsx';
import { Notice } from './notice.tsx';
import { Spinner } from './spinner.tsx';

interface ChannelSidebarProps {
  readonly chat: Chat;
  readonly selected: string | null;
  readonly onSelect: (sid: string) => void;
  readonly isDevicesOpen: boolean;
  readonly onDevices: () => void;
  readonly onSignOut: () => void;
}

/** Who is signed in, and their channels. */
export function ChannelSidebar(props: ChannelSidebarProps): ReactNode {
  const { chat, selected, onSelect, isDevicesOpen, onDevices, onSignOut } = props;
  return (
    <nav className="sidebar" aria-label="Channels">
      <header className="sidebar-header">
        <Avatar name={chat.session.identity} />
        <span className="me">{chat.session.identity}</span>
        <button
          type="button"
          id="open-devices"
          className="icon-button"
          title="Your devices"
          aria-expanded={isDevicesOpen}
          onClick={onDevices}
        >
          <DeviceIcon />
          <span className="visually-hidden">Your devices</span>
        </button>
        <button type="button" className="icon-button" title="Sign out" onClick={onSignOut}>
          <LeaveIcon />
          <span className="visually-hidden">Sign out</span>
        </button>
      </header>
      <ChannelItems chat={chat} selected={selected} onSelect={onSelect} />
      <NewChannelForm channels={chat.channels} onCreated={onSelect} />
    </nav>
  );
}

function ChannelItems({
  chat,
  selected,
  onSelect,
}: Pick<ChannelSidebarProps, 'chat' | 'selected' | 'onSelect'>): ReactNode {
  const { channels, loaded, failed } = useStore(chat.channels);
  if (failed) {
    return (
      <Notice kind="error">
        The channels could not be loaded.{' '}
        <button type="button" className="link" onClick={chat.channels.reload}>
          Try again
        </button>
      </Notice>
    );
  }
  if (!loaded) return <Spinner label="Loading channels…" />;
  if (channels.length === 0) {
    return (
      <p className="empty-list">
        No channels yet. Create the first one below, or wait until somebody adds you.
      </p>
    );
  }
  return (
    <ul className="channels">
      {channels.map((channel) => (
        <li key={channel.sid}>
          <ChannelItem
            channel={channel}
            isSelected={channel.sid === selected}
            onSelect={onSelect}
          />
        </li>
      ))}
    </ul>
  );
}

interface ChannelItemProps {
  readonly channel: ChannelView;
  readonly isSelected: boolean;
  readonly onSelect: (sid: string) => void;
}

function ChannelItem({ channel, isSelected, onSelect }: ChannelItemProps): ReactNode {
  const isUnread = channel.unread && !isSelected;
  return (
    <button
      type="button"
      className={`channel ${isUnread ? 'unread' : ''}`}
      aria-current={isSelected ? 'true' : undefined}
      onClick={() => {
        onSelect(channel.sid);
      }}
    >
      <span className="channel-mark" aria-hidden="true">
        #
      </span>
      <span className="channel-name">{channel.name}</span>
      {isUnread && <span className="unread-dot" role="img" aria-label="unread messages" />}
    </button>
  );
}

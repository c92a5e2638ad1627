import type { ReactNode } from 'react';
import type { Chat } from '../models/chat.ts';
import type { Conversation } from '../models/conversation.ts';
import { useStore } from '../models/use-store.ts';
import { ComparisonPanel } from './comparison-panel.tsx';
import { Composer } from './composer.tsx';
import { ConversationHeader } from './conversation-header.tsx';
import { KeyChangeBanners } from './key-change-banners.tsx';
import { MembersPanel } from './members-panel.tsx';
import { MessageDetails } from './message-details.tsx';
import { MessageList } from './message-list.tsx';
import type { Panel } from './panel.ts';
import { useFileDrop } from './use-file-drop.ts';

interface ConversationScreenProps {
  readonly chat: Chat;
  readonly conversation: Conversation;
  readonly name: string;
  /** The open panel, if it is one of a conversation. */
  readonly panel: Panel | null;
  readonly onPanel: (panel: Panel | null) => void;
  readonly onBack: () => void;
}

/** An open channel: messages, composer, and beside them one panel. */
export function ConversationScreen(props: ConversationScreenProps): ReactNode {
  const { chat, conversation, name, panel, onPanel, onBack } = props;
  const { messages, members } = useStore(conversation);
  const drop = useFileDrop(conversation.attach);
  const selected = panel?.kind === 'message' && messages.find(({ sid }) => sid === panel.sid);

  function close(): void {
    onPanel(null);
    // Back to where the panel was opened from.
    const opener = selected ? `message-${selected.sid}` : 'open-members';
    document.getElementById(opener)?.focus();
  }

  function showMembers(): void {
    // Somebody may have got a key since: nothing tells of that.
    void conversation.refreshMembers();
    onPanel({ kind: 'members' });
  }

  function compare(identity: string): void {
    onPanel({ kind: 'comparison', comparison: chat.compare(identity) });
  }

  return (
    <>
      <main className={`conversation ${drop.isOver ? 'dropping' : ''}`} {...drop.handlers}>
        <ConversationHeader
          name={name}
          memberCount={members.length}
          isOpen={panel?.kind === 'members'}
          onBack={onBack}
          onMembers={() => {
            if (panel?.kind === 'members') onPanel(null);
            else showMembers();
          }}
        />
        <KeyChangeBanners keyChanges={chat.keyChanges} onCompare={compare} />
        <MessageList
          conversation={conversation}
          me={chat.session.identity}
          selected={selected ? selected.sid : null}
          onSelect={(sid) => {
            onPanel({ kind: 'message', sid });
          }}
        />
        <Composer conversation={conversation} keyChanges={chat.keyChanges} name={name} />
      </main>
      {panel?.kind === 'members' && (
        <MembersPanel chat={chat} conversation={conversation} onCompare={compare} onClose={close} />
      )}
      {panel?.kind === 'comparison' && (
        <ComparisonPanel
          key={panel.comparison.identity}
          comparison={panel.comparison}
          onClose={showMembers}
        />
      )}
      {selected && (
        <MessageDetails
          key={selected.sid}
          session={chat.session}
          channelSid={conversation.channel.sid}
          message={selected}
          onClose={close}
        />
      )}
    </>
  );
}

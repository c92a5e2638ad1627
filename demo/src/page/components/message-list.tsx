import { useEffect, useState, type KeyboardEvent, type ReactNode } from 'react';
import type { RecipientNote } from '../models/conversation-state.ts';
import type { Conversation } from '../models/conversation.ts';
import type { MessageView } from '../models/message-view.ts';
import { useStore } from '../models/use-store.ts';
import { FILE_MISSING, fileName } from '../texts/files.ts';
import { ChatIcon } from './icons.tsx';
import { dayOf } from './dates.ts';
import { MessageItem } from './message-item.tsx';
import { Notice } from './notice.tsx';
import { RecipientsNotes } from './recipients-notes.tsx';
import { Spinner } from './spinner.tsx';

interface MessageListProps {
  readonly conversation: Conversation;
  readonly me: string;
  readonly selected: string | null;
  readonly onSelect: (sid: string) => void;
}

/** The messages, oldest first; the list keeps to its end by itself (see the style sheet). */
export function MessageList(props: MessageListProps): ReactNode {
  const { conversation, me, selected, onSelect } = props;
  const { messages, loading, recipientNotes } = useStore(conversation);
  const [focused, setFocused] = useState<string | null>(null);
  // One stop for the Tab key; arrows move within.
  const isThere = messages.some(({ sid }) => sid === focused);
  const tabStop = isThere ? focused : messages.at(-1)?.sid;

  useEffect(() => {
    const read = (): void => {
      if (document.visibilityState === 'visible') conversation.markRead();
    };
    read();
    document.addEventListener('visibilitychange', read);
    return () => {
      document.removeEventListener('visibilitychange', read);
    };
  }, [conversation, messages]);

  function notesBetween(before?: MessageView, next?: MessageView): readonly RecipientNote[] {
    const from = before?.index ?? -Infinity;
    const to = next?.index ?? Infinity;
    return recipientNotes.filter(({ after }) => after >= from && after < to);
  }

  return (
    <div className="messages">
      <div className="messages-content">
        <OlderMessages conversation={conversation} />
        {messages.length === 0 && loading === null && <NoMessages />}
        <ol aria-label="Messages" onKeyDown={moveFocus}>
          {messages.map((message, place) => (
            <MessageItem
              key={message.sid}
              message={message}
              isMine={message.author === me}
              startsDay={dayOf(message.date) !== dayOf(messages[place - 1]?.date)}
              startsGroup={!isSameSender(messages[place - 1], message)}
              isSelected={message.sid === selected}
              isTabStop={message.sid === tabStop}
              onFocus={setFocused}
              onSelect={onSelect}
            >
              <RecipientsNotes notes={notesBetween(messages[place - 1], message)} />
            </MessageItem>
          ))}
        </ol>
        <RecipientsNotes notes={notesBetween(messages.at(-1), undefined)} />
      </div>
      <LatestForScreenReaders message={messages.at(-1)} me={me} />
    </div>
  );
}

function OlderMessages({ conversation }: { readonly conversation: Conversation }): ReactNode {
  const { loading, failed, hasOlder } = useStore(conversation);
  if (loading) return <Spinner label="Loading messages…" />;
  if (failed) {
    return (
      <Notice kind="error">
        The messages could not be loaded.{' '}
        <button type="button" className="link" onClick={() => void conversation.retry()}>
          Try again
        </button>
      </Notice>
    );
  }
  if (!hasOlder) return null;
  return (
    <button type="button" className="secondary older" onClick={() => void conversation.loadOlder()}>
      Load older messages
    </button>
  );
}

function NoMessages(): ReactNode {
  return (
    <div className="no-messages">
      <ChatIcon />
      <p>No messages yet. Only the members of this channel will be able to read them.</p>
    </div>
  );
}

interface LatestProps {
  readonly message: MessageView | undefined;
  readonly me: string;
}

// The list itself is not live: loading older messages would read them all out.
function LatestForScreenReaders({ message, me }: LatestProps): ReactNode {
  const isNews = message && message.author !== me;
  return (
    <p className="visually-hidden" aria-live="polite">
      {isNews && `${message.author}: ${spoken(message)}`}
    </p>
  );
}

// Below a message that nobody proved, the name is said again.
function isSameSender(before: MessageView | undefined, message: MessageView): boolean {
  return before?.author === message.author && before.encryption.status === 'verified';
}

function spoken({ encryption, file, body }: MessageView): string {
  if (encryption.status !== 'verified') return 'a message not shown';
  if (file === 'missing') return FILE_MISSING.title;
  return file ? `a file, ${fileName(file)}` : body;
}

function moveFocus(event: KeyboardEvent<HTMLOListElement>): void {
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>('.message-state')];
  const current = buttons.findIndex((button) => button === document.activeElement);
  const target = targetOf(event.key, current, buttons.length);
  if (target === undefined) return;
  event.preventDefault();
  buttons[target]?.focus();
}

function targetOf(key: string, current: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowUp':
      return Math.max(0, current - 1);
    case 'ArrowDown':
      return Math.min(count - 1, current + 1);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}

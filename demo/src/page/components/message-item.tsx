import type { ReactNode } from 'react';
import type { MessageView } from '../models/message-view.ts';
import { reasonOf, STATUS } from '../texts/reasons.ts';
import { dayOf, timeOf } from './dates.ts';
import { MessageFile } from './message-file.tsx';
import { AlertIcon, ClockIcon, HiddenIcon, LockIcon } from './icons.tsx';

interface MessageItemProps {
  readonly message: MessageView;
  readonly isMine: boolean;
  readonly startsDay: boolean;
  /** Whether somebody else wrote the one before. */
  readonly startsGroup: boolean;
  readonly isSelected: boolean;
  readonly isTabStop: boolean;
  readonly onFocus: (sid: string) => void;
  readonly onSelect: (sid: string) => void;
  /** What stands before it, below the day. */
  readonly children: ReactNode;
}

const ICONS = {
  verified: LockIcon,
  rejected: AlertIcon,
  unavailable: HiddenIcon,
  pending: ClockIcon,
  clear: AlertIcon,
} as const;

/** A message. What is not verified never looks like one that is. */
export function MessageItem(props: MessageItemProps): ReactNode {
  const { message, isMine, startsDay, startsGroup, isSelected, onSelect } = props;
  const { status } = message.encryption;
  const side = isMine ? 'mine' : 'theirs';

  // A click anywhere on the message is a shortcut to its button, except to select text.
  function click(): void {
    if (getSelection()?.isCollapsed !== false) onSelect(message.sid);
  }

  return (
    <li>
      {startsDay && <h2 className="day">{dayOf(message.date)}</h2>}
      {props.children}
      <article
        className={`message ${side} ${status} ${isSelected ? 'selected' : ''}`}
        onClick={click}
      >
        {(startsDay || startsGroup || status !== 'verified') && (
          <Author name={message.author} isMine={isMine} isProven={status === 'verified'} />
        )}
        <div className="bubble">
          <Content message={message} />
          <StateButton {...props} />
        </div>
      </article>
    </li>
  );
}

interface AuthorProps {
  readonly name: string;
  readonly isMine: boolean;
  readonly isProven: boolean;
}

function Author({ name, isMine, isProven }: AuthorProps): ReactNode {
  if (isProven) return <p className={`author ${isMine ? 'visually-hidden' : ''}`}>{name}</p>;
  return <p className="author unproven">Twilio says: {name}</p>;
}

function Content({ message }: { readonly message: MessageView }): ReactNode {
  const { body, file, encryption } = message;
  if (file) {
    return (
      <div className="body with-file">
        <MessageFile file={file} />
      </div>
    );
  }
  if (encryption.status === 'verified') return <p className="body">{body}</p>;
  return (
    <div className="body not-shown">
      <strong>{reasonOf(encryption).title}</strong>
      <span>
        {STATUS[encryption.status]} · <code>{encryption.code}</code>
      </span>
    </div>
  );
}

function StateButton(props: MessageItemProps): ReactNode {
  const { message, isSelected, isTabStop, onFocus, onSelect } = props;
  const { status } = message.encryption;
  const Icon = ICONS[status];
  const isChanged =
    message.encryption.status === 'verified' && message.encryption.trust === 'changed';
  return (
    <button
      type="button"
      id={`message-${message.sid}`}
      className={`message-state ${isChanged ? 'changed' : ''}`}
      aria-pressed={isSelected}
      aria-label={`${STATUS[status]}${isChanged ? ', key changed' : ''}. Details of the message from ${message.author} at ${timeOf(message.date)}`}
      tabIndex={isTabStop ? 0 : -1}
      onFocus={() => {
        onFocus(message.sid);
      }}
      onClick={(event) => {
        event.stopPropagation();
        onSelect(message.sid);
      }}
    >
      <time dateTime={message.date.toISOString()}>{timeOf(message.date)}</time>
      <Icon />
    </button>
  );
}

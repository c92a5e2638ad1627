import type { ReactNode } from 'react';
import { BackIcon, LockIcon, PeopleIcon } from './icons.tsx';

interface ConversationHeaderProps {
  readonly name: string;
  readonly memberCount: number;
  readonly isOpen: boolean;
  readonly onBack: () => void;
  readonly onMembers: () => void;
}

/** The name of the channel, and the way to its members. */
export function ConversationHeader(props: ConversationHeaderProps): ReactNode {
  const { name, memberCount, isOpen, onBack, onMembers } = props;
  return (
    <header className="conversation-header">
      <button type="button" className="icon-button back" onClick={onBack}>
        <BackIcon />
        <span className="visually-hidden">All channels</span>
      </button>
      <div className="conversation-title">
        <h1>{name}</h1>
        <p>
          <LockIcon /> End-to-end encrypted
        </p>
      </div>
      <button
        type="button"
        id="open-members"
        className="members-button"
        aria-expanded={isOpen}
        onClick={onMembers}
      >
        <PeopleIcon />
        <span className="visually-hidden">Members: </span>
        {memberCount}
      </button>
    </header>
  );
}

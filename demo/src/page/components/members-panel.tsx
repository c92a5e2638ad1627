import type { ReactNode } from 'react';
import type { Chat } from '../models/chat.ts';
import type { Conversation } from '../models/conversation.ts';
import type { MemberView } from '../models/conversation-state.ts';
import { useStore } from '../models/use-store.ts';
import { AddMemberForm } from './add-member-form.tsx';
import { Avatar } from './avatar.tsx';
import { ComparedIcon } from './icons.tsx';
import { Notice } from './notice.tsx';
import { SidePanel } from './side-panel.tsx';
import { useAction } from './use-action.ts';

interface MembersPanelProps {
  readonly chat: Chat;
  readonly conversation: Conversation;
  readonly onCompare: (identity: string) => void;
  readonly onClose: () => void;
}

/** Who is in the channel. */
export function MembersPanel(props: MembersPanelProps): ReactNode {
  const { chat, conversation, onCompare, onClose } = props;
  const { members } = useStore(conversation);
  const { busy, error, run } = useAction();
  const me = chat.session.identity;
  const mayRemove = conversation.channel.createdBy === me;

  return (
    <SidePanel title="Members" onClose={onClose}>
      <ul className="members">
        {members.map((member) => (
          <li key={member.identity}>
            <Avatar name={member.identity} />
            <div>
              <strong>{member.identity === me ? `${me} (you)` : member.identity}</strong>
              <CardState member={member} />
              {member.identity !== me && member.hasCard === true && (
                <button
                  type="button"
                  className="link"
                  onClick={() => {
                    onCompare(member.identity);
                  }}
                >
                  Compare safety numbers
                  <span className="visually-hidden"> with {member.identity}</span>
                </button>
              )}
            </div>
            {mayRemove && member.identity !== me && (
              <button
                type="button"
                className="link"
                disabled={busy}
                onClick={() => {
                  run(() => conversation.removeMember(member.identity));
                }}
              >
                Remove<span className="visually-hidden"> {member.identity}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
      <AddMemberForm conversation={conversation} />
      <button
        type="button"
        className="secondary danger"
        disabled={busy}
        onClick={() => {
          run(async () => {
            await conversation.channel.leave();
          });
        }}
      >
        Leave channel
      </button>
      {error !== null && <Notice kind="error">{error}</Notice>}
    </SidePanel>
  );
}

function CardState({ member: { hasCard, trust } }: { readonly member: MemberView }): ReactNode {
  if (hasCard === null) return <span className="muted">Checking for keys…</span>;
  if (trust.length > 0 && trust.every((one) => one === 'verified')) {
    return (
      <span className="compared-text">
        <ComparedIcon /> Safety number compared
      </span>
    );
  }
  if (trust.includes('verified')) {
    return <span className="warn-text">Has a device that you did not compare</span>;
  }
  if (hasCard) return <span className="muted">Has a key</span>;
  return <span className="warn-text">No key yet: nothing can be sent until they sign in once</span>;
}

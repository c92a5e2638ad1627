import { useEffect, useRef, type KeyboardEvent, type ReactNode } from 'react';
import { isEncryptionError } from 'twilio-chat-encryption';
import type { Conversation } from '../models/conversation.ts';
import type { KeyChanges } from '../models/key-changes.ts';
import { useStore } from '../models/use-store.ts';
import { explain } from '../texts/failures.ts';
import { AcknowledgeButton } from './acknowledge-button.tsx';
import { AttachButton } from './attach-button.tsx';
import { AttachedFiles } from './attached-files.tsx';
import { SendIcon } from './icons.tsx';
import { Notice } from './notice.tsx';

interface ComposerProps {
  readonly conversation: Conversation;
  readonly keyChanges: KeyChanges;
  readonly name: string;
}

/** Where messages are written. The text stays until it was sent. */
export function Composer({ conversation, keyChanges, name }: ComposerProps): ReactNode {
  const { draft, attached, sending, typing } = useStore(conversation);
  const field = useRef<HTMLTextAreaElement>(null);

  useEffect(() => {
    // Where there is no mouse, the keyboard on the screen would cover the messages.
    if (matchMedia('(hover: hover)').matches) field.current?.focus();
  }, [conversation]);

  function keyDown(event: KeyboardEvent): void {
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void conversation.send();
  }

  return (
    <div className="composer">
      <SendFailure conversation={conversation} keyChanges={keyChanges} />
      <AttachedFiles conversation={conversation} />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void conversation.send();
          field.current?.focus();
        }}
      >
        <textarea
          ref={field}
          rows={1}
          aria-label={`Message to ${name}`}
          placeholder="Write a message"
          enterKeyHint="send"
          readOnly={sending}
          value={draft}
          onChange={(event) => {
            conversation.write(event.target.value);
          }}
          onKeyDown={keyDown}
          onPaste={(event) => {
            const files = [...event.clipboardData.files];
            if (files.length === 0) return;
            event.preventDefault();
            conversation.attach(files);
          }}
        />
        <AttachButton
          disabled={sending}
          onFiles={(files) => {
            conversation.attach(files);
            field.current?.focus();
          }}
        />
        <button
          type="submit"
          className="icon-button solid"
          title="Send"
          disabled={sending || (draft.trim() === '' && attached.length === 0)}
        >
          <SendIcon />
          <span className="visually-hidden">Send</span>
        </button>
      </form>
      <p className="typing" role="status">
        {typing.length > 0
          ? `${typing.join(', ')} ${typing.length === 1 ? 'is' : 'are'} typing…`
          : sending && 'Encrypting and sending…'}
      </p>
    </div>
  );
}

function SendFailure({ conversation, keyChanges }: Omit<ComposerProps, 'name'>): ReactNode {
  const { sendError } = useStore(conversation);
  if (sendError === null) return null;
  const changed = isEncryptionError(sendError, 'KEY_CHANGED') ? sendError.identities : [];
  return (
    <Notice kind="error">
      <p>{explain(sendError)}</p>
      {changed.map((identity) => (
        <AcknowledgeButton key={identity} keyChanges={keyChanges} identity={identity} />
      ))}
    </Notice>
  );
}

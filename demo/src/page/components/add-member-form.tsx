import { useId, useState, type ReactNode, type SubmitEvent } from 'react';
import type { Conversation } from '../models/conversation.ts';
import { Notice } from './notice.tsx';
import { useAction } from './use-action.ts';

/** Adds somebody by name. */
export function AddMemberForm({
  conversation,
}: {
  readonly conversation: Conversation;
}): ReactNode {
  const id = useId();
  const [identity, setIdentity] = useState('');
  const { busy, error, run } = useAction();

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    run(async () => {
      await conversation.addMember(identity.trim().normalize('NFC'));
      setIdentity('');
    });
  }

  return (
    <form className="stack" onSubmit={submit}>
      <div className="field">
        <label htmlFor={id}>Add a member</label>
        <div className="inline-field">
          <input
            id={id}
            required
            pattern=".*\S.*"
            maxLength={256}
            placeholder="Name"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            aria-describedby={`${id}-hint`}
            value={identity}
            onChange={(event) => {
              setIdentity(event.target.value);
            }}
          />
          <button type="submit" className="primary" disabled={busy}>
            Add
          </button>
        </div>
        <p className="hint" id={`${id}-hint`}>
          They can read what is sent from now on, not what was sent before.
        </p>
      </div>
      {error !== null && <Notice kind="error">{error}</Notice>}
    </form>
  );
}

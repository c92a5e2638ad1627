import { useId, useState, type ReactNode, type SubmitEvent } from 'react';
import type { ChannelList } from '../models/channels.ts';
import { PlusIcon } from './icons.tsx';
import { Notice } from './notice.tsx';
import { useAction } from './use-action.ts';

interface NewChannelFormProps {
  readonly channels: ChannelList;
  readonly onCreated: (sid: string) => void;
}

/** Makes a channel. */
export function NewChannelForm({ channels, onCreated }: NewChannelFormProps): ReactNode {
  const id = useId();
  const [name, setName] = useState('');
  const { busy, error, run } = useAction();

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    run(async () => {
      const sid = await channels.create(name.trim());
      setName('');
      onCreated(sid);
    });
  }

  return (
    <form className="new-channel" onSubmit={submit}>
      <label htmlFor={id}>New channel</label>
      <div className="inline-field">
        <input
          id={id}
          required
          pattern=".*\S.*"
          maxLength={256}
          placeholder="Name"
          autoComplete="off"
          aria-describedby={`${id}-hint`}
          value={name}
          onChange={(event) => {
            setName(event.target.value);
          }}
        />
        <button type="submit" className="icon-button solid" title="Create channel" disabled={busy}>
          <PlusIcon />
          <span className="visually-hidden">Create channel</span>
        </button>
      </div>
      <p className="hint" id={`${id}-hint`}>
        Channel names are visible to Twilio.
      </p>
      {error !== null && <Notice kind="error">{error}</Notice>}
    </form>
  );
}

import { useState, type ReactNode } from 'react';
import { PasswordField } from './password-field.tsx';
import { StepHeading } from './step-heading.tsx';

interface OtherPasswordFormProps {
  readonly of: 'backup' | 'device';
  readonly busy: boolean;
  readonly onSubmit: (password: string) => void;
  readonly onBack: () => void;
}

/** Asks for the password of a backup or a device, where it is not the account's. */
export function OtherPasswordForm(props: OtherPasswordFormProps): ReactNode {
  const { of, busy, onSubmit, onBack } = props;
  const [password, setPassword] = useState('');
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(password);
      }}
    >
      {of === 'backup' ? (
        <>
          <StepHeading>The backup has another password</StepHeading>
          <p>
            You are signed in, but the backup was made with another password than your account has.
            Type that one: nobody can open the backup without.
          </p>
          <PasswordField label="Password of the backup" value={password} onChange={setPassword} />
        </>
      ) : (
        <>
          <StepHeading>This device has another password</StepHeading>
          <p>
            You are signed in, but the key in this browser was locked with another password: your
            last one, if you changed it on another device. Type that one, and the new one is used
            from then on.
          </p>
          <PasswordField label="Last password" value={password} onChange={setPassword} />
        </>
      )}
      <div className="dialog-buttons">
        <button type="button" className="secondary" disabled={busy} onClick={onBack}>
          Back
        </button>
        <button type="submit" className="primary" disabled={busy}>
          {of === 'backup' ? 'Open the backup' : 'Unlock'}
        </button>
      </div>
    </form>
  );
}

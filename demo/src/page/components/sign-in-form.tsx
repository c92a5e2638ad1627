import { useId, useState, type ReactNode, type SubmitEvent } from 'react';
import type { SignIn } from '../session/account.ts';
import { deviceName, typedName } from '../session/device-name.ts';
import { MIN_PASSWORD_LENGTH } from './password-field.tsx';

interface SignInFormProps {
  readonly busy: boolean;
  readonly onSubmit: (signIn: SignIn) => void;
}

/** One form for signing in and for signing up. */
export function SignInForm({ busy, onSubmit }: SignInFormProps): ReactNode {
  const id = useId();
  const [isNew, setNew] = useState(false);
  const [identity, setIdentity] = useState('');
  const [password, setPassword] = useState('');
  const [device, setDevice] = useState(() => deviceName(navigator.userAgent));

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    onSubmit({
      isNew,
      identity: identity.trim().normalize('NFC'),
      password,
      device: typedName(device),
    });
  }

  return (
    <form className="stack" onSubmit={submit}>
      <ModeSwitch isNew={isNew} onChange={setNew} />
      <div className="field">
        <label htmlFor={`${id}-name`}>Name</label>
        <input
          id={`${id}-name`}
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          required
          maxLength={256}
          value={identity}
          onChange={(event) => {
            setIdentity(event.target.value);
          }}
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-password`}>Password</label>
        <input
          id={`${id}-password`}
          name="password"
          type="password"
          autoComplete={isNew ? 'new-password' : 'current-password'}
          required
          minLength={isNew ? MIN_PASSWORD_LENGTH : 1}
          aria-describedby={`${id}-hint`}
          value={password}
          onChange={(event) => {
            setPassword(event.target.value);
          }}
        />
        <p className="hint" id={`${id}-hint`}>
          {isNew
            ? `At least ${MIN_PASSWORD_LENGTH} characters. It never leaves this page and cannot be reset.`
            : 'It never leaves this page. It unlocks the key that is kept in this browser.'}
        </p>
      </div>
      <div className="field">
        <label htmlFor={`${id}-device`}>Name of this device</label>
        <input
          id={`${id}-device`}
          maxLength={64}
          autoComplete="off"
          aria-describedby={`${id}-device-hint`}
          value={device}
          onChange={(event) => {
            setDevice(event.target.value);
          }}
        />
        <p className="hint" id={`${id}-device-hint`}>
          Used when you sign in here for the first time. Others see it.
        </p>
      </div>
      <button className="primary" type="submit" disabled={busy}>
        {isNew ? 'Create account' : 'Sign in'}
      </button>
    </form>
  );
}

interface ModeSwitchProps {
  readonly isNew: boolean;
  readonly onChange: (isNew: boolean) => void;
}

function ModeSwitch({ isNew, onChange }: ModeSwitchProps): ReactNode {
  const option = (label: string, value: boolean): ReactNode => (
    <label>
      <input
        type="radio"
        name="mode"
        checked={isNew === value}
        onChange={() => {
          onChange(value);
        }}
      />
      {label}
    </label>
  );
  return (
    <fieldset className="segments">
      <legend className="visually-hidden">New here or not</legend>
      {option('Have an account', false)}
      {option('I am new', true)}
    </fieldset>
  );
}

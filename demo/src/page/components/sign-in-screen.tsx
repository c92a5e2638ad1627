import { useState, type ReactNode } from 'react';
import { startSession, type Session, type SignIn, type Stage } from '../session/session.ts';
import { SETTINGS } from '../settings.ts';
import { LockIcon } from './icons.tsx';
import { Notice } from './notice.tsx';
import { SignInForm } from './sign-in-form.tsx';
import { Spinner } from './spinner.tsx';
import { useAction } from './use-action.ts';

const STAGES: Readonly<Record<Stage, string>> = {
  deriving: 'Deriving your sign-in secret from the password…',
  'signing-in': 'Signing in…',
  unlocking: 'Unlocking this device’s key…',
  connecting: 'Connecting to Twilio…',
};

interface SignInScreenProps {
  readonly onSession: (session: Session) => void;
}

/** Where somebody becomes a person with a key. */
export function SignInScreen({ onSession }: SignInScreenProps): ReactNode {
  const { busy, error, run } = useAction();
  const [stage, setStage] = useState<Stage>('deriving');

  function start(signIn: SignIn): void {
    run(async () => {
      onSession(await startSession(signIn, setStage));
    });
  }

  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <span className="logo">
          <LockIcon />
        </span>
        <h1>Encrypted chat</h1>
        <p className="lead">Twilio carries it, only members read it.</p>
        {isSecureContext ? (
          <SignInForm busy={busy} onSubmit={start} />
        ) : (
          <Notice kind="error">
            This page needs https, or an address on this machine, to use the browser’s keys.
          </Notice>
        )}
        {busy && <Spinner label={STAGES[stage]} />}
        {error !== null && <Notice kind="error">{error}</Notice>}
      </div>
      <p className="footnote">
        {SETTINGS.emulated
          ? 'Twilio is emulated on this machine. Channels end with the server.'
          : 'Connected to a Twilio account.'}
      </p>
    </main>
  );
}

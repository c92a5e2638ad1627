import { useState, type ReactNode } from 'react';
import { isEncryptionError } from 'twilio-chat-encryption';
import { enter, type Account, type SignIn, type Stage } from '../session/account.ts';
import { openSession, type Opening, type Session } from '../session/session.ts';
import { SETTINGS } from '../settings.ts';
import { explainSignIn } from '../texts/devices.ts';
import { LockIcon } from './icons.tsx';
import { Notice } from './notice.tsx';
import { OtherPasswordForm } from './other-password-form.tsx';
import { RestoreOffer } from './restore-offer.tsx';
import { SignInForm } from './sign-in-form.tsx';
import { Spinner } from './spinner.tsx';
import { useAction } from './use-action.ts';

const STAGES: Readonly<Record<Stage, string>> = {
  deriving: 'Deriving your sign-in secret from the password…',
  'signing-in': 'Signing in…',
  unlocking: 'Unlocking this device’s key…',
  restoring: 'Opening the backup. This takes some seconds…',
  connecting: 'Connecting to Twilio…',
};

interface SignInScreenProps {
  readonly onSession: (session: Session) => void;
}

/** What is asked after the password was accepted. */
interface Question {
  readonly kind: 'restore' | 'backup-password' | 'device-password';
  readonly account: Account;
}

/** Where somebody becomes a person with a key. */
export function SignInScreen({ onSession }: SignInScreenProps): ReactNode {
  const { busy, error, run } = useAction(explainSignIn);
  const [stage, setStage] = useState<Stage>('deriving');
  const [question, setQuestion] = useState<Question | null>(null);

  async function open(account: Account, opening: Opening): Promise<void> {
    try {
      onSession(await openSession(account, opening, setStage));
    } catch (thrown) {
      if (!isEncryptionError(thrown, 'WRONG_PASSWORD')) throw thrown;
      const kind = thrown.passwordOf === 'backup' ? 'backup-password' : 'device-password';
      setQuestion({ kind, account });
      // The first time it is a question, and no mistake of who answers it.
      if (opening.otherPassword !== undefined) throw thrown;
    }
  }

  function start(signIn: SignIn): void {
    run(async () => {
      const account = await enter(signIn, setStage);
      if (account.canRestore) setQuestion({ kind: 'restore', account });
      else await open(account, { kind: 'open' });
    });
  }

  function answer(opening: Opening): void {
    if (question) run(() => open(question.account, opening));
  }

  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <span className="logo">
          <LockIcon />
        </span>
        <h1>Encrypted chat</h1>
        <p className="lead">Twilio carries it, only members read it.</p>
        {!isSecureContext && (
          <Notice kind="error">
            This page needs https, or an address on this machine, to use the browser’s keys.
          </Notice>
        )}
        {isSecureContext && !question && <SignInForm busy={busy} onSubmit={start} />}
        {question?.kind === 'restore' && (
          <RestoreOffer
            busy={busy}
            onRestore={() => {
              answer({ kind: 'restore' });
            }}
            onSkip={() => {
              answer({ kind: 'open' });
            }}
          />
        )}
        {question?.kind === 'backup-password' && (
          <OtherPasswordForm
            of="backup"
            busy={busy}
            onSubmit={(otherPassword) => {
              answer({ kind: 'restore', otherPassword });
            }}
            onBack={() => {
              setQuestion({ ...question, kind: 'restore' });
            }}
          />
        )}
        {question?.kind === 'device-password' && (
          <OtherPasswordForm
            of="device"
            busy={busy}
            onSubmit={(otherPassword) => {
              answer({ kind: 'open', otherPassword });
            }}
            onBack={() => {
              setQuestion(null);
            }}
          />
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

import { useState, type ReactNode } from 'react';
import type { PasswordChange } from '../models/change-password.ts';
import type { Chat } from '../models/chat.ts';
import { explainPassword } from '../texts/devices.ts';
import { ActionDialog } from './action-dialog.tsx';
import { MIN_PASSWORD_LENGTH, PasswordField } from './password-field.tsx';

interface ChangePasswordDialogProps {
  readonly chat: Chat;
  readonly onDone: (change: PasswordChange) => void;
  readonly onClose: () => void;
}

/** Changes the password of the account, of this device and of the backup. */
export function ChangePasswordDialog(props: ChangePasswordDialogProps): ReactNode {
  const { chat, onDone, onClose } = props;
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  return (
    <ActionDialog
      title="Change your password"
      action="Change password"
      progress="Changing it. This takes some seconds…"
      perform={async () => {
        onDone(await chat.changePassword(current, next));
      }}
      words={explainPassword}
      onClose={onClose}
    >
      <p>
        It is changed for your account, this device and your backup. All your other devices are
        signed out.
      </p>
      <PasswordField label="Current password" value={current} onChange={setCurrent} />
      <PasswordField
        label="New password"
        isNew
        hint={`At least ${MIN_PASSWORD_LENGTH} characters. It never leaves this page and cannot be reset.`}
        value={next}
        onChange={setNext}
      />
    </ActionDialog>
  );
}

import type { ReactNode } from 'react';
import type { OwnDevice } from 'twilio-chat-encryption';
import type { Chat } from '../models/chat.ts';
import {
  backedUp,
  BACKUP_REMOVED,
  passwordChanged,
  removed,
  RENEWED,
  type Outcome,
} from '../texts/devices.ts';
import { BackupDialog } from './backup-dialog.tsx';
import { ChangePasswordDialog } from './change-password-dialog.tsx';
import { momentOf } from './dates.ts';
import { EraseDialog } from './erase-dialog.tsx';
import { RemoveBackupDialog } from './remove-backup-dialog.tsx';
import { RemoveDeviceDialog } from './remove-device-dialog.tsx';
import { RenewDialog } from './renew-dialog.tsx';

/** What is asked before it is done. */
export type DeviceQuestion =
  | { readonly kind: 'remove'; readonly device: OwnDevice }
  | { readonly kind: 'backup' | 'remove-backup' | 'renew' | 'change-password' | 'erase' };

interface DeviceDialogProps {
  readonly chat: Chat;
  readonly question: DeviceQuestion;
  readonly onDone: (outcome: Outcome) => void;
  readonly onErased: () => void;
  readonly onClose: () => void;
}

/** Asks what a question needs, and does it. */
export function DeviceDialog(props: DeviceDialogProps): ReactNode {
  const { chat, question, onDone, onErased, onClose } = props;
  const { devices, backup } = chat;
  switch (question.kind) {
    case 'remove':
      return (
        <RemoveDeviceDialog
          devices={devices}
          device={question.device}
          onDone={(cause) => {
            onDone(removed(cause));
          }}
          onClose={onClose}
        />
      );
    case 'backup':
      return (
        <BackupDialog
          backup={backup}
          onDone={() => {
            onDone(backedUp(momentOf(new Date())));
          }}
          onClose={onClose}
        />
      );
    case 'remove-backup':
      return (
        <RemoveBackupDialog
          backup={backup}
          onDone={() => {
            onDone(BACKUP_REMOVED);
          }}
          onClose={onClose}
        />
      );
    case 'renew':
      return (
        <RenewDialog
          devices={devices}
          onDone={() => {
            onDone(RENEWED);
          }}
          onClose={onClose}
        />
      );
    case 'change-password':
      return (
        <ChangePasswordDialog
          chat={chat}
          onDone={(change) => {
            onDone(passwordChanged(change));
          }}
          onClose={onClose}
        />
      );
    case 'erase':
      return <EraseDialog chat={chat} onErased={onErased} onClose={onClose} />;
  }
}

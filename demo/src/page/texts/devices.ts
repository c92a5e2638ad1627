/** One's devices, their backup and their passwords, in plain words. */
import { isEncryptionError, type OwnDevice } from 'twilio-chat-encryption';
import type { PasswordChange } from '../models/change-password.ts';
import { ServerFailure } from '../session/server-failure.ts';
import { explain } from './failures.ts';
import type { Reason } from './reasons.ts';

/** How something turned out that was asked for. */
export interface Outcome {
  readonly tone: 'good' | 'doubtful';
  readonly reason: Reason;
}

/** What a device without a name is called. */
export const UNNAMED = 'Unnamed device';

/** Why a device is removed. */
export type RemovalCause = 'unused' | 'lost' | 'foreign';

/** The choices, as whoever removes a device says them. */
export const CAUSES: Readonly<Record<RemovalCause, string>> = {
  unused: 'I no longer use it',
  lost: 'It was lost or stolen',
  foreign: 'It is not mine',
};

const AFTER_REMOVAL: Readonly<Record<RemovalCause, string>> = {
  unused: '',
  lost: ' If its finder may know your password, change it now.',
  foreign:
    ' Whoever signed in with it knows your password, and could open your backup: change your password now, then renew the keys of your devices.',
};

/** That a device was removed. */
export function removed(cause: RemovalCause): Outcome {
  const text = `It gets no new messages and can send none.${AFTER_REMOVAL[cause]}`;
  return good('Device removed', text);
}

/** That this device has new keys. */
export const RENEWED = good(
  'New keys',
  'Others trust them without being asked. What you could read before stays readable.',
);

/** That the password is another one, and what of it is left to do. */
export function passwordChanged(change: PasswordChange): Outcome {
  switch (change) {
    case 'all':
      return good(
        'Password changed',
        'Your other devices are signed out. There, sign in with the new password; they ask for the old one once more.',
      );
    case 'notBackup':
      return doubtful(
        'Password changed, but not that of the backup',
        'Your account and this device have the new one. Back up again: the backup still has the old one, and asks for it.',
      );
    case 'onlyAccount':
      return doubtful(
        'Password changed, but not on this device',
        'Your account has the new one. Sign in again: this device then asks for the old one once more.',
      );
  }
}

/** That there is no backup any more. */
export const BACKUP_REMOVED = good('Backup removed', 'Your keys are on your devices only.');

/** That the keys are in the backup. */
export function backedUp(moment: string): Outcome {
  return good('Keys backed up', `${moment}. The server gave the backup back, and it opens.`);
}

/** How a device stands, where it is not in use. */
export function endOf({ status, reason }: OwnDevice): string {
  if (status === 'superseded') return 'Keys renewed';
  return reason === 'compromised' ? 'Removed, lost or stolen' : 'Removed';
}

/** Why making a backup did not work. */
export function explainBackup(error: unknown): string {
  if (isEncryptionError(error, 'WRONG_PASSWORD')) {
    return error.passwordOf === 'backup'
      ? 'Not saved. The backup so far has another password: type that one, too.'
      : 'Not saved. This is not your password.';
  }
  if (isEncryptionError(error, 'BACKUP_ROLLED_BACK')) {
    return 'Not saved. The server shows an older backup than this device knows of, or none. If you did not remove it on another device, tell whoever runs the server. Start a new one, and back up again on your other devices, too.';
  }
  return explain(error);
}

/** Why something that needs one's password did not work. */
export function explainPassword(error: unknown): string {
  const isWrong =
    isEncryptionError(error, 'WRONG_PASSWORD') ||
    (error instanceof ServerFailure && error.code === 'WRONG_CREDENTIALS');
  return isWrong ? 'Nothing was changed. This is not your password.' : explain(error);
}

/** Why signing in did not work; of a wrong password only after one of another kind was asked for. */
export function explainSignIn(error: unknown): string {
  return isEncryptionError(error, 'WRONG_PASSWORD')
    ? 'This is not the password either. Try another one.'
    : explain(error);
}

function good(title: string, text: string): Outcome {
  return { tone: 'good', reason: { title, text } };
}

function doubtful(title: string, text: string): Outcome {
  return { tone: 'doubtful', reason: { title, text } };
}

import { deriveAuthSecret, Encryption } from 'twilio-chat-encryption';
import { SETTINGS } from '../settings.ts';
import { openAccess, type Access } from './access.ts';
import { signUp } from './token-server.ts';

/** What the form asks for. */
export interface SignIn {
  readonly isNew: boolean;
  readonly identity: string;
  readonly password: string;
  /** What this device is to be called, if it has no key yet; empty for no name. */
  readonly device: string;
}

/** Somebody whose password the server accepted, with the key still locked or not there yet. */
export interface Account extends Omit<SignIn, 'isNew'> {
  readonly access: Access;
  /** Whether this browser has no key of theirs, and the server has a backup of those of other devices. */
  readonly canRestore: boolean;
}

/** What signing in is busy with. */
export type Stage = 'deriving' | 'signing-in' | 'unlocking' | 'restoring' | 'connecting';

/**
 * Signs up or in.
 * @throws ServerFailure, EncryptionError
 */
export async function enter(
  { isNew, ...person }: SignIn,
  onStage: (stage: Stage) => void,
): Promise<Account> {
  const { identity, password } = person;
  onStage('deriving');
  const authSecret = await deriveAuthSecret(password, identity, SETTINGS.origin);
  onStage('signing-in');
  const credentials = { identity, authSecret };
  if (isNew) await signUp(credentials);
  const access = await openAccess(credentials);
  const canRestore =
    !isNew &&
    !(await Encryption.hasDevice({ identity })) &&
    (await Encryption.hasBackup({ server: location.origin, authorize: access.session }));
  return { ...person, access, canRestore };
}

import type { Identity } from 'twilio-chat-encryption/protocol';
import type { AccountRecord } from './account-record.ts';
import { ServerError } from './errors.ts';
import { hashSecret, secretMatches, type ScryptCost } from './secret-hash.ts';
import type { Store } from './store.ts';

/** Who may sign in. The server sees a secret derived from the password, never the password. */
export interface Accounts {
  /**
   * Signs somebody up.
   *
   * @throws ServerError `ACCOUNT_EXISTS`, also for an identity whose account was deleted, or that has
   *   cards or a backup from another way of signing in
   */
  signUp(identity: Identity, authSecret: Uint8Array): Promise<void>;
  /**
   * Checks the secret of somebody who signs in.
   *
   * @returns the account that the secret is right for
   * @throws ServerError `WRONG_CREDENTIALS`, the same and after the same work for an unknown identity
   */
  check(identity: Identity, authSecret: Uint8Array): Promise<AccountRecord>;
}

/** Parts that accounts are made of. */
export interface AccountsParts {
  readonly store: Pick<Store, 'addAccount' | 'findAccount' | 'findBackup' | 'audit'>;
  readonly cost: ScryptCost;
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
}

/** Makes the accounts. Hashes once, for the comparison that an unknown identity gets. */
export async function createAccounts(parts: AccountsParts): Promise<Accounts> {
  const { store, cost, now, random } = parts;
  const nobody = await hashSecret(random(32), cost, random);

  return {
    async signUp(identity, authSecret) {
      if (await isTaken(store, identity)) throw taken();
      const secretHash = await hashSecret(authSecret, cost, random);
      const added = await store.addAccount({ identity, secretHash, createdAt: now() });
      if (!added) throw taken();
    },

    async check(identity, authSecret) {
      const account = await store.findAccount(identity);
      const secretHash = account?.secretHash ?? null;
      const matches = await secretMatches(authSecret, secretHash ?? nobody);
      if (account === null || secretHash === null || !matches) throw wrongCredentials();
      return account;
    },
  };
}

/**
 * Whether an identity is somebody's. Who signed in elsewhere before, or still does, has no account: a
 * stranger who signs up in that name would have the backup, and speak for those cards.
 */
async function isTaken(
  { findAccount, findBackup, audit }: AccountsParts['store'],
  identity: Identity,
): Promise<boolean> {
  return (
    (await findAccount(identity)) !== null ||
    (await findBackup(identity)) !== null ||
    (await audit.cardsOf([identity])).length > 0
  );
}

function taken(): ServerError {
  return new ServerError('ACCOUNT_EXISTS', 'This identity is taken.');
}

/** The refusal of a secret, which does not tell whether there is an account. */
export function wrongCredentials(): ServerError {
  return new ServerError('WRONG_CREDENTIALS', 'The identity or the secret is wrong.');
}

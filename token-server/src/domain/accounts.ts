import type { Identity } from 'twilio-chat-encryption/protocol';
import { ServerError } from './errors.ts';
import { hashSecret, secretMatches, type ScryptCost } from './secret-hash.ts';
import type { Store } from './store.ts';

/** Who may sign in. The server sees a secret derived from the password, never the password. */
export interface Accounts {
  /**
   * Signs somebody up.
   *
   * @throws ServerError `ACCOUNT_EXISTS`
   */
  signUp(identity: Identity, authSecret: Uint8Array): Promise<void>;
  /**
   * Checks the secret of somebody who signs in.
   *
   * @throws ServerError `WRONG_CREDENTIALS`, the same and after the same work for an unknown identity
   */
  check(identity: Identity, authSecret: Uint8Array): Promise<void>;
}

/** Parts that accounts are made of. */
export interface AccountsParts {
  readonly store: Pick<Store, 'addAccount' | 'findAccount'>;
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
      const secretHash = await hashSecret(authSecret, cost, random);
      const added = await store.addAccount({ identity, secretHash, createdAt: now() });
      if (!added) throw new ServerError('ACCOUNT_EXISTS', 'This identity has signed up already.');
    },

    async check(identity, authSecret) {
      const account = await store.findAccount(identity);
      const matches = await secretMatches(authSecret, account?.secretHash ?? nobody);
      if (account === null || !matches) {
        throw new ServerError('WRONG_CREDENTIALS', 'The identity or the secret is wrong.');
      }
    },
  };
}

import { parseCardId, type Identity, type SigningKey } from 'twilio-chat-encryption/protocol';
import type { AccountRecord } from './account-record.ts';
import { wrongCredentials, type Accounts } from './accounts.ts';
import type { Log } from './log.ts';
import { revokeAsApplication } from './revocations.ts';
import { hashSecret, type ScryptCost } from './secret-hash.ts';
import type { Store, StoreTransaction } from './store.ts';

/** What people do to their own accounts. Each ends all of their sessions, on every server. */
export interface AccountChanges {
  /**
   * Replaces the secret.
   *
   * @returns the version that sessions have from now on
   * @throws ServerError `WRONG_CREDENTIALS`; nothing is changed then
   */
  changeSecret(
    identity: Identity,
    authSecret: Uint8Array,
    newAuthSecret: Uint8Array,
  ): Promise<number>;
  /**
   * Deletes the account and its backup, and revokes its live cards in the name of the application:
   * all of it or nothing. The identity stays taken, and the log keeps its entries.
   *
   * @throws ServerError `WRONG_CREDENTIALS`; nothing is changed then
   */
  deleteAccount(identity: Identity, authSecret: Uint8Array): Promise<void>;
}

/** Parts that changes need. */
export interface AccountChangesParts {
  readonly store: Store;
  readonly accounts: Accounts;
  readonly log: Log;
  readonly appKey: SigningKey;
  readonly cost: ScryptCost;
  readonly now: () => number;
  readonly random: (length: number) => Uint8Array;
}

/** Makes the changes. */
export function createAccountChanges(parts: AccountChangesParts): AccountChanges {
  const { store, accounts, cost, now, random } = parts;

  return {
    async changeSecret(identity, authSecret, newAuthSecret) {
      const account = await accounts.check(identity, authSecret);
      const secretHash = await hashSecret(newAuthSecret, cost, random);
      const sessionVersion = account.sessionVersion + 1;
      await store.transaction(async (transaction) => {
        await requireUnchanged(account, transaction);
        await transaction.changeAccount(identity, { secretHash, sessionVersion });
      });
      return sessionVersion;
    },

    async deleteAccount(identity, authSecret) {
      const account = await accounts.check(identity, authSecret);
      const sessionVersion = account.sessionVersion + 1;
      await store.transaction(async (transaction) => {
        await requireUnchanged(account, transaction);
        await revokeLiveCards(parts, identity, transaction);
        await transaction.deleteBackup(identity);
        await transaction.deleteAccount(identity, { deletedAt: now(), sessionVersion });
      });
    },
  };
}

// The check takes its time, without holding up other writers. Each hash has a salt of its own.
async function requireUnchanged(
  { identity, secretHash }: AccountRecord,
  transaction: StoreTransaction,
): Promise<void> {
  const account = await transaction.findAccount(identity);
  if (account?.secretHash !== secretHash) throw wrongCredentials();
}

async function revokeLiveCards(
  { log, appKey, now }: AccountChangesParts,
  identity: Identity,
  transaction: StoreTransaction,
): Promise<void> {
  const store = { transaction: <T>(work: Work<T>) => work(transaction) };
  for (const id of await transaction.liveCardIds(identity)) {
    await revokeAsApplication({ store, log, appKey, now }, parseCardId(id), 'retired');
  }
}

type Work<T> = (transaction: StoreTransaction) => Promise<T>;

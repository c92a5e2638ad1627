import {
  createRevocation,
  parseCardId,
  type Identity,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import type { AccountRecord } from './account-record.ts';
import { wrongCredentials, type Accounts } from './accounts.ts';
import { ServerError } from './errors.ts';
import type { Log } from './log.ts';
import { takeRevocation } from './revocations.ts';
import { hashSecret, type ScryptCost } from './secret-hash.ts';
import type { Store, StoreTransaction } from './store.ts';

/** How often to begin again when devices publish cards at the same time. */
const ATTEMPTS = 3;

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
   * @throws ServerError `WRONG_CREDENTIALS`, `UNAVAILABLE`; nothing is changed then
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
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const revocations = await revocationsOfAll(parts, identity);
        const isDone = await store.transaction(async (transaction) => {
          await requireUnchanged(account, transaction);
          if (!(await revokeAll(parts, revocations, identity, transaction))) return false;
          await transaction.deleteBackup(identity);
          await transaction.deleteAccount(identity, { deletedAt: now(), sessionVersion });
          return true;
        });
        if (isDone) return;
      }
      throw new ServerError('UNAVAILABLE', 'New cards are being published. Try again.');
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

/** Signed before anything is locked: a signer may take its time. */
async function revocationsOfAll(
  { store, appKey, now }: AccountChangesParts,
  identity: Identity,
): Promise<ReadonlyMap<string, string>> {
  const ids = await store.transaction((transaction) => transaction.liveCardIds(identity));
  const revocations = new Map<string, string>();
  for (const id of ids) {
    const content = { cardId: parseCardId(id), reason: 'retired', revokedAt: now() } as const;
    revocations.set(id, await createRevocation({ ...content, signer: 'app' }, appKey));
  }
  return revocations;
}

/** @returns false, and changes nothing, when there are other live cards by now */
async function revokeAll(
  { log, now }: AccountChangesParts,
  revocations: ReadonlyMap<string, string>,
  identity: Identity,
  transaction: StoreTransaction,
): Promise<boolean> {
  const ids = await transaction.liveCardIds(identity);
  if (ids.some((id) => !revocations.has(id))) return false;
  for (const id of ids) {
    await takeRevocation({ log, now }, revocations.get(id) ?? '', transaction);
  }
  return true;
}

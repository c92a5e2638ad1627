import type { AccountRecord, NewAccountRecord } from './account-record.ts';
import type { AuditReader } from './audit-store.ts';
import type { BackupRecord } from './backup-record.ts';
import type { CardRecord, NewCardRecord } from './card-record.ts';
import type { LogReader, LogWriter } from './log-store.ts';
import type { SharedCounts } from './shared-counts.ts';

/**
 * What the domain needs of a database. `null` means "not there"; a rejected promise means "broken", with
 * ServerError `UNAVAILABLE` when the database does not answer now but may the next time. Then it is
 * unknown whether a write happened.
 * Identities and ids were parsed before they get here, and come back exactly as they were given.
 */
export interface Store {
  /**
   * Adds an account.
   *
   * @returns false, and changes nothing, when the identity has one already or had one
   */
  addAccount(account: NewAccountRecord): Promise<boolean>;

  /** The account of an identity, also when it was deleted. Every request with a session asks. */
  findAccount(identity: string): Promise<AccountRecord | null>;

  /** The backup of an identity. */
  findBackup(identity: string): Promise<BackupRecord | null>;

  /** The card with this id. */
  findCard(id: string): Promise<CardRecord | null>;

  /** The transparency log. */
  readonly log: LogReader;

  /** Everything, to be looked through. */
  readonly audit: AuditReader;

  /** Where several servers count together; without it, each counts for itself. */
  readonly counts?: SharedCounts;

  /**
   * Runs `work` alone among writers, so that what it reads still holds when it writes. All of its
   * writes happen or, when it rejects, none.
   */
  transaction<T>(work: (transaction: StoreTransaction) => Promise<T>): Promise<T>;

  /** Resolves when the database answers, and has all that this version needs. */
  ping(): Promise<void>;

  /** Releases the database. Nothing may be called afterwards. */
  close(): Promise<void>;
}

/** What one transaction may read and write. Keep it short: other writers wait. */
export interface StoreTransaction {
  /** The account of an identity, also when it was deleted. */
  findAccount(identity: string): Promise<AccountRecord | null>;
  /** Gives an account another secret. */
  changeAccount(
    identity: string,
    changes: { readonly secretHash: string; readonly sessionVersion: number },
  ): Promise<void>;
  /** Takes its secret from an account. That there was one stays. */
  deleteAccount(
    identity: string,
    changes: { readonly deletedAt: number; readonly sessionVersion: number },
  ): Promise<void>;
  /** Which backup the identity has. */
  backupEtag(identity: string): Promise<string | null>;
  /** Stores the backup of an identity, instead of the one that there is. */
  putBackup(identity: string, backup: BackupRecord): Promise<void>;
  /** Deletes the backup of an identity, if there is one. */
  deleteBackup(identity: string): Promise<void>;
  /** The card with this id. */
  findCard(id: string): Promise<CardRecord | null>;
  /** Whether any of these keys appears in any card, live or not, of anybody. */
  anyKeyUsed(keys: readonly string[]): Promise<boolean>;
  /** How many live cards the identity has. */
  countLiveCards(identity: string): Promise<number>;
  /** The ids of all live cards of the identity, in the order they were approved. */
  liveCardIds(identity: string): Promise<string[]>;
  /** Adds a card and its keys. */
  addCard(card: NewCardRecord): Promise<void>;
  /** Stores a card with further signatures. What it says stays what it is. */
  replaceExport(id: string, exported: string): Promise<void>;
  /**
   * Ends a card.
   *
   * @param revocation - exported; null when another card replaces it
   */
  endCard(id: string, at: number, revocation: string | null): Promise<void>;
  /** Every card of a database from before there was a log, in the order they were approved. */
  allCards(): Promise<CardRecord[]>;
  /** The transparency log, to be added to. */
  readonly log: LogWriter;
}

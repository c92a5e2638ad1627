import type { AuditReader } from './audit-store.ts';
import type { CardRecord, NewCardRecord } from './card-record.ts';
import type { LogReader, LogWriter } from './log-store.ts';

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
   * @returns false, and changes nothing, when the identity has one already
   */
  addAccount(account: AccountRecord): Promise<boolean>;

  /** The account of an identity. */
  findAccount(identity: string): Promise<AccountRecord | null>;

  /** The card with this id. */
  findCard(id: string): Promise<CardRecord | null>;

  /** How many characters the exported cards of these identities have together. */
  measureCards(identities: readonly string[]): Promise<number>;

  /** The transparency log. */
  readonly log: LogReader;

  /** Everything, to be looked through. */
  readonly audit: AuditReader;

  /** All live cards of these identities, in the order they were approved. */
  findCards(identities: readonly string[]): Promise<CardRecord[]>;

  /**
   * Runs `work` alone among writers, so that what it reads still holds when it writes. All of its
   * writes happen or, when it rejects, none.
   */
  transaction<T>(work: (transaction: StoreTransaction) => Promise<T>): Promise<T>;

  /** Resolves when the database answers. */
  ping(): Promise<void>;

  /** Releases the database. Nothing may be called afterwards. */
  close(): Promise<void>;
}

/** What one transaction may read and write. Keep it short: other writers wait. */
export interface StoreTransaction {
  /** The card with this id. */
  findCard(id: string): Promise<CardRecord | null>;
  /** Whether any of these keys appears in any card, live or not, of anybody. */
  anyKeyUsed(keys: readonly string[]): Promise<boolean>;
  /** How many live cards the identity has. */
  countLiveCards(identity: string): Promise<number>;
  /** Adds a card and its keys. */
  addCard(card: NewCardRecord): Promise<void>;
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

/** Somebody who may sign in. */
export interface AccountRecord {
  readonly identity: string;
  /** What the secret is checked against, with its parameters. */
  readonly secretHash: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

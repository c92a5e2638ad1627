/** Somebody who signs up. */
export interface NewAccountRecord {
  readonly identity: string;
  /** What the secret is checked against, with its parameters. */
  readonly secretHash: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** Somebody who may sign in, or who could until the account was deleted. */
export interface AccountRecord extends Omit<NewAccountRecord, 'secretHash'> {
  /** Null once the account was deleted: the identity stays taken, and no secret is right. */
  readonly secretHash: string | null;
  /** Grows whenever all sessions end. 0 at first. */
  readonly sessionVersion: number;
}

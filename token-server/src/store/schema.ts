/** The tables, as Kysely sees them. Times are milliseconds since 1970. */
export interface Schema {
  readonly accounts: {
    readonly identity: string;
    /** Empty when the account was deleted. */
    readonly secret_hash: string;
    readonly created_at: number;
    readonly session_version: number;
    /** Null while there is the account. */
    readonly deleted_at: number | null;
  };
  /** What people keep here, which only they can open. */
  readonly backups: {
    readonly identity: string;
    readonly etag: string;
    readonly backup: string;
  };
  readonly cards: {
    readonly id: string;
    readonly identity: string;
    readonly exported: string;
    readonly approved_at: number;
    /** When it was revoked or replaced; null while it is live. */
    readonly ended_at: number | null;
    /** The exported revocation of a card that was revoked. */
    readonly revocation: string | null;
  };
  /**
   * Uses that are counted for rate limits, by the limit and whom it counts. The order and the names of
   * the columns are rate-limiter-flexible's. Empty where one server is all there is.
   */
  readonly rate_limits: {
    readonly key: string;
    readonly points: number;
    /** When the count starts again. */
    readonly expire: number | null;
  };
  /** Every key that was ever in a card. Rows stay when a card dies: keys are never used again. */
  readonly card_keys: {
    readonly key: string;
    readonly card_id: string;
  };
  /** The transparency log. Nothing of it is ever changed. */
  readonly log_entries: {
    readonly log_index: number;
    readonly identity: string;
    readonly entry: string;
    readonly content: string;
    readonly map_root: string;
  };
  /** The hashes of the complete subtrees of the log's tree, by `level/index`. */
  readonly log_tree: {
    readonly node: string;
    readonly hash: string;
  };
  /**
   * The nodes of the log's map by their hashes: two children, or, with a count, a leaf of an
   * identity's hash and its history.
   */
  readonly log_map: {
    readonly hash: string;
    readonly left_part: string;
    readonly right_part: string;
    readonly count: number | null;
  };
}

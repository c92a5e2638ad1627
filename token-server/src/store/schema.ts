/** The tables, as Kysely sees them. Times are milliseconds since 1970. */
export interface Schema {
  readonly accounts: {
    readonly identity: string;
    readonly secret_hash: string;
    readonly created_at: number;
  };
  readonly cards: {
    readonly id: string;
    readonly identity: string;
    readonly exported: string;
    readonly approved_at: number;
  };
  /** Every key that was ever in a card. Rows stay when a card dies: keys are never used again. */
  readonly card_keys: {
    readonly key: string;
    readonly card_id: string;
  };
}

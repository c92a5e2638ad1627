/**
 * Where servers of one database count together, for their rate limits: PostgreSQL's table
 * `rate_limits`, which the library that counts speaks to in its own statements.
 */
export interface SharedCounts {
  /**
   * Runs one statement, by itself.
   *
   * @throws ServerError `UNAVAILABLE` when the database does not answer
   */
  query(statement: {
    readonly text: string;
    readonly values?: readonly unknown[];
  }): Promise<{ readonly rows: readonly unknown[]; readonly rowCount: number }>;
  /** Deletes what was over before this time, in milliseconds since 1970. */
  deleteExpired(before: number): Promise<void>;
}

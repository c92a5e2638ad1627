import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { ServerError } from '../domain/errors.ts';

/**
 * A pool that tells apart "the database is not there" from all other failures: that is a
 * ServerError `UNAVAILABLE`. A connection on which it happened is not used again, so that the next
 * request gets a fresh one.
 *
 * @param pool - of `pg`
 * @param isLost - whether the failure of a query means that the database is not there for us
 */
export function createCheckedPool(
  pool: PostgresPool,
  isLost: (error: unknown) => boolean,
): PostgresPool {
  return {
    // What Kysely would open further connections with, to cancel queries; it has no occasion to.
    options: {},

    async connect() {
      try {
        return new CheckedClient(await pool.connect(), isLost);
      } catch (cause) {
        throw unavailable(cause);
      }
    },

    end: () => pool.end(),
  };
}

/** One connection, from its checkout to its release. */
class CheckedClient implements PostgresPoolClient {
  readonly #client: PostgresPoolClient;
  readonly #isLost: (error: unknown) => boolean;
  #lost = false;

  constructor(client: PostgresPoolClient, isLost: (error: unknown) => boolean) {
    this.#client = client;
    this.#isLost = isLost;
  }

  query<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(
    query: string | PostgresCursor<R>,
    parameters: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    return typeof query === 'string' ? this.#run(query, parameters) : this.#client.query(query);
  }

  release(destroy = false): void {
    this.#client.release(destroy || this.#lost);
  }

  async #run<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>> {
    try {
      return await this.#client.query<R>(sql, parameters);
    } catch (error) {
      if (!this.#isLost(error)) throw error;
      this.#lost = true;
      throw unavailable(error);
    }
  }
}

function unavailable(cause: unknown): ServerError {
  return new ServerError('UNAVAILABLE', 'The database does not answer.', { cause });
}

import {
  CompiledQuery,
  Kysely,
  PostgresAdapter,
  PostgresDriver,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  type DatabaseConnection,
  type Dialect,
  type Expression,
  type PostgresPool,
} from 'kysely';
import { createCheckedPool } from './checked-pool.ts';
import type { Schema } from './schema.ts';

/**
 * Text that is compared and ordered by its bytes, as SQLite does it. The database's own collation
 * depends on its host, and an update of the host would leave indexes in the wrong order.
 */
export const POSTGRES_TEXT: Expression<unknown> = sql`text collate "C"`;

/** How long this server waits for PostgreSQL, in milliseconds, and with how many connections. */
interface Patience {
  readonly connections: number;
  /** For one statement, the wait for other writers included. 0: as long as it takes. */
  readonly statement: number;
}

const REQUESTS: Patience = { connections: 10, statement: 10_000 };
/** A change of a large table takes its time, and so does the wait for another server's. */
const MIGRATIONS: Patience = { connections: 1, statement: 0 };

const CONNECT_TIMEOUT = 5_000;
/** How much longer than PostgreSQL itself we wait until we take it for gone. */
const NETWORK_TIME = 5_000;
/** A server that stops in the middle of a transaction holds up all other writers. */
const IDLE_TRANSACTION_TIMEOUT = 10_000;

/**
 * Connects to a PostgreSQL database when it is first used.
 *
 * @param url - `postgres://…`; its query parameters, as `statement_timeout`, come before ours
 * @param purpose - migrations wait as long as they have to
 */
export async function openPostgres(
  url: string,
  purpose: 'requests' | 'migrations',
): Promise<Kysely<Schema>> {
  const pool = await connectionPool(url, purpose === 'requests' ? REQUESTS : MIGRATIONS);
  return new Kysely<Schema>({ dialect: createDialect(pool) });
}

/**
 * Checks what migrations rely on.
 *
 * @throws Error when the database cannot hold every text
 */
export async function checkEncoding(db: Kysely<Schema>): Promise<void> {
  const { rows } = await sql<{ encoding: string }>`
    select current_setting('server_encoding') as encoding`.execute(db);
  if (rows[0]?.encoding === 'UTF8') return;
  throw new Error('The database of DATABASE_URL has another encoding than UTF8.');
}

async function connectionPool(url: string, patience: Patience): Promise<PostgresPool> {
  // On demand: 13 packages and 30 ms of a start that most servers, which use SQLite, can do without.
  const { DatabaseError, Pool, TypeOverrides, types } = await import('pg');
  const numbers = new TypeOverrides();
  // Text by default, because it may not fit into a number. Our times and counts do.
  numbers.setTypeParser(types.builtins.INT8, Number);
  const pool = new Pool({
    connectionString: url,
    application_name: 'twilio-chat-encryption-server',
    types: numbers,
    max: patience.connections,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    statement_timeout: patience.statement,
    // Ends also the wait for a host that went away without a word, which PostgreSQL's own cannot.
    query_timeout: patience.statement === 0 ? 0 : patience.statement + NETWORK_TIME,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_TIMEOUT,
  });
  // Events without a listener would end the process. There is nothing to do: the pool drops a
  // connection that is lost, and whoever is using one hears of it from his query.
  pool.on('error', ignore);
  pool.on('connect', (client) => client.on('error', ignore));
  return createCheckedPool(pool, (error) =>
    // Whatever is not an answer of PostgreSQL is the lack of one.
    error instanceof DatabaseError ? isUnavailable(error.code ?? '') : true,
  );
}

/**
 * Whether PostgreSQL gave one of the answers that another try, on another connection, may not get:
 * connection lost (class 08), out of resources (53), shutting down or out of time (57, 25P03, 25P04,
 * 55P03), read-only because another host has taken over (25006).
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
function isUnavailable(sqlState: string): boolean {
  return /^(?:08|53|57|25006|25P03|25P04|55P03)/.test(sqlState);
}

function ignore(): void {
  // See above.
}

/** Any number, as long as all servers of a database have the same; this one is "tce/log1" in ASCII. */
const WRITE_LOCK = 0x7463652f6c6f6731n;

/**
 * Starts transactions with the write lock taken, as for SQLite: one writer at a time, in whatever
 * process. That costs nothing here, since all writers append to one log and would wait for each
 * other anyway; in return nothing has to be tried again. Migrations take it too.
 *
 * The level matters. Each statement of `read committed` sees what was committed before it began; at
 * the stricter levels all would see the state of before the wait for the lock.
 */
class OneWriterDriver extends PostgresDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await super.beginTransaction(connection, { isolationLevel: 'read committed' });
    try {
      await connection.executeQuery(
        CompiledQuery.raw(`select pg_advisory_xact_lock(${WRITE_LOCK})`),
      );
    } catch (error) {
      // Kysely rolls back only what had begun. If this fails too, the connection is not used again.
      await connection.executeQuery(CompiledQuery.raw('rollback'));
      throw error;
    }
  }
}

function createDialect(pool: PostgresPool): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new OneWriterDriver({ pool }),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

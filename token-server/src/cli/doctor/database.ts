import { existsSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { readDatabaseUrl } from '../../config.ts';
import { ConfigError, type Environment } from '../../environment.ts';
import type { Store } from '../../domain/store.ts';
import { inspectDatabase, type InspectedDatabase } from '../../store/inspect.ts';
import { parseLocation } from '../../store/location.ts';
import { failed, ok, warning, type Check } from './check.ts';

const MIB = 1024 * 1024;
/** Of the log a million cards take 5.6 GB: this is for some ten thousands. */
const LITTLE_SPACE = 1024 * MIB;
const NO_SPACE = 64 * MIB;

/** A difference that certificates, sessions and cards do not mind, in milliseconds. */
const SMALL_SKEW = 5_000;
const LARGE_SKEW = 60_000;

/** What was found of the database, and its store while there is more to look at. */
export interface DatabaseChecks {
  readonly checks: readonly Check[];
  /** Null when it cannot be used. */
  readonly store: Store | null;
  readonly close: () => Promise<void>;
}

/** Checks whether the database answers, is up to date, can be written to and has the same clock. */
export async function checkDatabase(environment: Environment): Promise<DatabaseChecks> {
  let url: string;
  try {
    url = readDatabaseUrl(environment);
  } catch (error) {
    // The configuration's checks tell it.
    if (error instanceof ConfigError) return nothing([]);
    throw error;
  }
  const location = parseLocation(url);
  if (location?.kind !== 'sqlite') return inspect(url, checkEncryption(url));
  if (location.path === ':memory:') {
    const fix = 'Set DATABASE_URL to sqlite:<path> or postgres://…';
    return nothing([warning('DATABASE_URL', 'Everything is lost when the server stops.', fix)]);
  }
  const files = await checkFiles(location.path);
  return existsSync(location.path) ? inspect(url, files) : nothing(files);
}

function nothing(checks: readonly Check[]): DatabaseChecks {
  return { checks, store: null, close: () => Promise.resolve() };
}

async function inspect(url: string, before: readonly Check[]): Promise<DatabaseChecks> {
  let database: InspectedDatabase;
  try {
    database = await inspectDatabase(url);
  } catch (error) {
    const what = `It does not open: ${reasonOf(error)}`;
    const fix = 'Check DATABASE_URL, and whether the database runs and lets this user in.';
    return nothing([...before, failed('database', what, fix)]);
  }
  const { store, missing } = database;
  const close = () => store.close();
  if (missing.length > 0) {
    const what = `It answers, and lacks ${missing.join(', ')}.`;
    const fix = '`migrate` brings it up to date, and so does `serve` when it starts.';
    return { checks: [...before, warning('database', what, fix)], store: null, close };
  }
  const answers = ok('database', 'It answers, and is up to date.');
  const checks = [...before, answers, await checkWriting(database), await checkClock(database)];
  return { checks, store, close };
}

async function checkWriting({ tryWriting }: InspectedDatabase): Promise<Check> {
  try {
    await tryWriting();
    return ok('database', 'It can be written to.');
  } catch (error) {
    const fix =
      'Check free space, rights, whether somebody holds a lock, and whether it is a replica.';
    return failed('database', `It cannot be written to: ${reasonOf(error)}`, fix);
  }
}

async function checkClock({ clock }: InspectedDatabase): Promise<Check> {
  const before = Date.now();
  const there = await clock();
  // Of what was asked in the meantime, the middle.
  const skew = Math.abs(there - (before + Date.now()) / 2);
  const seconds = (skew / 1000).toFixed(1);
  if (skew <= SMALL_SKEW) return ok('clock', `It differs from the database's by ${seconds} s.`);
  const what = `It differs from the database's by ${seconds} s.`;
  const fix = 'Synchronize both with NTP: sessions and cards carry times.';
  return skew <= LARGE_SKEW ? warning('clock', what, fix) : failed('clock', what, fix);
}

async function checkFiles(path: string): Promise<readonly Check[]> {
  const checks: Check[] = [];
  const folder = existingFolder(dirname(path));
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const space = `${Math.floor(free / MIB)} MiB are free in ${resolve(folder)}.`;
  const fix = 'Make room, or move the database: a full disk takes no more cards.';
  if (free < NO_SPACE) checks.push(failed('disk', space, fix));
  else checks.push(free < LITTLE_SPACE ? warning('disk', space, fix) : ok('disk', space));

  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) {
    const how = '`migrate` makes it, and so does `serve` when it starts.';
    checks.push(warning('database', `There is no ${path} yet.`, how));
  } else if ((mode & 0o077) !== 0 && process.platform !== 'win32') {
    const what = 'Others may read the file, with the hashes of secrets in it.';
    checks.push(warning('database', what, `chmod 600 ${path}`));
  }
  return checks;
}

function existingFolder(folder: string): string {
  const parent = dirname(folder);
  return existsSync(folder) || parent === folder ? folder : existingFolder(parent);
}

function checkEncryption(url: string): readonly Check[] {
  const { hostname, searchParams } = new URL(url);
  const host = searchParams.get('host') ?? hostname;
  const isNear = host.startsWith('/') || /^(|localhost|127\..*|\[::1\])$/.test(host);
  const mode = searchParams.get('sslmode') ?? 'none';
  if (isNear || ['verify-full', 'verify-ca'].includes(mode)) return [];
  const what = `The connection to ${host} is not encrypted, or it is not checked who answers.`;
  const fix = 'Add ?sslmode=verify-full to DATABASE_URL, unless the network is your own.';
  return [warning('DATABASE_URL', what, fix)];
}

/** Of the cause, if there is one, which says more. Neither has the URL in it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.cause instanceof Error) return reasonOf(error.cause);
  const code = 'code' in error ? String(error.code) : '';
  return [error.message, code].filter((part) => part !== '').join(', ');
}

/** Two servers on one PostgreSQL with a directory of people, and two bare ones that answer the same. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { base64url, curves, parseIdentity, type Bytes } from 'twilio-chat-encryption/protocol';
import { createSessions } from '../../token-server/src/domain/sessions.ts';
import { migrate } from '../../token-server/src/store/migrations.ts';
import { openPostgres, POSTGRES_TEXT } from '../../token-server/src/store/postgres.ts';
import { startPostgres } from '../../token-server/test/postgres-server.ts';
import { GrowingLog, person } from '../growing-log.ts';
import { startProcess, type Running } from './process.ts';

/** What all scenarios are asked of. */
export interface World {
  readonly servers: readonly Running[];
  /** How many people are in the directory, with a card and an account each: `person` makes their names. */
  readonly people: number;
  /** A session of an identity. */
  readonly sessionOf: (identity: string) => string;
  /** Starts two processes that answer what was answered, by paths. */
  readonly startBare: (
    answers: Readonly<Record<string, BareAnswer>>,
  ) => Promise<readonly Running[]>;
  readonly stop: () => Promise<void>;
}

/** An answer of a server. */
export interface BareAnswer {
  readonly status: number;
  readonly body: unknown;
}

const SERVER = fileURLToPath(new URL('../../token-server/src/cli/main.ts', import.meta.url));
const BARE = fileURLToPath(new URL('../load-bare.ts', import.meta.url));

/**
 * Starts everything but the bare ones.
 * @param flags of Node, for the servers
 */
export async function startWorld(people: number, flags: string[] = []): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'load-'));
  const cleanups: (() => unknown)[] = [
    () => {
      rmSync(folder, { recursive: true });
    },
  ];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  const startTwo = async (...given: Parameters<typeof startProcess>): Promise<Running[]> => {
    const both = [await startProcess(...given), await startProcess(...given)];
    cleanups.push(...both.map((one) => one.stop));
    return both;
  };
  try {
    // As an operator has it: what is committed is on the disk.
    const postgres = await startPostgres([]);
    cleanups.push(postgres.remove);
    const secrets = { log: bytes(), session: bytes() };
    await fill(postgres.url, people, secrets.log);
    const env = { ...environment(secrets), DATABASE_URL: postgres.url };
    const servers = await startTwo(SERVER, ['serve'], { env, path: '/readyz', flags });
    const sessions = createSessions({
      store: { findAccount: () => Promise.resolve(null) },
      secret: secrets.session,
      now: Date.now,
    });
    return {
      servers,
      people,
      sessionOf: (identity) =>
        sessions.issue({ identity: parseIdentity(identity), version: 0 }).token,
      startBare(answers) {
        const file = join(folder, 'answers.json');
        writeFileSync(file, JSON.stringify(answers));
        return startTwo(BARE, [file], { env: {}, path: '/ready' });
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Of the servers; requests come through a proxy that tells where from, since limits count addresses. */
function environment({ log, session }: { log: Bytes; session: Bytes }): Record<string, string> {
  const sid = (prefix: string): string => prefix + randomBytes(16).toString('hex');
  return {
    TWILIO_ACCOUNT_SID: sid('AC'),
    TWILIO_API_KEY: sid('SK'),
    TWILIO_API_SECRET: base64url.encode(bytes()),
    TWILIO_CHAT_SERVICE_SID: sid('IS'),
    APP_PRIVATE_KEY: base64url.encode(bytes()),
    LOG_PRIVATE_KEY: base64url.encode(log),
    SESSION_SECRET: base64url.encode(session),
    ORIGIN: 'http://localhost',
    TRUST_PROXY: '1',
  };
}

function bytes(): Bytes {
  return Uint8Array.from(randomBytes(32));
}

/** One card each, as far as the log tells, and one account each, into which nobody can sign in. */
async function fill(url: string, people: number, seed: Bytes): Promise<void> {
  const db = await openPostgres(url, 'migrations');
  try {
    await migrate(db, POSTGRES_TEXT);
    const logKey = await (await curves()).importSigningKey(seed);
    await new GrowingLog(db, logKey.publicKey).growTo(people, person);
    await sql`insert into accounts (identity, secret_hash, created_at)
      select 'person ' || number, '', 0 from generate_series(0, ${people - 1}::int) as number`.execute(
      db,
    );
    await sql`vacuum analyze`.execute(db);
  } finally {
    await db.destroy();
  }
}

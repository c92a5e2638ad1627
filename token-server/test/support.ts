import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import {
  base64url,
  createCard,
  curves,
  exportCard,
  parseCardId,
  parseIdentity,
  xwing,
  type Bytes,
} from 'twilio-chat-encryption/protocol';
import { afterEach, expect } from 'vitest';
import { z } from 'zod';
import {
  createTokenServer,
  listen,
  readConfig,
  type Signers,
  type TokenServerDeps,
} from '../src/index.ts';
import { differencesAt } from './documented.ts';

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Runs after the test, last one first. */
export function afterTest(cleanup: () => Promise<void> | void): void {
  cleanups.push(cleanup);
}

/** A folder that lives as long as the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'token-server-'));
  afterTest(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** 32 random bytes in base64url. */
export function secret(): string {
  return randomBytes(32).toString('base64url');
}

/** A complete environment with fresh secrets. */
export function environment(): Record<string, string> {
  return {
    TWILIO_ACCOUNT_SID: 'AC' + randomBytes(16).toString('hex'),
    TWILIO_API_KEY: 'SK' + randomBytes(16).toString('hex'),
    TWILIO_API_SECRET: randomBytes(24).toString('base64url'),
    TWILIO_CHAT_SERVICE_SID: 'IS' + randomBytes(16).toString('hex'),
    APP_PRIVATE_KEY: secret(),
    LOG_PRIVATE_KEY: secret(),
    SESSION_SECRET: secret(),
    ORIGIN: 'http://localhost:3000',
    DATABASE_URL: 'sqlite::memory:',
  };
}

/** What any answer is read as. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, when it is a JSON object. */
  readonly json: Record<string, unknown>;
}

/** A running server and what a test needs to talk to it and look inside. */
export interface Harness {
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds; moved by tests. */
  readonly clock: { now: number };
  /** Everything logged so far. */
  readonly log: () => string;
  /** Everything in the database. */
  readonly rows: () => unknown;
  readonly request: (method: string, path: string, options?: RequestOptions) => Promise<Reply>;
  /** Signs up, signs in and gives the session. */
  readonly session: (identity: string) => Promise<string>;
}

interface RequestOptions {
  readonly session?: string | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string;
  readonly headers?: Record<string, string>;
}

/** Starts a server on a free port, with its database in a temporary file. */
export async function start(
  changes: Record<string, string> = {},
  deps: TokenServerDeps = {},
  signers: Signers = {},
): Promise<Harness> {
  const file = join(temporaryFolder(), 'server.db');
  const env = { ...environment(), DATABASE_URL: `sqlite:${file}`, ...changes };
  const clock = { now: Date.now() };
  const lines: string[] = [];
  const server = await createTokenServer(readConfig(env, signers), {
    logger: pino({}, { write: (line) => lines.push(line) }),
    now: () => clock.now,
    scryptCost: { logN: 4, r: 8, p: 1 },
    ...deps,
  });
  const listening = await listen(server.app, 0);
  afterTest(async () => {
    await listening.stop();
    await server.close();
  });
  const url = `http://localhost:${listening.port}`;
  const request = requester(url);
  return {
    url,
    env,
    clock,
    log: () => lines.join(''),
    rows: () => dump(file),
    request,
    session: async (identity) => (await signUp({ request }, identity)).session,
  };
}

/** Signs somebody up and in. */
export async function signUp({ request }: Pick<Harness, 'request'>, identity: string) {
  const authSecret = secret();
  await request('POST', '/v1/accounts', { body: { identity, authSecret } });
  return { authSecret, session: await signIn({ request }, { identity, authSecret }) };
}

/** Signs somebody in, and gives the session. */
export async function signIn(
  { request }: Pick<Harness, 'request'>,
  body: { readonly identity: string; readonly authSecret: string },
): Promise<string> {
  const { json } = await request('POST', '/v1/sessions', { body });
  return z.string().parse(json['token']);
}

/** Sends requests to a server. */
export function requester(url: string): Harness['request'] {
  return async (method, path, { session, body, raw, headers = {} } = {}) => {
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
        ...(session === undefined ? {} : { authorization: `Bearer ${session}` }),
        ...headers,
      },
      ...(sent === undefined ? {} : { body: sent }),
    });
    const text = await response.text();
    const { status } = response;
    const reply = { status, headers: response.headers, text, json: parseObject(text) };
    // Whatever a test is about: the document tells of every answer.
    expect(differencesAt(method, path, reply)).toEqual([]);
    return reply;
  };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch {
    return {};
  }
}

const TABLES = [
  ...['accounts', 'backups', 'cards', 'card_keys'],
  ...['log_entries', 'log_tree', 'log_map'],
];

function dump(file: string): unknown {
  const database = new Database(file, { readonly: true });
  try {
    return TABLES.map((table) => database.prepare(`select * from ${table} order by 1`).all());
  } finally {
    database.close();
  }
}

/** What a card is made of; what is left out is made up. */
export interface CardChoices {
  readonly createdAt?: number;
  readonly previousCardId?: string;
  readonly fields?: Record<string, string>;
  readonly signingSeed?: Bytes;
  readonly encryptionSeed?: Bytes;
  /** Of a key of suite 2; without it the card has none. */
  readonly pqSeed?: Bytes;
}

/** A seed for a key. */
export function seed(): Bytes {
  return Uint8Array.from(randomBytes(32));
}

/** An exported card of an identity, signed by itself. */
export async function makeCard(identity: string, choices: CardChoices = {}): Promise<string> {
  const { createdAt = Date.now(), previousCardId, fields } = choices;
  const { importSigningKey, importAgreementKey } = await keys();
  const content = {
    identity: parseIdentity(identity),
    createdAt,
    ...(previousCardId === undefined ? {} : { previousCardId: parseCardId(previousCardId) }),
    ...(fields === undefined ? {} : { fields }),
  };
  const signingKey = await importSigningKey(choices.signingSeed ?? seed());
  const encryptionKey = await importAgreementKey(choices.encryptionSeed ?? seed());
  const pqKey = choices.pqSeed && (await (await xwing()).importKey(choices.pqSeed));
  return exportCard(await createCard(content, signingKey, encryptionKey, pqKey));
}

async function keys() {
  const chosen = await curves();
  return {
    importSigningKey: (bytes: Bytes) => chosen.importSigningKey(bytes),
    importAgreementKey: (bytes: Bytes) => chosen.importAgreementKey(bytes),
  };
}

const Exported = z.object({
  contentSnapshot: z.string(),
  signatures: z.array(
    z.object({ signer: z.string(), signature: z.string(), extra: z.string().optional() }),
  ),
});

/** The JSON inside an exported card. */
export type ExportedJson = z.output<typeof Exported>;

/** Opens an exported card to look at or to spoil. */
export function unpack(exported: string): ExportedJson {
  return Exported.parse(JSON.parse(textOf(exported)));
}

/** The reverse of {@link unpack}. */
export function pack(json: unknown): string {
  return packText(JSON.stringify(json));
}

/** Text in base64url. */
export function packText(text: string): string {
  return base64url.encode(new TextEncoder().encode(text));
}

/** The text inside base64url. */
export function textOf(encoded: string): string {
  return new TextDecoder().decode(base64url.decode(encoded) ?? new Uint8Array());
}

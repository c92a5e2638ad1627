import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { base64url } from 'twilio-chat-encryption/protocol';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Check } from '../src/cli/doctor/check.ts';
import {
  checkConfiguration,
  checkPins,
  checkSecretFiles,
} from '../src/cli/doctor/configuration.ts';
import { checkDatabase } from '../src/cli/doctor/database.ts';
import { checkLog } from '../src/cli/doctor/log.ts';
import { publicKeysOf } from '../src/domain/public-keys.ts';
import { signingKeyOf } from '../src/domain/signer.ts';
import { readConfig } from '../src/index.ts';
import { run } from './command-line.ts';
import { environment, makeCard, secret, signUp, start, temporaryFolder } from './support.ts';

const Line = z.object({
  about: z.string(),
  status: z.enum(['ok', 'warning', 'failed']),
  what: z.string(),
  fix: z.string().optional(),
});

/** What is not all right, as `failed DATABASE_URL`. */
function troubles(checks: readonly Pick<Check, 'status' | 'about'>[]): string[] {
  return checks
    .filter(({ status }) => status !== 'ok')
    .map(({ status, about }) => `${status} ${about}`);
}

async function troublesOfDatabase(env: Record<string, string>): Promise<string[]> {
  const { checks, store, close } = await checkDatabase(env);
  const all = [...checks, ...(store ? await checkLog(store, env) : [])];
  await close();
  return troubles(all);
}

/** The environment of a server that was in use, and its database. */
async function deployed() {
  const file = join(temporaryFolder(), 'server.db');
  const server = await start({ DATABASE_URL: `sqlite:${file}` });
  const { session, authSecret } = await signUp(server, 'alice');
  const card = await makeCard('alice');
  await server.request('POST', '/v1/cards', { session, body: { card } });
  return { env: { ...server.env }, file, authSecret };
}

describe('doctor', () => {
  test('finds nothing wrong with a server that works, and changes nothing', async () => {
    const { env, authSecret } = await deployed();
    const folder = temporaryFolder();
    const lines = Object.entries({ ...env, METRICS_TOKEN: secret() }).map((each) => each.join('='));
    writeFileSync(join(folder, '.env'), lines.join('\n'), { mode: 0o600 });
    const { code, stdout, stderr } = await run(folder, ['doctor']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^0 failed, 0 to know of\.$/m);
    expect(stdout).toContain('The newest of 1 entries is proven');

    const { stdout: json, code: again } = await run(folder, ['doctor', '--json']);
    expect(again).toBe(0);
    const checks = json
      .trim()
      .split('\n')
      .map((line) => Line.parse(JSON.parse(line)));
    expect(troubles(checks)).toEqual([]);
    expect(new Set(checks.map(({ about }) => about))).toEqual(
      new Set([
        'appKey',
        'logKey',
        'node',
        '.env',
        'configuration',
        'Twilio',
        'keys',
        'CORS_ORIGINS',
        'TRUST_PROXY',
        'disk',
        'database',
        'clock',
        'log',
      ]),
    );
    for (const [name, value] of Object.entries({ ...env, authSecret })) {
      if (/KEY|SECRET|TOKEN|Secret/.test(name)) expect(stdout + json).not.toContain(value);
    }
  });

  test('tells all that is wrong at once, what to do about it, and no secret', async () => {
    const folder = temporaryFolder();
    const env = {
      ...environment(),
      TWILIO_API_KEY: 'SKsecretsecret',
      SESSION_SECRET: 'tooshort',
      DATABASE_URL: 'sqlite:./not/there.db',
    };
    writeFileSync(join(folder, 'my.env'), 'PORT=80a\n');
    chmodSync(join(folder, 'my.env'), 0o644);
    const { code, stdout } = await run(folder, ['doctor', '--json', '--env-file', 'my.env'], env);
    expect(code).toBe(1);
    const checks = stdout
      .trim()
      .split('\n')
      .map((line) => Line.parse(JSON.parse(line)));
    expect(troubles(checks).toSorted()).toEqual([
      'failed PORT',
      'failed SESSION_SECRET',
      'failed TWILIO_API_KEY',
      'warning database',
      'warning my.env',
    ]);
    for (const { status, fix } of checks) expect(fix === undefined).toBe(status === 'ok');
    expect(stdout).not.toMatch(/secretsecret|tooshort|80a/);
    expect(existsSync(join(folder, 'not'))).toBe(false);
  });
});

describe('of the configuration doctor sees', () => {
  const weak = base64url.encode(new Uint8Array(32).fill(7));
  const same = secret();

  test.each([
    ['nothing wrong', {}, []],
    [
      'one key for two purposes',
      { APP_PRIVATE_KEY: same, LOG_PRIVATE_KEY: same },
      ['failed LOG_PRIVATE_KEY'],
    ],
    [
      'a key that signs sessions too',
      { APP_PRIVATE_KEY: same, SESSION_SECRET: same },
      ['failed SESSION_SECRET'],
    ],
    [
      'a token for metrics that signs sessions',
      { METRICS_TOKEN: same, SESSION_SECRET: same },
      ['failed METRICS_TOKEN'],
    ],
    ['a key that is not random', { LOG_PRIVATE_KEY: weak }, ['failed LOG_PRIVATE_KEY']],
    [
      'a SID in place of a secret',
      { TWILIO_API_SECRET: `SK${'0a'.repeat(16)}` },
      ['failed TWILIO_API_SECRET'],
    ],
    [
      'an auth token in place of a secret',
      { TWILIO_API_SECRET: '0a'.repeat(16) },
      ['warning TWILIO_API_SECRET'],
    ],
    ['pages without keys', { ORIGIN: 'http://chat.example' }, ['warning ORIGIN']],
    [
      'other pages without keys',
      { CORS_ORIGINS: 'http://a.example,http://localhost:5173' },
      ['warning CORS_ORIGINS'],
    ],
    ['TLS without a proxy', { ORIGIN: 'https://chat.example' }, ['warning TRUST_PROXY']],
    ['TLS with one', { ORIGIN: 'https://chat.example', TRUST_PROXY: '1' }, []],
  ])('%s', (_, changes, expected) => {
    expect(troubles(checkConfiguration({ ...environment(), ...changes }))).toEqual(expected);
  });
});

describe('of the database doctor sees', () => {
  test('that all is lost with the process', async () => {
    expect(await troublesOfDatabase(environment())).toEqual(['warning DATABASE_URL']);
  });

  test('that it is none', async () => {
    const file = join(temporaryFolder(), 'server.db');
    writeFileSync(
      file,
      'This is no database, and it is long enough to be read as one. '.repeat(50),
      { mode: 0o600 },
    );
    expect(await troublesOfDatabase({ DATABASE_URL: `sqlite:${file}` })).toEqual([
      'failed database',
    ]);
  });

  test('that it is older than this version, and leaves it so', async () => {
    const { env, file } = await deployed();
    const database = new Database(file);
    const last = 'select max(name) from kysely_migration';
    database.exec(`delete from kysely_migration where name = (${last})`);
    const before: unknown = database.prepare(last).get();
    expect(await troublesOfDatabase(env)).toEqual(['warning database']);
    expect(database.prepare(last).get()).toEqual(before);
    database.close();
  });

  test('that it is one that is kept in another way, and leaves it so', async () => {
    const file = join(temporaryFolder(), 'other.db');
    const database = new Database(file);
    database.exec('create table others (name text)');
    database.close();
    chmodSync(file, 0o600);
    const before = readFileSync(file);
    expect(await troublesOfDatabase({ DATABASE_URL: `sqlite:${file}` })).toEqual([
      'warning database',
    ]);
    expect(readFileSync(file)).toEqual(before);
  });

  test('that somebody keeps its lock', async () => {
    const { env, file } = await deployed();
    const other = new Database(file);
    other.exec('begin immediate');
    expect(await troublesOfDatabase(env)).toEqual(['failed database']);
    other.close();
  });

  test('that others may read it', async () => {
    const { env, file } = await deployed();
    chmodSync(file, 0o644);
    expect(await troublesOfDatabase(env)).toEqual(['warning database']);
  });
});

describe('of the keys doctor sees', () => {
  test('what the application pins, and no private key, also if one stands in the wrong place', async () => {
    const env = environment();
    const keys = await publicKeysOf(readConfig(env));
    const checks = await checkPins({
      ...env,
      EARLIER_APP_KEYS: base64url.encode(keys.logKey.publicKey),
    });
    expect(checks).toEqual([
      {
        about: 'appKey',
        status: 'ok',
        what: `The application pins ${base64url.encode(keys.appKeys[0].publicKey)}, and 1 of EARLIER_APP_KEYS.`,
      },
      {
        about: 'logKey',
        status: 'ok',
        what: `The application pins ${base64url.encode(keys.logKey.publicKey)}.`,
      },
    ]);
    const none = { ...env, EARLIER_APP_KEYS: base64url.encode(new Uint8Array(32).fill(2)) };
    expect(troubles(await checkPins(none))).toEqual(['failed EARLIER_APP_KEYS']);
    expect(await checkPins({ ...env, LOG_PRIVATE_KEY: '' })).toEqual([]);
  });

  test('that everybody may read the file of one', () => {
    const file = join(temporaryFolder(), 'key');
    writeFileSync(file, secret());
    const env = { APP_PRIVATE_KEY_FILE: file };
    for (const [mode, expected] of [
      [0o644, ['warning APP_PRIVATE_KEY_FILE']] as const,
      [0o604, ['warning APP_PRIVATE_KEY_FILE']] as const,
      [0o640, []] as const,
      [0o400, []] as const,
    ]) {
      chmodSync(file, mode);
      expect(troubles(checkSecretFiles(env))).toEqual(expected);
    }
    expect(checkSecretFiles({ APP_PRIVATE_KEY_FILE: `${file}-` })).toEqual([]);
  });

  test('in the file of one that it is not random, or the same as another', () => {
    const folder = temporaryFolder();
    const env: Record<string, string> = environment();
    const zeros = join(folder, 'zeros');
    writeFileSync(zeros, base64url.encode(new Uint8Array(32)));
    const weak = { ...env, APP_PRIVATE_KEY: '', APP_PRIVATE_KEY_FILE: zeros };
    expect(troubles(checkConfiguration(weak))).toEqual(['failed APP_PRIVATE_KEY']);
    const same = { ...env, SESSION_SECRET: env['LOG_PRIVATE_KEY'] };
    expect(troubles(checkConfiguration(same))).toEqual(['failed SESSION_SECRET']);
  });
});

describe('of the log doctor sees', () => {
  test('that it is of another log key, or that its cards are of another application key', async () => {
    const { env } = await deployed();
    expect(await troublesOfDatabase(env)).toEqual([]);
    const otherLog = { ...env, LOG_PRIVATE_KEY: secret() };
    expect(await troublesOfDatabase(otherLog)).toEqual(['failed LOG_PRIVATE_KEY']);
    const otherApp = { ...env, APP_PRIVATE_KEY: secret() };
    expect(await troublesOfDatabase(otherApp)).toEqual(['failed APP_PRIVATE_KEY']);
  });

  test('nothing wrong after a change of the application key, whose public half of before it is told', async () => {
    const { env } = await deployed();
    const before = base64url.decode(env['APP_PRIVATE_KEY'] ?? '') ?? new Uint8Array();
    const { publicKey } = await signingKeyOf(before);
    const EARLIER_APP_KEYS = base64url.encode(publicKey);
    const changed = { ...env, APP_PRIVATE_KEY: secret(), EARLIER_APP_KEYS };
    expect(await troublesOfDatabase(changed)).toEqual([]);
  });

  test('that the newest entry does not prove what it says', async () => {
    const { env, file } = await deployed();
    const database = new Database(file);
    const other = base64url.encode(new Uint8Array(32));
    database.prepare('update log_entries set map_root = ?').run(other);
    database.close();
    // The log itself is damaged: nobody can be looked up.
    await expect(troublesOfDatabase(env)).resolves.toEqual(['failed log']);
  });

  test('that the clock is behind it', async () => {
    const server = await start({ DATABASE_URL: `sqlite:${join(temporaryFolder(), 'server.db')}` });
    server.clock.now += 600_000;
    const { session } = await signUp(server, 'alice');
    const card = await makeCard('alice');
    const published = await server.request('POST', '/v1/cards', { session, body: { card } });
    expect(published.status).toBe(201);
    expect(await troublesOfDatabase({ ...server.env })).toEqual(['failed clock']);
  });
});

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig, readDatabaseUrl } from '../src/index.ts';
import { environment, secret, temporaryFolder } from './support.ts';

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ name }) => name);
  }
}

describe('a complete environment', () => {
  test('is read into a frozen object, with defaults', () => {
    const env = environment();
    const config = readConfig({ ...env, DATABASE_URL: undefined });
    expect(config).toMatchObject({
      twilio: { accountSid: env['TWILIO_ACCOUNT_SID'], serviceSid: env['TWILIO_CHAT_SERVICE_SID'] },
      databaseUrl: 'sqlite:./data/server.db',
      port: 3000,
      bindAddress: undefined,
      origin: 'http://localhost:3000',
      corsOrigins: [],
      trustProxy: false,
    });
    expect(config.appKey).toHaveLength(32);
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.twilio)).toBe(true);
    expect(Object.isFrozen(config.corsOrigins)).toBe(true);
  });

  test('may use the other names of variables', () => {
    const env = environment();
    const config = readConfig({
      ...env,
      TWILIO_API_KEY: undefined,
      TWILIO_API_SECRET: undefined,
      TWILIO_CHAT_SERVICE_SID: '',
      TWILIO_API_KEY_SID: env['TWILIO_API_KEY'],
      TWILIO_API_KEY_SECRET: env['TWILIO_API_SECRET'],
      TWILIO_SERVICE_SID: env['TWILIO_CHAT_SERVICE_SID'],
    });
    expect(config.twilio).toEqual(readConfig(env).twilio);
    const conversations = { TWILIO_CONVERSATIONS_SERVICE_SID: env['TWILIO_CHAT_SERVICE_SID'] };
    expect(readConfig({ ...env, TWILIO_CHAT_SERVICE_SID: '', ...conversations }).twilio).toEqual(
      readConfig(env).twilio,
    );
  });

  test('sets everything else too', () => {
    const config = readConfig({
      ...environment(),
      PORT: '8443',
      BIND_ADDRESS: '127.0.0.1',
      ORIGIN: 'https://chat.example',
      CORS_ORIGINS: 'https://a.example, http://localhost:5173',
      TRUST_PROXY: '10.0.0.0/8,::1,loopback',
      TWILIO_PUSH_CREDENTIAL_SID: 'CR' + '0'.repeat(32),
    });
    expect(config).toMatchObject({
      port: 8443,
      bindAddress: '127.0.0.1',
      origin: 'https://chat.example',
      corsOrigins: ['https://a.example', 'http://localhost:5173'],
      trustProxy: ['10.0.0.0/8', '::1', 'loopback'],
      twilio: { pushCredentialSid: 'CR' + '0'.repeat(32) },
    });
    expect(readConfig({ ...environment(), TRUST_PROXY: '1' }).trustProxy).toBe(1);
    expect(readConfig({ ...environment(), TRUST_PROXY: '0' }).trustProxy).toBe(false);
  });
});

describe('a wrong environment', () => {
  test('names every missing variable at once', () => {
    expect(problemsOf({}).toSorted()).toEqual([
      'APP_PRIVATE_KEY',
      'LOG_PRIVATE_KEY',
      'ORIGIN',
      'SESSION_SECRET',
      'TWILIO_ACCOUNT_SID',
      'TWILIO_API_KEY',
      'TWILIO_API_SECRET',
      'TWILIO_CHAT_SERVICE_SID',
    ]);
  });

  test.each([
    ['TWILIO_ACCOUNT_SID', 'AC123'],
    ['TWILIO_ACCOUNT_SID', 'SK' + '0'.repeat(32)],
    ['TWILIO_API_KEY', 'SK' + 'x'.repeat(32)],
    ['TWILIO_API_SECRET', 'too-short'],
    ['TWILIO_API_SECRET', 'with a space in the middle'],
    ['TWILIO_CHAT_SERVICE_SID', 'IS' + '0'.repeat(33)],
    ['TWILIO_PUSH_CREDENTIAL_SID', 'CR1'],
    ['DATABASE_URL', 'mysql://localhost/x'],
    ['DATABASE_URL', 'sqlite:'],
    ['DATABASE_URL', 'sqlite://data/server.db'],
    ['DATABASE_URL', 'postgres://localhost'],
    ['DATABASE_URL', 'postgres://localhost/'],
    ['DATABASE_URL', 'postgres:database'],
    ['DATABASE_URL', 'postgres://localhost:port/database'],
    ['DATABASE_URL', 'postgres://me:100%@localhost/database'],
    ['DATABASE_URL', 'postgres://me:12/34@localhost/database'],
    ['DATABASE_URL', 'postgres://me:12?34@localhost/database'],
    ['DATABASE_URL', 'postgres://me:12/34?56@localhost/database'],
    ['DATABASE_URL', 'postgres://me:12#34@localhost/database'],
    ['APP_PRIVATE_KEY', 'A'.repeat(42)],
    ['APP_PRIVATE_KEY', 'A'.repeat(42) + 'B'],
    ['LOG_PRIVATE_KEY', 'A'.repeat(43) + '='],
    ['SESSION_SECRET', 'c2hvcnQ'],
    ['AUTH', 'none'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '80a'],
    ['BIND_ADDRESS', 'localhost'],
    ['BIND_ADDRESS', '127.0.0.1:3000'],
    ['BIND_ADDRESS', '[::1]'],
    ['ORIGIN', 'https://chat.example/path'],
    ['ORIGIN', 'chat.example'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'https://a.example,'],
    ['TRUST_PROXY', 'true'],
    ['TRUST_PROXY', '11'],
    ['TRUST_PROXY', '10.0.0.0/33'],
  ])('%s is checked (%s)', (name, value) => {
    expect(problemsOf({ ...environment(), [name]: value })).toEqual([name]);
  });

  test.each([
    ['LOG_PRIVATE_KEY', 'APP_PRIVATE_KEY'],
    ['SESSION_SECRET', 'APP_PRIVATE_KEY'],
    ['SESSION_SECRET', 'LOG_PRIVATE_KEY'],
    ['TWILIO_API_SECRET', 'SESSION_SECRET'],
    ['METRICS_TOKEN', 'SESSION_SECRET'],
    ['METRICS_TOKEN', 'TWILIO_API_SECRET'],
  ])('one secret may not have two purposes: %s and %s', (name, other) => {
    const same = secret();
    expect(problemsOf({ ...environment(), [name]: same, [other]: same })).toEqual([name]);
  });

  test('two names of one variable may not disagree', () => {
    const other = 'SK' + '1'.repeat(32);
    expect(problemsOf({ ...environment(), TWILIO_API_KEY_SID: other })).toEqual(['TWILIO_API_KEY']);
  });

  test('no value ever appears in the error', () => {
    const names = Object.keys(environment());
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.stringMatching(/^[!-~]{12,14}#$/),
        (name, value) => {
          expect(() => readConfig({ ...environment(), [name]: value })).toThrow(ConfigError);
          expect(() => readConfig({ ...environment(), [name]: value })).not.toThrow(value);
        },
      ),
    );
  });
});

test.each([
  'sqlite:server.db',
  'sqlite:/var/lib/server.db',
  'postgres://localhost/database',
  'postgresql://me@[::1]:5432/database',
  'postgres://me:%2F%3F%40@db.example:5432/my%20database?sslmode=verify-full',
  'postgres:///database?host=/var/run/postgresql',
])('the database may be %s', (url) => {
  expect(readConfig({ ...environment(), DATABASE_URL: url }).databaseUrl).toBe(url);
});

test('the database can be read alone', () => {
  expect(readDatabaseUrl({})).toBe('sqlite:./data/server.db');
  expect(readDatabaseUrl({ DATABASE_URL: 'sqlite::memory:' })).toBe('sqlite::memory:');
  expect(() => readDatabaseUrl({ DATABASE_URL: 'nonsense' })).toThrow(ConfigError);
});

describe('a secret in a file', () => {
  const NAMES = [
    'APP_PRIVATE_KEY',
    'LOG_PRIVATE_KEY',
    'SESSION_SECRET',
    'TWILIO_API_SECRET',
    'DATABASE_URL',
  ] as const;

  /** An environment whose secrets are in files, each with this behind its end. */
  function inFiles(end = '') {
    const folder = temporaryFolder();
    const { ...env }: Record<string, string> = environment();
    const fileOf = (name: string): string => join(folder, name);
    for (const name of NAMES) {
      writeFileSync(fileOf(name), (env[name] ?? '') + end);
      env[`${name}_FILE`] = fileOf(name);
    }
    const values = { ...env };
    for (const name of NAMES) env[name] = '';
    const plain = Object.entries(values).filter(([name]) => !name.endsWith('_FILE'));
    return { env, plain: Object.fromEntries(plain), fileOf };
  }

  test.each(['', '\n', '\r\n'])('is read, with %j at its end', (end) => {
    const { env, plain } = inFiles(end);
    expect(readConfig(env)).toEqual(readConfig(plain));
    expect(readDatabaseUrl(env)).toBe(plain['DATABASE_URL']);
  });

  test('is the file as it is: what else there is makes it another secret', () => {
    for (const end of [' ', '\n\n', '\nAPP_PRIVATE_KEY=x\n']) {
      expect(problemsOf(inFiles(end).env)).toContain('APP_PRIVATE_KEY');
    }
  });

  test('that is missing, empty, a folder, or may not be read is named, and nothing that is in it', () => {
    const { env, fileOf } = inFiles();
    const file = fileOf('APP_PRIVATE_KEY');
    const messageOf = (path: string): string => {
      try {
        readConfig({ ...env, APP_PRIVATE_KEY_FILE: path });
        return '';
      } catch (error) {
        return error instanceof ConfigError ? error.message : 'another error';
      }
    };
    const saying = (what: string): string =>
      `The configuration is incomplete or wrong.\n  APP_PRIVATE_KEY_FILE: expected ${what}`;
    expect(messageOf(`${file}-`)).toBe(saying('a file that can be read: ENOENT'));
    expect(messageOf(temporaryFolder())).toBe(saying('a file that can be read: EISDIR'));
    writeFileSync(`${file}.empty`, '\n');
    expect(messageOf(`${file}.empty`)).toBe(saying('the secret in the file, which is empty'));
    chmodSync(file, 0o000);
    // To the administrator everything can be read.
    const isAdministrator = process.getuid?.() === 0;
    expect(messageOf(file)).toBe(isAdministrator ? '' : saying('a file that can be read: EACCES'));
    const wrong = 'not-a-key-but-a-secret';
    chmodSync(file, 0o600);
    writeFileSync(file, wrong);
    expect(messageOf(file)).toContain('APP_PRIVATE_KEY: expected an Ed25519 seed');
    expect(messageOf(file)).not.toContain(wrong);
  });

  test('is not beside the same secret in the environment', () => {
    const { env } = inFiles();
    expect(problemsOf({ ...env, SESSION_SECRET: secret() })).toEqual(['SESSION_SECRET_FILE']);
  });

  test('may be of a variable with another name, and is compared as that is', () => {
    const { env, plain, fileOf } = inFiles();
    const { TWILIO_API_SECRET_FILE: file, ...others } = env;
    expect(readConfig({ ...others, TWILIO_API_KEY_SECRET_FILE: file })).toEqual(readConfig(plain));
    writeFileSync(fileOf('other'), secret());
    const two = { ...env, TWILIO_API_KEY_SECRET_FILE: fileOf('other') };
    expect(problemsOf(two)).toEqual(['TWILIO_API_SECRET']);
  });
});

test('the public keys of before are 32 bytes each', () => {
  const env = environment();
  const [one, other] = [secret(), secret()];
  expect(readConfig(env).earlierAppKeys).toEqual([]);
  expect(readConfig({ ...env, EARLIER_APP_KEYS: `${one}, ${other}` }).earlierAppKeys).toHaveLength(
    2,
  );
  expect(problemsOf({ ...env, EARLIER_APP_KEYS: `${one},` })).toEqual(['EARLIER_APP_KEYS']);
});

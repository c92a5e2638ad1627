import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig, readDatabaseUrl } from '../src/index.ts';
import { environment } from './support.ts';

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
      origin: 'http://localhost:3000',
      corsOrigins: [],
      trustProxy: false,
    });
    expect(config.appPrivateKey).toHaveLength(32);
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
      ORIGIN: 'https://chat.example',
      CORS_ORIGINS: 'https://a.example, http://localhost:5173',
      TRUST_PROXY: '10.0.0.0/8,::1,loopback',
      TWILIO_PUSH_CREDENTIAL_SID: 'CR' + '0'.repeat(32),
    });
    expect(config).toMatchObject({
      port: 8443,
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

  test('one key may not have two purposes', () => {
    const env = environment();
    const same = { ...env, LOG_PRIVATE_KEY: env['APP_PRIVATE_KEY'] };
    expect(problemsOf(same)).toEqual(['LOG_PRIVATE_KEY']);
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

import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { readConfig, type Config } from 'twilio-chat-encryption-server';

/** What the demo runs on: a configured token server, and whether Twilio is emulated. */
export interface Settings {
  readonly config: Config;
  readonly emulated: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const TWILIO_VARIABLES = [
  'TWILIO_ACCOUNT_SID',
  'TWILIO_API_KEY',
  'TWILIO_API_KEY_SID',
  'TWILIO_API_SECRET',
  'TWILIO_API_KEY_SECRET',
  'TWILIO_CHAT_SERVICE_SID',
  'TWILIO_CONVERSATIONS_SERVICE_SID',
  'TWILIO_SERVICE_SID',
];

// A name in the salts of logins and no address: the demo's port may change from start to start.
const ORIGIN = 'http://demo.localhost';

/**
 * Puts the settings together from the environment and from the keys kept in `dataDir`, which are
 * made at the first start.
 * @throws ConfigError when only some of the `TWILIO_…` variables are set, naming the others
 */
export function readSettings(environment: Environment, dataDir: string): Settings {
  const emulated = TWILIO_VARIABLES.every((name) => !environment[name]);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  chmodSync(dataDir, 0o700);
  const config = readConfig({
    ORIGIN,
    DATABASE_URL: databaseUrl(dataDir),
    ...keptSecrets(dataDir),
    ...(emulated && madeUpTwilio()),
    ...givenTwilio(environment),
  });
  return { config, emulated };
}

/** The account to use. Nothing else is taken: a stray DATABASE_URL is another program's. */
function givenTwilio(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => name.startsWith('TWILIO_') && value),
  );
}

// SQLite would make the file readable for everybody; an empty file is an empty database to it.
function databaseUrl(dataDir: string): string {
  const file = join(dataDir, 'server.db');
  closeSync(openSync(file, 'a', 0o600));
  return `sqlite:${file}`;
}

function keptSecrets(dataDir: string): Environment {
  const file = join(dataDir, 'server.env');
  const secret = (): string => randomBytes(32).toString('base64url');
  const fresh = `# The demo server's keys. Delete them together with server.db to start over.
APP_PRIVATE_KEY=${secret()}
LOG_PRIVATE_KEY=${secret()}
SESSION_SECRET=${secret()}
`;
  try {
    writeFileSync(file, fresh, { flag: 'wx', mode: 0o600 });
    return parseEnv(fresh);
  } catch (error) {
    if (!isExisting(error)) throw error;
    return parseEnv(readFileSync(file, 'utf8'));
  }
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

function madeUpTwilio(): Environment {
  const sid = (prefix: string): string => prefix + randomBytes(16).toString('hex');
  return {
    TWILIO_ACCOUNT_SID: sid('AC'),
    TWILIO_API_KEY: sid('SK'),
    TWILIO_API_SECRET: randomBytes(24).toString('base64url'),
    TWILIO_CHAT_SERVICE_SID: sid('IS'),
  };
}

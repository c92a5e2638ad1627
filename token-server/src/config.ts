import { isIP } from 'node:net';
import { base64url, type Bytes } from 'twilio-chat-encryption/protocol';
import { z } from 'zod';
import { AUTH_VARIABLES, authConfig, authProblems, type AuthConfig } from './auth-config.ts';
import type { KeySource, Signer } from './domain/signer.ts';
import type { TwilioCredentials } from './domain/twilio-tokens.ts';
import { ConfigError, type ConfigProblem, type Environment } from './environment.ts';
import { readSecretFiles } from './secret-files.ts';
import { LOCATION_FORMS, parseLocation } from './store/location.ts';

/** Everything the server is told from outside. Frozen. */
export interface Config {
  readonly twilio: TwilioCredentials;
  /** `sqlite:<path>`, `sqlite::memory:` or `postgres://…`, which may hold a password. */
  readonly databaseUrl: string;
  /** The Ed25519 key that approves cards. */
  readonly appKey: KeySource;
  /** The Ed25519 key of the transparency log. */
  readonly logKey: KeySource;
  /** Public keys that approved cards before, 32 bytes each. */
  readonly earlierAppKeys: readonly Bytes[];
  /** At least 32 bytes. */
  readonly sessionSecret: Bytes;
  /** How people sign in. */
  readonly auth: AuthConfig;
  /** How Twilio asks before it stores a message. Null when it is not to. */
  readonly webhook: { readonly authToken: string; readonly url: string } | null;
  readonly port: number;
  /** The only address that is listened on. Undefined for all of the machine. */
  readonly bindAddress: string | undefined;
  /** This deployment's name in the salts of logins; a change locks everybody out. */
  readonly origin: string;
  /** Origins whose pages may call the server. */
  readonly corsOrigins: readonly string[];
  /** Whose `X-Forwarded-For` is believed: nobody's, that of n hops, or that of these addresses. */
  readonly trustProxy: false | number | readonly string[];
  /** Whoever sends it may read `/metrics`. Null when nobody may, and nothing is counted. */
  readonly metricsToken: string | null;
  /** How long to go on after `/readyz` says that this server stops, in milliseconds. */
  readonly shutdownDelay: number;
}

/** Each is known to somebody else, or to somebody else's machine. */
const SECRETS = [
  'APP_PRIVATE_KEY',
  'LOG_PRIVATE_KEY',
  'SESSION_SECRET',
  'TWILIO_API_SECRET',
  'TWILIO_AUTH_TOKEN',
  'METRICS_TOKEN',
] as const;

/** Who signs, instead of keys in the environment. */
export interface Signers {
  /** Approves and revokes cards, instead of `APP_PRIVATE_KEY`. */
  readonly app?: Signer;
  /** Signs the heads of the transparency log, instead of `LOG_PRIVATE_KEY`. */
  readonly log?: Signer;
}

const ALIASES = {
  TWILIO_API_KEY: ['TWILIO_API_KEY_SID'],
  TWILIO_API_SECRET: ['TWILIO_API_KEY_SECRET'],
  TWILIO_CHAT_SERVICE_SID: ['TWILIO_CONVERSATIONS_SERVICE_SID', 'TWILIO_SERVICE_SID'],
};

const DATABASE_URL = z
  .string()
  .refine((text) => parseLocation(text) !== null)
  .default('sqlite:./data/server.db')
  .describe(LOCATION_FORMS);

const PRIVATE_KEYS = { APP_PRIVATE_KEY: seed(), LOG_PRIVATE_KEY: seed() };

const EARLIER_APP_KEYS = z
  .string()
  .transform((text) => list(text).map(decoded))
  .refine((keys) => keys.every((key) => key.length === 32))
  .default([])
  .describe('expected public keys, 32 bytes in base64url, separated by commas');

// The description of each variable is what its owner reads when it is wrong.
const Variables = z.object({
  TWILIO_ACCOUNT_SID: sid('AC'),
  TWILIO_API_KEY: sid('SK'),
  TWILIO_API_SECRET: z
    .string()
    .regex(/^[\x21-\x7e]{16,256}$/)
    .describe('expected the secret of the API key: 16 to 256 characters without spaces'),
  TWILIO_CHAT_SERVICE_SID: sid('IS'),
  TWILIO_PUSH_CREDENTIAL_SID: sid('CR').optional().describe('expected CR and 32 hex digits'),
  TWILIO_REGION: z
    .string()
    .regex(/^[a-z]{2}\d{1,2}$/)
    .optional()
    .describe('expected a region of Twilio such as ie1'),
  TWILIO_TOKEN_TTL: z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .refine((seconds) => seconds >= 60 && seconds <= 86_400)
    .optional()
    .describe('expected seconds, 60 to 86400'),
  TWILIO_AUTH_TOKEN: z
    .string()
    .regex(/^[0-9a-zA-Z]{32}$/)
    .optional()
    .describe('expected the auth token of the account: 32 hex digits'),
  WEBHOOK_URL: z
    .string()
    .refine(isWebhookUrl)
    .optional()
    .describe('expected the URL that Twilio calls, which needs TWILIO_AUTH_TOKEN'),
  DATABASE_URL,
  // Not needed where somebody else signs.
  APP_PRIVATE_KEY: optional(PRIVATE_KEYS.APP_PRIVATE_KEY),
  LOG_PRIVATE_KEY: optional(PRIVATE_KEYS.LOG_PRIVATE_KEY),
  EARLIER_APP_KEYS,
  SESSION_SECRET: z
    .string()
    .transform(decoded)
    .refine((bytes) => bytes.length >= 32)
    .describe('expected at least 32 random bytes in base64url'),
  ...AUTH_VARIABLES,
  PORT: z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .refine((port) => port < 65536)
    .default(3000)
    .describe('expected a port number, 0 to 65535'),
  BIND_ADDRESS: z
    .string()
    .refine((text) => isIP(text) !== 0)
    .optional()
    .describe('expected an IP address of this machine, such as 127.0.0.1'),
  ORIGIN: z
    .string()
    .refine(isOrigin)
    .describe('expected an origin such as https://chat.example, without a path'),
  CORS_ORIGINS: z
    .string()
    .transform(list)
    .refine((origins) => origins.every(isOrigin))
    .default([])
    .describe('expected origins such as https://chat.example, separated by commas'),
  TRUST_PROXY: z
    .string()
    .refine(isTrustProxy)
    .transform(trustProxy)
    .default(false)
    .describe('expected a number of proxies, or their addresses or subnets separated by commas'),
  METRICS_TOKEN: z
    .string()
    .regex(/^[\w.-]{32,256}$/)
    .optional()
    .describe('expected 32 to 256 letters, digits and . _ -, as 32 random bytes in base64url'),
  SHUTDOWN_DELAY: z
    .string()
    .regex(/^\d{1,3}$/)
    .transform(Number)
    .refine((seconds) => seconds <= 300)
    .default(0)
    .describe('expected seconds, 0 to 300'),
});

/**
 * Reads the configuration from an environment, and the files that hold its secrets (`<name>_FILE`).
 *
 * @param signers - whoever signs instead of a private key, which must not be given too then
 * @throws ConfigError naming every variable that is wrong, never a value
 */
export function readConfig(environment: Environment, signers: Signers = {}): Config {
  const { values, conflicts } = resolve(environment);
  const parsed = Variables.safeParse(values);
  const given = new Set(Object.keys(values));
  const names = authProblems(given, values['AUTH']);
  if (given.has('WEBHOOK_URL') && !given.has('TWILIO_AUTH_TOKEN')) names.push('TWILIO_AUTH_TOKEN');
  const missing = names.map(problemOf);
  const wrong = parsed.success ? [] : describeIssues(parsed.error);
  const keys = [...keyProblems(values, signers), ...sharedSecrets(values)];
  const problems = distinct([...conflicts, ...wrong, ...missing, ...keys]);
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);

  const appKey = signers.app ?? parsed.data.APP_PRIVATE_KEY;
  const logKey = signers.log ?? parsed.data.LOG_PRIVATE_KEY;
  if (!appKey || !logKey) throw new Error('A key is missing');
  return freeze(parsed.data, appKey, logKey);
}

/** One key in one place, and two keys. */
function keyProblems(values: Environment, { app, log }: Signers): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const [name, signer] of [
    ['APP_PRIVATE_KEY', app] as const,
    ['LOG_PRIVATE_KEY', log] as const,
  ]) {
    if (signer && values[name] !== undefined) {
      problems.push({ name, expected: 'expected nothing: a signer has the key' });
    }
    if (!signer && values[name] === undefined) problems.push(problemOf(name));
  }
  if (app && log && Buffer.from(app.publicKey).equals(log.publicKey)) {
    const expected = 'expected another key than APP_PRIVATE_KEY';
    problems.push({ name: 'LOG_PRIVATE_KEY', expected });
  }
  return problems;
}

/** What was made for one purpose and is used for two is known to all that know it for either. */
function sharedSecrets(values: Environment): ConfigProblem[] {
  const secrets = SECRETS.filter((name) => values[name] !== undefined);
  return secrets.flatMap((name, index) => {
    const other = secrets.slice(0, index).find((each) => values[each] === values[name]);
    return other === undefined ? [] : [{ name, expected: `expected another value than ${other}` }];
  });
}

/** Without the variables that are missing because something is wrong with their files. */
function distinct(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  return problems.filter(({ name }) => problems.every((one) => one.name !== `${name}_FILE`));
}

/**
 * Reads only where the database is, for commands that need nothing else.
 *
 * @throws ConfigError
 */
export function readDatabaseUrl(environment: Environment): string {
  return read(z.object({ DATABASE_URL }), environment).DATABASE_URL;
}

/** Keys for commands that work on the database without a server. */
export type Keys = Pick<Config, 'appKey' | 'logKey' | 'earlierAppKeys'>;

/**
 * Reads only the keys, for commands that need no more.
 *
 * @throws ConfigError
 */
export function readKeys(environment: Environment): Keys {
  const keys = read(z.object({ ...PRIVATE_KEYS, EARLIER_APP_KEYS }), environment);
  return {
    appKey: keys.APP_PRIVATE_KEY,
    logKey: keys.LOG_PRIVATE_KEY,
    earlierAppKeys: keys.EARLIER_APP_KEYS,
  };
}

function read<T>(schema: z.ZodObject<z.ZodRawShape> & z.ZodType<T>, environment: Environment): T {
  const { values, conflicts } = resolve(environment);
  const parsed = schema.safeParse(values);
  const files = conflicts.filter(({ name }) => name.replace(/_FILE$/, '') in schema.shape);
  if (parsed.success && files.length === 0) return parsed.data;
  const wrong = parsed.success ? [] : describeIssues(parsed.error);
  throw new ConfigError(distinct([...files, ...wrong]));
}

function freeze(
  variables: z.output<typeof Variables>,
  appKey: KeySource,
  logKey: KeySource,
): Config {
  const push = variables.TWILIO_PUSH_CREDENTIAL_SID;
  const { TWILIO_REGION: region, TWILIO_TOKEN_TTL: ttl } = variables;
  return Object.freeze({
    twilio: Object.freeze({
      accountSid: variables.TWILIO_ACCOUNT_SID,
      apiKey: variables.TWILIO_API_KEY,
      apiSecret: variables.TWILIO_API_SECRET,
      serviceSid: variables.TWILIO_CHAT_SERVICE_SID,
      ...(push === undefined ? {} : { pushCredentialSid: push }),
      ...(region === undefined ? {} : { region }),
      ...(ttl === undefined ? {} : { ttl }),
    }),
    databaseUrl: variables.DATABASE_URL,
    appKey,
    logKey,
    earlierAppKeys: Object.freeze(variables.EARLIER_APP_KEYS),
    sessionSecret: variables.SESSION_SECRET,
    auth: authConfig(variables),
    webhook: webhook(variables),
    port: variables.PORT,
    bindAddress: variables.BIND_ADDRESS,
    origin: variables.ORIGIN,
    corsOrigins: Object.freeze(variables.CORS_ORIGINS),
    trustProxy: Object.freeze(variables.TRUST_PROXY),
    metricsToken: variables.METRICS_TOKEN ?? null,
    shutdownDelay: variables.SHUTDOWN_DELAY * 1000,
  });
}

function webhook({ TWILIO_AUTH_TOKEN, WEBHOOK_URL, ORIGIN }: z.output<typeof Variables>) {
  if (TWILIO_AUTH_TOKEN === undefined) return null;
  const url = WEBHOOK_URL ?? `${ORIGIN}/v1/webhooks/twilio`;
  return Object.freeze({ authToken: TWILIO_AUTH_TOKEN, url });
}

/** An empty variable counts as a missing one: that is how `.env` files leave things open. */
function resolve(environment: Environment) {
  const secrets = readSecretFiles(environment);
  const values = new Map(
    Object.entries(secrets.values).filter(([, value]) => value !== undefined && value !== ''),
  );
  const conflicts: ConfigProblem[] = [...secrets.problems];
  for (const [name, aliases] of Object.entries(ALIASES)) {
    const given = [name, ...aliases].filter((each) => values.has(each));
    const different = new Set(given.map((each) => values.get(each)));
    if (different.size > 1) {
      conflicts.push({ name, expected: `expected the same value in ${given.join(' and ')}` });
    }
    const value = given[0] === undefined ? undefined : values.get(given[0]);
    if (value !== undefined) values.set(name, value);
  }
  return { values: Object.fromEntries(values), conflicts };
}

function describeIssues(error: z.ZodError): ConfigProblem[] {
  const names = new Set(error.issues.map((issue) => String(issue.path[0])));
  return [...names].map(problemOf);
}

function problemOf(name: string): ConfigProblem {
  const shape = new Map<string, z.ZodType>(Object.entries(Variables.shape));
  const aliases = new Map(Object.entries(ALIASES)).get(name);
  const also = aliases === undefined ? '' : ` (also read from ${aliases.join(', ')})`;
  return { name, expected: `${shape.get(name)?.description ?? 'expected a value'}${also}` };
}

function sid(prefix: string) {
  return z
    .string()
    .regex(new RegExp(`^${prefix}[0-9a-fA-F]{32}$`))
    .describe(`expected ${prefix} and 32 hex digits`);
}

function optional<T extends z.ZodType>(schema: T) {
  return schema.optional().describe(schema.description ?? '');
}

function seed() {
  return z
    .string()
    .transform(decoded)
    .refine((bytes) => bytes.length === 32)
    .describe('expected an Ed25519 seed, 32 bytes in base64url; `keygen` makes one');
}

/** Nothing at all for what is not base64url, so that the length check refuses it. */
function decoded(text: string): Bytes {
  return base64url.decode(text) ?? new Uint8Array();
}

function list(text: string): string[] {
  return text.split(',').map((item) => item.trim());
}

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

function isWebhookUrl(text: string): boolean {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return false;
  const { username, password, hash } = new URL(text);
  return username === '' && password === '' && hash === '';
}

function isTrustProxy(text: string): boolean {
  if (/^\d+$/.test(text)) return Number(text) <= 10;
  return list(text).every((item) => {
    if (['loopback', 'linklocal', 'uniquelocal'].includes(item)) return true;
    const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(item) ?? [];
    const version = isIP(address);
    return version !== 0 && Number(bits ?? 0) <= (version === 4 ? 32 : 128);
  });
}

function trustProxy(text: string): false | number | string[] {
  if (/^\d+$/.test(text)) return Number(text) === 0 ? false : Number(text);
  return list(text);
}

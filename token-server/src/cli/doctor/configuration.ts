import { statSync } from 'node:fs';
import { base64url, isEncryptionError } from 'twilio-chat-encryption/protocol';
import { readConfig, readKeys, type Config } from '../../config.ts';
import { ConfigError, type Environment } from '../../environment.ts';
import { publicKeysOf } from '../../domain/public-keys.ts';
import { secretFiles } from '../../secret-files.ts';
import { failed, ok, warning, type Check } from './check.ts';

/** Checks all variables, each by itself and then together. */
export function checkConfiguration(environment: Environment): readonly Check[] {
  let config: Config;
  try {
    config = readConfig(environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ name, expected }) =>
      failed(name, environment[name] ? 'It is not as it has to be.' : 'It is not set.', expected),
    );
  }
  return [
    ok('configuration', 'All variables are there, in their form.'),
    ...checkTwilio(config),
    ...checkSecrets(config),
    ...checkOrigins(config),
    ...checkProxy(config),
  ];
}

/** Checks that nobody else reads the file that holds the keys. */
export function checkEnvFile(file: string): readonly Check[] {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  // What Windows says of modes means nothing.
  if (mode === undefined || process.platform === 'win32') return [];
  if ((mode & 0o077) === 0) return [ok(file, 'Only its owner may read it.')];
  return [warning(file, 'Others may read the keys in it.', `chmod 600 ${file}`)];
}

/** Checks that not everybody reads a secret's file. A group may be how it is handed over. */
export function checkSecretFiles(environment: Environment): readonly Check[] {
  return secretFiles(environment).flatMap(([name, file]) => {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode;
    if (mode === undefined || process.platform === 'win32' || (mode & 0o007) === 0) return [];
    return [warning(`${name}_FILE`, 'Everybody may read the secret in it.', `chmod o= ${file}`)];
  });
}

/** Says what clients pin, for a comparison with the application's configuration. */
export async function checkPins(environment: Environment): Promise<readonly Check[]> {
  try {
    const { appKeys, logKey } = await publicKeysOf(readKeys(environment));
    const [appKey, ...earlier] = appKeys.map(({ publicKey }) => base64url.encode(publicKey));
    // Not printed: somebody may have written the private one there.
    const before = earlier.length === 0 ? '' : `, and ${earlier.length} of EARLIER_APP_KEYS`;
    return [
      ok('appKey', `The application pins ${appKey}${before}.`),
      ok('logKey', `The application pins ${base64url.encode(logKey.publicKey)}.`),
    ];
  } catch (error) {
    // The configuration's checks tell it.
    if (error instanceof ConfigError) return [];
    if (!isEncryptionError(error, 'INVALID_KEY')) throw error;
    const fix = 'Give public keys, as `keygen` and `doctor` print them.';
    return [failed('EARLIER_APP_KEYS', 'One of them is no public key.', fix)];
  }
}

/** The forms of Twilio's credentials were checked; these are mistakes that have the right form. */
function checkTwilio({ twilio }: Config): readonly Check[] {
  const { apiSecret } = twilio;
  const about = 'TWILIO_API_SECRET';
  const fix = 'Make an API key in the Twilio console; its secret is shown once, with it.';
  if (/^(AC|SK|IS|CR)[0-9a-f]{32}$/i.test(apiSecret)) {
    return [failed(about, 'It is the SID of something, and no secret.', fix)];
  }
  if (/^[0-9a-f]{32}$/.test(apiSecret)) {
    const what =
      'It looks like the auth token of the account: secrets of API keys have other letters.';
    return [warning(about, what, fix)];
  }
  return [ok('Twilio', 'The SIDs have their prefixes and lengths. Twilio itself was not asked.')];
}

function checkSecrets(config: Config): readonly Check[] {
  const { appKey, logKey, sessionSecret } = config;
  const bytes: Record<string, Uint8Array> = {
    ...(appKey instanceof Uint8Array && { APP_PRIVATE_KEY: appKey }),
    ...(logKey instanceof Uint8Array && { LOG_PRIVATE_KEY: logKey }),
    SESSION_SECRET: sessionSecret,
  };
  const weak = Object.entries(bytes)
    // Of 32 random bytes, fewer than 16 are different once in 10 to the 17.
    .filter(([, value]) => new Set(value).size < 16)
    .map(([name]) => failed(name, 'It is not random.', 'Let `init` or `keygen` make it.'));
  return weak.length > 0 ? weak : [ok('keys', 'The keys are random, and each has one purpose.')];
}

function checkOrigins({ origin, corsOrigins }: Config): readonly Check[] {
  const checks: Check[] = [];
  for (const [name, one] of [
    ['ORIGIN', origin] as const,
    ...corsOrigins.map((each) => ['CORS_ORIGINS', each] as const),
  ]) {
    if (one.startsWith('https:') || isLocal(one)) continue;
    const what = `Pages of ${one} have no keys: browsers give them to https and to localhost only.`;
    const fix =
      name === 'ORIGIN'
        ? 'Choose the address with https before anybody signs up: later it locks everybody out.'
        : 'Serve the page over https.';
    checks.push(warning(name, what, fix));
  }
  const cors =
    corsOrigins.length === 0
      ? `Only pages of the server's own origin may call it.`
      : `Pages of ${corsOrigins.join(', ')} may call it, and those of the server's own origin.`;
  return [...checks, ok('CORS_ORIGINS', cors)];
}

function checkProxy({ origin, trustProxy }: Config): readonly Check[] {
  if (trustProxy === false) {
    if (!origin.startsWith('https:')) {
      return [ok('TRUST_PROXY', 'Clients connect directly, and are counted by their addresses.')];
    }
    const what = 'ORIGIN has https, which a proxy gives, and all who come through it count as one.';
    const fix =
      'Set TRUST_PROXY=1 behind one proxy, or its address, so that limits tell clients apart.';
    return [warning('TRUST_PROXY', what, fix)];
  }
  const whose = typeof trustProxy === 'number' ? `${trustProxy} proxies` : trustProxy.join(', ');
  const what = `Addresses of clients are those that ${whose} tell. Nobody else may reach the port.`;
  return [ok('TRUST_PROXY', what)];
}

function isLocal(origin: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|.*\.localhost)$/.test(new URL(origin).hostname);
}

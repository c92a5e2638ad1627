/** What a device is opened with, and that it is what it has to be. */
import {
  checkBoolean,
  checkMethods,
  invalidArgument,
  kindOf,
  passwordArgument,
  textArgument,
} from '../arguments.ts';
import { CARD_LIMITS } from '../protocol/card.ts';
import { curves, type VerifyingKey } from '../protocol/curves.ts';
import { isPlainText, parseIdentity, type Identity } from '../protocol/identifiers.ts';
import { base64url } from '../protocol/primitives.ts';
import { httpDirectory, type Directory } from './directory.ts';
import { guardedDirectory, guardedKeyStore } from './guarded.ts';
import type { KeyStore } from './key-store.ts';
import { checkedChoice, type RecipientChoice } from './recipient-policy.ts';

/** What a device is opened with, chats or not. */
export interface DeviceOptions {
  /** Whose device it is: the identity of the Twilio access token. */
  readonly identity: string;
  /**
   * The token server's URL (https, or http on localhost; without a query, a fragment or a password),
   * or a directory of another kind.
   */
  readonly server: string | URL | Directory;
  /**
   * Gives the session token for the server, within 15 seconds; called again when it was refused.
   * Needed with a URL.
   */
  readonly authorize?: () => Promise<string>;
  /**
   * The application's public keys (base64url, 32 bytes each), from the application's own
   * configuration. Cards that none of them approved are not accepted. Their order does not matter.
   */
  readonly appKey: string | readonly string[];
  /**
   * The public key of the token server's log (base64url, 32 bytes), from the application's own
   * configuration. Cards that this log does not prove are not accepted. Several while one log takes the
   * place of another, the newest first: a device that has seen one does not go back.
   */
  readonly logKey: string | readonly string[];
  /**
   * The public keys of logs that ended. Messages of their time carry their heads, and are `MALFORMED`
   * without; nothing else is taken from these logs. Default: none.
   */
  readonly earlierLogKeys?: readonly string[];
  /** Where the sealed key is kept. Devices of one identity that share it are one device. */
  readonly keyStore: KeyStore;
  /** Protects the key at rest, with Argon2id. */
  readonly password: string;
  /** The device's name on its card, for people; 1 to 256 characters. */
  readonly device?: string;
  /**
   * What happens before somebody gets messages of this device in a channel for the first time.
   * Default `'notify'`. A function is asked while the message waits, and with it all that this device
   * sends in that channel: it must not send there itself.
   */
  readonly recipients?: RecipientChoice;
  /**
   * Suite 2: messages are encrypted with X-Wing (ML-KEM-768 and X25519), so that what is recorded
   * today stays secret from a quantum computer. Set it for everybody or nobody: a device that has it
   * sends nothing to a channel with members who do not (`MEMBER_WITHOUT_POST_QUANTUM_KEY` names
   * them), and gives no message to their devices that were made without. Decided for good when the
   * device's card is made: `true` on a card without is `INVALID_ARGUMENT`, and a card that has the
   * key goes on using it when the option is gone. 1156 bytes for each card instead of 36, and 7 KB
   * of code, loaded when it is used.
   */
  readonly postQuantum?: boolean;
  /**
   * After how many days, 1 to 3650, the device's keys are replaced: when it is opened then, if the server
   * answers. Others trust the new card because the old one vouches for it. Default: never.
   */
  readonly rotateAfterDays?: number;
  /**
   * For how many days, 1 to 3650, the device keeps keys that were replaced, to read what was encrypted for
   * them. Later, at an opening, they are deleted, and such messages are `KEY_DELETED`. Default: for ever.
   */
  readonly keepKeysDays?: number;
}

/** Options that were checked. */
export interface CheckedOptions {
  readonly identity: Identity;
  readonly password: string;
  readonly keyStore: KeyStore;
  readonly directory: Directory;
  readonly appKeys: readonly VerifyingKey[];
  readonly logKeys: readonly VerifyingKey[];
  readonly earlierLogKeys: readonly VerifyingKey[];
  readonly device: string | undefined;
  readonly postQuantum: boolean;
  readonly recipients: RecipientChoice;
  /** In milliseconds; null: never. */
  readonly rotateAfter: number | null;
  /** In milliseconds; null: for ever. */
  readonly keepKeys: number | null;
}

const MILLISECONDS_A_DAY = 24 * 60 * 60_000;
const MAX_DAYS = 3650;

/**
 * Checks options.
 * @throws EncryptionError `INVALID_ARGUMENT`, `INVALID_IDENTITY`, `INVALID_KEY`
 */
export async function checkDeviceOptions(options: DeviceOptions): Promise<CheckedOptions> {
  const identity = parseIdentity(textArgument(options.identity, 'identity'));
  const password = passwordArgument(options.password);
  const { device, postQuantum = false, recipients } = options;
  checkName(device);
  checkBoolean(postQuantum, 'postQuantum');
  return {
    identity,
    password,
    device,
    postQuantum,
    recipients: checkedChoice(recipients === undefined ? 'notify' : recipients),
    rotateAfter: daysOf(options.rotateAfterDays, 'rotateAfterDays'),
    keepKeys: daysOf(options.keepKeysDays, 'keepKeysDays'),
    keyStore: checkKeyStore(options.keyStore),
    directory: checkDirectory(options),
    appKeys: await importKeys(options.appKey, APP_KEY),
    logKeys: await importKeys(options.logKey, LOG_KEY),
    earlierLogKeys:
      options.earlierLogKeys === undefined
        ? []
        : await importKeys(options.earlierLogKeys, EARLIER_LOG_KEYS, 0),
  };
}

function daysOf(days: unknown, name: string): number | null {
  if (days === undefined) return null;
  if (Number.isInteger(days) && Number(days) >= 1 && Number(days) <= MAX_DAYS) {
    return Number(days) * MILLISECONDS_A_DAY;
  }
  throw invalidArgument(`${name} must be a whole number of days, from 1 to ${MAX_DAYS}.`);
}

function checkName(device: unknown): void {
  if (device === undefined) return;
  const name = textArgument(device, 'device');
  if (name.length >= 1 && name.length <= CARD_LIMITS.text && isPlainText(name)) return;
  throw invalidArgument(
    `device must be a name of 1 to ${CARD_LIMITS.text} characters that can be shown.`,
  );
}

/**
 * The key store, whose errors are this library's.
 * @throws EncryptionError `INVALID_ARGUMENT`
 */
export function checkKeyStore(keyStore: KeyStore): KeyStore {
  checkMethods(
    keyStore,
    ['get', 'update', 'lock', 'clear'],
    'keyStore must be an IndexedDbKeyStore, a FileKeyStore, a MemoryKeyStore or another KeyStore',
  );
  return guardedKeyStore(keyStore);
}

/**
 * The directory, whose errors are this library's.
 * @throws EncryptionError `INVALID_ARGUMENT`
 */
export function checkDirectory(options: Pick<DeviceOptions, 'server' | 'authorize'>): Directory {
  return guardedDirectory(directoryOf(options));
}

function directoryOf({
  server,
  authorize,
}: Pick<DeviceOptions, 'server' | 'authorize'>): Directory {
  if (typeof server !== 'string' && !(server instanceof URL)) {
    checkMethods(
      server,
      ['publish', 'lookup', 'lookupAt', 'consistency', 'get', 'revoke'],
      'server must be the URL of a token server, or a Directory',
    );
    return server;
  }
  if (typeof authorize === 'function') return httpDirectory(String(server), authorize);
  throw invalidArgument(
    `authorize is needed with a server URL: a function that gives the session token, and is ${kindOf(authorize)}.`,
  );
}

const APP_KEY = "appKey must be the application's public key";
const LOG_KEY = "logKey must be the public key of the token server's log";
const EARLIER_LOG_KEYS = 'earlierLogKeys must be an array of public keys';

async function importKeys(keys: unknown, what: string, least = 1): Promise<VerifyingKey[]> {
  const texts: readonly unknown[] = [keys].flat();
  // All of them before any is imported: an import that nobody waits for must not reject.
  const decoded = texts.map((text) => {
    const bytes = typeof text === 'string' ? base64url.decode(text) : null;
    if (bytes?.length === 32) return bytes;
    throw invalidArgument(
      `${what}, base64url of 32 bytes (43 characters), or an array of such keys.`,
    );
  });
  if (decoded.length < least) throw invalidArgument(`${what}: at least one.`);
  const backEnd = await curves();
  return Promise.all(decoded.map((bytes) => backEnd.importVerifyingKey(bytes)));
}

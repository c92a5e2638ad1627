/** What applications open and hold. */
import { checkOptions, invalidArgument, kindOf, textArgument } from './arguments.ts';
import type { BackupState } from './client/backup.ts';
import type { SplitView } from './client/card-log.ts';
import type { Cards } from './client/cards.ts';
import type { BackupOptions } from './client/device-changes.ts';
import { hasDevice, removeDevice } from './client/device-keys.ts';
import {
  checkDeviceOptions,
  checkDirectory,
  checkKeyStore,
  type DeviceOptions,
} from './client/device-options.ts';
import { openDevice, type Device, type DeviceEvents } from './client/device.ts';
import { IndexedDbKeyStore } from './client/indexeddb-key-store.ts';
import type { KeyStore } from './client/key-store.ts';
import type { Keys } from './client/keys.ts';
import type { OwnDevice, RevokeOptions } from './client/own-devices.ts';
import type { TrustedCard } from './client/safety-numbers.ts';
import { loaded } from './loading.ts';
import {
  parseCardId,
  parseChannelSid,
  parseIdentity,
  type CardId,
  type Identity,
} from './protocol/identifiers.ts';
import type { SafetyNumber, SafetyNumberComparison } from './protocol/safety-number.ts';
import './twilio/chat/augment.ts';
import './twilio/conversations/augment.ts';
import { channelRule, checkChannels, type ChannelChoice } from './twilio/core/channel-rule.ts';
import { checkedNames } from './twilio/core/clear-attributes.ts';
import { wraps, type AnyChannel, type AnyClient } from './twilio/wrap.ts';

/** What {@link Encryption.open} needs to know. */
export interface EncryptionOptions extends Omit<DeviceOptions, 'keyStore'> {
  /**
   * Where the device's sealed key is kept. Default: IndexedDB, so in browsers only; in Node a
   * `FileKeyStore` of `twilio-chat-encryption/node`.
   */
  readonly keyStore?: KeyStore;
  /**
   * `'clear'` allows what only exists in the clear on Twilio: names and attributes of channels and
   * users, and attributes of members. Without it those calls are refused.
   */
  readonly metadata?: 'clear';
  /**
   * The names of message attributes that Twilio sees too, for webhooks and routing: where a message's
   * attributes are an object, its members of these names. Readers take them from the encrypted
   * message all the same. Default: none.
   */
  readonly clearAttributes?: readonly string[];
  /**
   * Which channels are encrypted. Default `'all'`; a function says so for each channel, by what
   * Twilio cannot change, such as a list of sids. In the others everything is as without this
   * library, and messages have the status `clear`. A channel that was encrypted once stays so:
   * sending to it rejects with `NOT_SUPPORTED_ENCRYPTED` if the function changes its mind.
   */
  readonly channels?: ChannelChoice;
}

/** What {@link Encryption.restore} needs to know. */
export interface RestoreOptions extends EncryptionOptions {
  /** The password of the backup. Default: `password`. */
  readonly backupPassword?: string;
}

/** A device with the keys of a backup. */
export interface RestoredEncryption {
  readonly encryption: Encryption;
  /** When the backup was made, by the clock of the device that made it. */
  readonly savedAt: Date;
  /**
   * Devices of this person whose keys were not in the backup, those that are not used any more among them:
   * it may be older than they are. What only they were sent cannot be read here.
   */
  readonly missing: readonly OwnDevice[];
}

/** An unlocked device: wraps Twilio's objects so that what goes through them is encrypted. */
export interface Encryption {
  /** Whose device it is. */
  readonly identity: string;
  /** The id of this device's card; another one after {@link Encryption.rotate}. */
  readonly cardId: CardId;
  /**
   * The client with everything that comes out of it encrypted and verified. The same client gives
   * the same wrapper.
   * @throws EncryptionError `INVALID_ARGUMENT` when it is no client, is signed in as somebody else,
   * or is wrapped already; `CLOSED`, `DEVICE_REMOVED`
   */
  wrapClient<C extends AnyClient>(client: C): C;
  /**
   * One channel or conversation, for an application that wraps no client. The same one gives the
   * same wrapper.
   * @throws EncryptionError `INVALID_ARGUMENT` when it is none, or is wrapped already; `CLOSED`,
   * `DEVICE_REMOVED`
   */
  wrapChannel<C extends AnyChannel>(channel: C): C;
  /** Key pairs beside the device's, for data outside of chats: the low-level API. */
  readonly keys: Keys;
  /** Cards for such keys, and other people's cards. */
  readonly cards: Cards;
  /**
   * Listens to what the application should tell its user: see {@link DeviceEvents}. What the listener
   * throws is an uncaught error, and stops nothing.
   * @throws EncryptionError `INVALID_ARGUMENT` for a name that is not among them, or without a function
   */
  on<Name extends keyof DeviceEvents>(
    name: Name,
    listener: (event: DeviceEvents[Name]) => void,
  ): void;
  /** Stops listening. Errors as {@link Encryption.on}. */
  off<Name extends keyof DeviceEvents>(
    name: Name,
    listener: (event: DeviceEvents[Name]) => void,
  ): void;
  /**
   * Trusts new cards of somebody, after the user compared them. If it is this very person, vouches for
   * these devices too, so that others trust them without being asked.
   * @param cardIds the `cardIds` of the event `keyChanged` or `ownCardUnknown` that the user was shown:
   * others, even if they were reported meanwhile, stay untrusted
   * @returns the ids that are trusted from now on; what was never reported is not
   * @throws EncryptionError `INVALID_ARGUMENT`, `INVALID_IDENTITY`, `CLOSED`, `DEVICE_REMOVED`,
   * `KEY_STORE_UNAVAILABLE`, `KEY_STORE_FULL`, `KEY_RECORD_DAMAGED`; of own devices also
   * `DIRECTORY_UNREACHABLE`, `DIRECTORY_REFUSED`, `UNAUTHORIZED`, `LOG_INVALID`, `LOG_STALE`,
   * `SPLIT_VIEW`, `CARD_INVALID`: they are trusted here,
   * and calling it again vouches for them
   */
  acknowledge(identity: string, cardIds: readonly string[]): Promise<readonly CardId[]>;
  /**
   * What you and somebody compare in person or by voice, so that both know that nobody stands between
   * you. Both see the same 60 digits, if both directories tell the same. It covers the devices of now,
   * yours and theirs, those that were not acknowledged among them; the directory is asked each time.
   * @throws EncryptionError `INVALID_ARGUMENT` for your own identity, `INVALID_IDENTITY`,
   * `MEMBER_WITHOUT_CARD`, `KEY_CHANGED` when your own name has a device that you did not acknowledge
   * here, `DIRECTORY_UNREACHABLE`, `DIRECTORY_REFUSED`, `UNAUTHORIZED`, `KEY_STORE_UNAVAILABLE`,
   * `KEY_RECORD_DAMAGED`, `CLOSED`, `DEVICE_REMOVED`
   */
  safetyNumber(identity: string): Promise<SafetyNumber>;
  /**
   * Compares the code that was scanned from somebody's screen with what this device has of both.
   * Marks nothing: after a `'match'`, {@link Encryption.markVerified} does.
   * @param scanned the text of the QR code that they show for you
   * @throws EncryptionError as {@link Encryption.safetyNumber}; `INVALID_ARGUMENT` when it is no such
   * code, `UNSUPPORTED_VERSION` when it is one of a newer version
   */
  compareSafetyNumber(identity: string, scanned: string): Promise<SafetyNumberComparison>;
  /**
   * Marks exactly the cards that a safety number covers, after the user compared it: their messages
   * have `trust: 'verified'` from then on, and they get messages, acknowledged before or not. A card
   * that is added later does not inherit the mark.
   * @param digits the `digits` that the user compared. If somebody has other devices by now, nothing is
   * marked
   * @returns the ids of the cards that are marked
   * @throws EncryptionError as {@link Encryption.safetyNumber}; `INVALID_ARGUMENT` when these are no
   * such digits, `SAFETY_NUMBER_CHANGED` when they are not those of the number of now
   */
  markVerified(identity: string, digits: string): Promise<readonly CardId[]>;
  /**
   * Somebody's devices, and how far each is trusted here; none when they have no card. From an answer
   * of the directory that is at most five minutes old. Who was never seen before is `'new'`, and pinned
   * by it.
   * @throws EncryptionError `INVALID_ARGUMENT`, `INVALID_IDENTITY`, and the others of
   * {@link Encryption.safetyNumber} but `MEMBER_WITHOUT_CARD` and `KEY_CHANGED`
   */
  trustOf(identity: string): Promise<readonly TrustedCard[]>;
  /**
   * Who got messages of this device in a channel so far.
   * @throws EncryptionError `INVALID_ARGUMENT` when it is no sid, `KEY_STORE_UNAVAILABLE`,
   * `KEY_RECORD_DAMAGED`
   */
  recipients(channelSid: string): Promise<readonly Identity[]>;
  /**
   * The evidence that the token server showed different people different logs, if it did: two heads
   * that the log's key signed, for whoever runs the server.
   * @throws EncryptionError `KEY_STORE_UNAVAILABLE`, `KEY_RECORD_DAMAGED`
   */
  splitView(): Promise<SplitView | null>;
  /**
   * This person's devices, as the log has them now, those that are not used any more among them.
   * @throws EncryptionError `DIRECTORY_UNREACHABLE`, `DIRECTORY_REFUSED`, `UNAUTHORIZED`, `LOG_INVALID`,
   * `LOG_STALE`, `SPLIT_VIEW`, `CLOSED`, `DEVICE_REMOVED`, `KEY_STORE_UNAVAILABLE`, `KEY_STORE_FULL`,
   * `KEY_RECORD_DAMAGED`
   */
  devices(): Promise<readonly OwnDevice[]>;
  /**
   * Ends a device of this person, this one or another. From their next messages on nobody encrypts for
   * it, and what it sends is `CARD_REVOKED`. What it sent before stays readable, and `sender.revoked` says
   * so. It cannot be undone: the device needs a new key.
   * @param options `compromisedSince`: since when somebody else may have its key. Devices that it vouched
   * for since then are then as unknown as before, this one perhaps among them
   * @throws EncryptionError `INVALID_ARGUMENT`, `CARD_NOT_FOUND` when it is not one of this person's, and
   * those of {@link Encryption.devices}
   */
  revoke(cardId: string, options?: RevokeOptions): Promise<void>;
  /**
   * Gives this device new keys and a new card, for which the old one vouches: others trust it without
   * being asked. What was encrypted for the old keys stays readable, see `keepKeysDays`. In other tabs
   * the device is `replaced`. A backup does not have the new keys until {@link Encryption.backup}.
   * @param password of this device: the keys are sealed under it
   * @returns the id of the new card
   * @throws EncryptionError `INVALID_ARGUMENT`, `WRONG_PASSWORD`, `DEVICE_BUSY`, `DEVICE_REVOKED`,
   * `OWN_CARD_INVALID`, `KEY_STORE_FULL`, and those of
   * {@link Encryption.devices}. If the server did not answer, the next call or opening goes on with it
   */
  rotate(password: string): Promise<CardId>;
  /**
   * Seals the keys of this device under another password. The backup, and other devices, keep theirs. Who
   * copied the old record can still open it with the old password: {@link Encryption.rotate}, too, then.
   * @throws EncryptionError `INVALID_ARGUMENT`, `WRONG_PASSWORD`, `DEVICE_BUSY`, `CLOSED`,
   * `DEVICE_REMOVED`, `KEY_STORE_UNAVAILABLE`, `KEY_STORE_FULL`, `KEY_RECORD_DAMAGED`: it is as before
   */
  changePassword(currentPassword: string, newPassword: string): Promise<void>;
  /**
   * Adds the keys of this device to this person's backup, which the server keeps and cannot open. It is
   * read back and opened before this resolves. Takes some seconds of computing. Whoever loses the password
   * loses the backup: nobody can open it, or set another password.
   * @param password of the backup: the one that it was made with, if there is one
   * @param options `currentPassword` of this device, if it is another one; `formerPassword` of the backup so
   * far, if it is to have another one
   * @throws EncryptionError `INVALID_ARGUMENT`, `WRONG_PASSWORD` of the device or of the backup so far, as
   * `passwordOf` says, `BACKUP_ROLLED_BACK`,
   * `BACKUP_CHANGED`, `BACKUP_TOO_LARGE`, `DIRECTORY_UNREACHABLE`, `DIRECTORY_REFUSED`, `UNAUTHORIZED`,
   * `CLOSED`, `DEVICE_REMOVED`, `DEVICE_BUSY`, `KEY_STORE_UNAVAILABLE`, `KEY_STORE_FULL`,
   * `POST_QUANTUM_UNAVAILABLE`, `KEY_RECORD_DAMAGED`: the backup is as before,
   * or the server says otherwise
   */
  backup(password: string, options?: BackupOptions): Promise<void>;
  /**
   * Removes this person's backup, such as one whose password is lost.
   * @throws EncryptionError `BACKUP_CHANGED`, `DIRECTORY_UNREACHABLE`, `DIRECTORY_REFUSED`,
   * `UNAUTHORIZED`, `CLOSED`, `DEVICE_REMOVED`
   */
  removeBackup(): Promise<void>;
  /**
   * What this device knows of the backup that the server has now, without opening it; null when there is
   * none.
   * @throws EncryptionError `INVALID_ARGUMENT` for a directory without backups, `DIRECTORY_UNREACHABLE`,
   * `DIRECTORY_REFUSED`, `UNAUTHORIZED`, `CLOSED`, `DEVICE_REMOVED`, `KEY_STORE_UNAVAILABLE`,
   * `KEY_RECORD_DAMAGED`
   */
  backupState(): Promise<BackupState | null>;
  /**
   * Deletes the keys of this device and all that it remembers, and closes it: what only it could read is
   * lost. Saved key pairs stay, see `keys.delete`. The server is not told; {@link Encryption.revoke} before
   * it keeps others from encrypting for this device.
   * @throws EncryptionError `CLOSED`, `DEVICE_REMOVED`, `DEVICE_BUSY`, `KEY_STORE_UNAVAILABLE`
   */
  cleanup(): Promise<void>;
  /** Forgets the keys; sending rejects with `CLOSED` from then on, and no more messages arrive. */
  close(): void;
}

/** See {@link Encryption.open}. */
export const Encryption = {
  /**
   * Opens this device's encryption. At the first run it makes the key pair, seals it under the
   * password and has its card approved and published; later it unlocks the key.
   * @throws EncryptionError `INVALID_ARGUMENT`, `INVALID_IDENTITY`, `INVALID_KEY`,
   * `WRONG_PASSWORD`, `KEY_RECORD_DAMAGED`, `KEY_STORE_UNAVAILABLE`, `KEY_STORE_FULL`, `DEVICE_BUSY`, `OWN_CARD_INVALID`,
   * `DIRECTORY_UNREACHABLE`, `DIRECTORY_REFUSED`, `UNAUTHORIZED`, `LOG_KEY_UNKNOWN`, `DEVICE_REMOVED`,
   * `POST_QUANTUM_UNAVAILABLE`
   */
  async open(options: EncryptionOptions): Promise<Encryption> {
    checkOptions(options, Object.keys(OPTIONS), 'Encryption.open');
    const { checked, application } = await checkedOptions(options);
    return encryptionOf(await openDevice(checked), application);
  },

  /**
   * Opens this device's encryption with the keys of this person's backup, to read what other devices were
   * sent. If the device is new, one of the backup's cards that is still in use vouches for its card, so
   * that others trust it without being asked. Takes some seconds of computing.
   * @throws EncryptionError those of {@link Encryption.open}, and `INVALID_ARGUMENT` for a directory without
   * backups; `BACKUP_NOT_FOUND`; `WRONG_PASSWORD` of the backup or of the device, as `passwordOf` says;
   * `LOG_INVALID`, `LOG_STALE`, `SPLIT_VIEW`
   */
  async restore(options: RestoreOptions): Promise<RestoredEncryption> {
    const names = [...Object.keys(OPTIONS), 'backupPassword'];
    checkOptions(options, names, 'Encryption.restore');
    const { backupPassword = options.password, ...others } = options;
    const { checked, application } = await checkedOptions(others);
    const { restoreDevice } = await loaded(() => import('./client/restore.ts'));
    const { device, savedAt, missing } = await restoreDevice(checked, backupPassword);
    return { encryption: encryptionOf(device, application), savedAt, missing };
  },

  /**
   * Whether there is a device of this person in the key store, locked. Opens nothing, and asks nobody.
   * @param options `keyStore`: as for {@link Encryption.open}
   * @throws EncryptionError `INVALID_ARGUMENT`, `INVALID_IDENTITY`, `KEY_STORE_UNAVAILABLE`
   */
  async hasDevice(options: Pick<EncryptionOptions, 'identity' | 'keyStore'>): Promise<boolean> {
    checkOptions(options, ['identity', 'keyStore'], 'Encryption.hasDevice');
    const identity = parseIdentity(textArgument(options.identity, 'identity'));
    return hasDevice(identity, checkKeyStore(options.keyStore ?? defaultKeyStore()));
  },

  /**
   * Deletes the keys of this person's device from the key store without opening it, such as one whose
   * password is lost: the next opening makes a new device. What only the old one could read is lost, and
   * what it remembered stays, sealed, and opens to nobody. Where it is open, it ends (`deviceRemoved`). Its
   * card stays until another device, or the server's operator, revokes it.
   * {@link Encryption.cleanup} does the same for an open device, and leaves nothing.
   * @param options `keyStore`: as for {@link Encryption.open}
   * @throws EncryptionError `INVALID_ARGUMENT`, `INVALID_IDENTITY`, `DEVICE_BUSY`, `KEY_STORE_UNAVAILABLE`
   */
  async removeDevice(options: Pick<EncryptionOptions, 'identity' | 'keyStore'>): Promise<void> {
    checkOptions(options, ['identity', 'keyStore'], 'Encryption.removeDevice');
    const identity = parseIdentity(textArgument(options.identity, 'identity'));
    await removeDevice(identity, checkKeyStore(options.keyStore ?? defaultKeyStore()));
  },

  /**
   * Whether the server has a backup of whoever is signed in, for {@link Encryption.restore} on a new device.
   * @param options `server`, `authorize`: as for {@link Encryption.open}
   * @throws EncryptionError `INVALID_ARGUMENT`, also for a directory without backups;
   * `DIRECTORY_UNREACHABLE`, `DIRECTORY_REFUSED`, `UNAUTHORIZED`
   */
  async hasBackup(options: Pick<EncryptionOptions, 'server' | 'authorize'>): Promise<boolean> {
    checkOptions(options, ['server', 'authorize'], 'Encryption.hasBackup');
    const directory = checkDirectory(options);
    return (await loaded(() => import('./client/rare-parts.ts'))).hasBackup(directory);
  },
} as const;

/** What of the options is for the wrapper. */
type ApplicationOptions = Pick<EncryptionOptions, 'metadata'> & {
  readonly channels: ChannelChoice;
  readonly clearAttributes: readonly string[];
};

async function checkedOptions(options: EncryptionOptions) {
  const { keyStore = defaultKeyStore(), channels = 'all', metadata, ...others } = options;
  checkChannels(channels);
  checkMetadata(metadata);
  const clearAttributes = checkedNames(options.clearAttributes ?? []);
  const application: ApplicationOptions = {
    channels,
    clearAttributes,
    ...(metadata && { metadata }),
  };
  return { checked: await checkDeviceOptions({ ...others, keyStore }), application };
}

function encryptionOf(
  device: Device,
  { metadata, clearAttributes, channels }: ApplicationOptions,
): Encryption {
  const wrap = wraps({
    device,
    clearMetadata: metadata === 'clear',
    clearAttributes,
    rule: channelRule(device, channels),
  });
  const { rotate, changePassword, backup, removeBackup, backupState, cleanup } = device.changes;
  return Object.freeze<Encryption>({
    identity: device.identity,
    get cardId() {
      return device.card().id;
    },
    wrapClient(client) {
      device.checkOpen();
      return wrap.client(client);
    },
    wrapChannel(channel) {
      device.checkOpen();
      return wrap.channel(channel);
    },
    keys: device.keys,
    cards: device.cards,
    on(name, listener) {
      checkListener(name, listener);
      device.events.on(name, listener);
    },
    off(name, listener) {
      checkListener(name, listener);
      device.events.off(name, listener);
    },
    acknowledge: device.acknowledge,
    ...device.safetyNumbers,
    recipients: async (channelSid) => device.recipients(parseChannelSid(channelSid)),
    splitView: device.splitView,
    devices: device.devices.list,
    async revoke(cardId, options = {}) {
      checkOptions(options, ['compromisedSince'], 'revoke');
      await device.devices.revoke(parseCardId(cardId), options);
    },
    ...{ rotate, changePassword, backup, removeBackup, backupState, cleanup },
    close: device.close,
  });
}

const OPTIONS: Readonly<Record<keyof EncryptionOptions, true>> = {
  identity: true,
  server: true,
  authorize: true,
  appKey: true,
  logKey: true,
  earlierLogKeys: true,
  keyStore: true,
  password: true,
  device: true,
  metadata: true,
  clearAttributes: true,
  channels: true,
  recipients: true,
  postQuantum: true,
  rotateAfterDays: true,
  keepKeysDays: true,
};

const EVENTS: Readonly<Record<keyof DeviceEvents, true>> = {
  keyChanged: true,
  unconnectedCards: true,
  ownCardUnknown: true,
  recipientAdded: true,
  deviceRemoved: true,
  deviceRevoked: true,
  splitView: true,
  auditFailed: true,
};

// A listener that is never called is missed when it is too late.
function checkListener(name: unknown, listener: unknown): void {
  if (typeof name !== 'string' || !Object.hasOwn(EVENTS, name)) {
    const known = Object.keys(EVENTS).join(', ');
    const what = typeof name === 'string' ? name : kindOf(name);
    throw invalidArgument(`There is no such event: ${what}. There are ${known}.`);
  }
  if (typeof listener === 'function') return;
  throw invalidArgument(`The listener of ${name} must be a function, and is ${kindOf(listener)}.`);
}

function checkMetadata(metadata: unknown): void {
  if (metadata === undefined || metadata === 'clear') return;
  throw invalidArgument("metadata must be 'clear', or left out.");
}

function defaultKeyStore(): KeyStore {
  if ('indexedDB' in globalThis) return new IndexedDbKeyStore();
  throw invalidArgument(
    "keyStore is needed where there is no IndexedDB: in Node, a FileKeyStore of 'twilio-chat-encryption/node'.",
  );
}

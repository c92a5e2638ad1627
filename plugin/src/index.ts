/**
 * End-to-end encryption for Twilio chat.
 *
 *     const alice = await Encryption.open({ identity: 'alice', … });
 *     const client = alice.wrapClient(await Client.create(token));
 */
import type { Channel, Client } from 'twilio-chat';
import type { Cards } from './client/cards.ts';
import { openDevice, type DeviceEvents, type DeviceOptions } from './client/device.ts';
import { IndexedDbKeyStore } from './client/indexeddb-key-store.ts';
import type { KeyStore } from './client/key-store.ts';
import type { Keys } from './client/keys.ts';
import type { CardId } from './protocol/identifiers.ts';
import { EncryptionError } from './errors.ts';
import './twilio/chat/augment.ts';
import type { ChannelChoice } from './twilio/core/channel-rule.ts';
import { unwrappedOnly, wrappers } from './twilio/chat/wrappers.ts';

export type { Cards } from './client/cards.ts';
export type { ExportableCard } from './client/checked-cards.ts';
export type { OpenedBytes, SealedBytes } from './client/data-bytes.ts';
export type { DeviceEvents } from './client/device.ts';
export type { Directory } from './client/directory.ts';
export { IndexedDbKeyStore } from './client/indexeddb-key-store.ts';
export type { KeyPair } from './client/key-pair.ts';
export { MemoryKeyStore, type KeyStore } from './client/key-store.ts';
export type { Keys } from './client/keys.ts';
export type { Trust } from './client/pins.ts';
export type { ChannelChoice } from './twilio/core/channel-rule.ts';
export type {
  Anomaly,
  MessageEncryption,
  PendingCode,
  UnavailableCode,
} from './client/message-encryption.ts';
export {
  EncryptionError,
  isEncryptionError,
  type ErrorCode,
  type RejectionCode,
  type UsageCode,
} from './errors.ts';
export type { CardId, Identity, MessageId } from './protocol/identifiers.ts';
export { deriveAuthSecret } from './protocol/login.ts';

/** What {@link Encryption.open} needs to know. */
export interface EncryptionOptions extends Omit<DeviceOptions, 'keyStore'> {
  /**
   * Where the device's sealed key is kept. Default: IndexedDB, so in browsers only; in Node a
   * `FileKeyStore` of `twilio-chat-encryption/node`.
   */
  readonly keyStore?: KeyStore;
  /**
   * `'clear'` allows what only exists in the clear on Twilio: names and attributes of channels,
   * and attributes of members and users. Without it those calls are refused.
   */
  readonly metadata?: 'clear';
  /**
   * Which channels are encrypted. Default `'all'`; a function says so for each channel, by what
   * Twilio cannot change, such as a list of sids. In the others everything is as without this
   * library, and messages have the status `clear`. A channel that was encrypted once stays so:
   * sending to it rejects with `NOT_SUPPORTED_ENCRYPTED` if the function changes its mind.
   */
  readonly channels?: ChannelChoice;
}

/** An unlocked device: wraps Twilio's objects so that what goes through them is encrypted. */
export interface Encryption {
  /** Whose device it is. */
  readonly identity: string;
  /** The id of this device's card. */
  readonly cardId: CardId;
  /**
   * The client with everything that comes out of it encrypted and verified. The same client gives
   * the same wrapper.
   * @throws EncryptionError `INVALID_ARGUMENT` when the client is signed in as somebody else, or
   * wrapped already
   */
  wrapClient(client: Client): Client;
  /** One channel, for an application that wraps no client. */
  wrapChannel(channel: Channel): Channel;
  /** Key pairs beside the device's, for data outside of chats: the low-level API. */
  readonly keys: Keys;
  /** Cards for such keys, and other people's cards. */
  readonly cards: Cards;
  /** Listens to what the application should tell its user: see {@link DeviceEvents}. */
  on<Name extends keyof DeviceEvents>(
    name: Name,
    listener: (event: DeviceEvents[Name]) => void,
  ): void;
  /** Stops listening. */
  off<Name extends keyof DeviceEvents>(
    name: Name,
    listener: (event: DeviceEvents[Name]) => void,
  ): void;
  /**
   * Trusts new cards of somebody, after the user compared them.
   * @param cardIds the `cardIds` of the `keyChanged` event that the user was shown: others, even if
   * they were reported meanwhile, stay untrusted
   * @returns the ids that are trusted from now on; what `keyChanged` never reported is not
   */
  acknowledge(identity: string, cardIds: readonly string[]): Promise<readonly CardId[]>;
  /** Forgets the keys; sending rejects with `CLOSED` from then on, and no more messages arrive. */
  close(): void;
}

/** See {@link Encryption.open}. */
export const Encryption = {
  /**
   * Opens this device's encryption. At the first run it makes the key pair, seals it under the
   * password and has its card approved and published; later it unlocks the key.
   * @throws EncryptionError `INVALID_ARGUMENT`, `INVALID_IDENTITY`, `INVALID_KEY`,
   * `WRONG_PASSWORD`, `KEY_RECORD_DAMAGED`, `KEY_STORE_UNAVAILABLE`, `OWN_CARD_INVALID`,
   * `DIRECTORY_UNREACHABLE`, `DIRECTORY_REFUSED`, `UNAUTHORIZED`, `POST_QUANTUM_UNAVAILABLE`
   */
  async open(options: EncryptionOptions): Promise<Encryption> {
    checkNames(options);
    const { keyStore = new IndexedDbKeyStore(), channels = 'all', metadata } = options;
    const device = await openDevice({ ...options, keyStore });
    const wrap = wrappers(device, channels, metadata === 'clear');
    return {
      identity: device.identity,
      cardId: device.card.id,
      wrapClient: unwrappedOnly(wrap.client),
      wrapChannel: unwrappedOnly(wrap.channel),
      keys: device.keys,
      cards: device.cards,
      on: device.events.on,
      off: device.events.off,
      acknowledge: device.acknowledge,
      close: device.close,
    };
  },
} as const;

const OPTIONS: Readonly<Record<keyof EncryptionOptions, true>> = {
  identity: true,
  server: true,
  authorize: true,
  appKey: true,
  keyStore: true,
  password: true,
  device: true,
  metadata: true,
  channels: true,
  postQuantum: true,
};

// A policy that is misspelt, or not there yet, must not be believed to be in force.
function checkNames(options: EncryptionOptions): void {
  const unknown = Object.keys(options).filter((name) => !Object.hasOwn(OPTIONS, name));
  if (unknown.length === 0) return;
  throw new EncryptionError('INVALID_ARGUMENT', `Unknown options: ${unknown.join(', ')}.`);
}

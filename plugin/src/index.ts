/**
 * End-to-end encryption for Twilio chat.
 *
 *     const alice = await Encryption.open({ identity: 'alice', … });
 *     const client = alice.wrapClient(await Client.create(token));
 */
import { checkOptions, invalidArgument, kindOf } from './arguments.ts';
import type { SplitView } from './client/card-log.ts';
import type { Cards } from './client/cards.ts';
import { openDevice, type DeviceEvents, type DeviceOptions } from './client/device.ts';
import { IndexedDbKeyStore } from './client/indexeddb-key-store.ts';
import type { KeyStore } from './client/key-store.ts';
import type { Keys } from './client/keys.ts';
import type { TrustedCard } from './client/safety-numbers.ts';
import { parseChannelSid, type CardId, type Identity } from './protocol/identifiers.ts';
import type { SafetyNumber, SafetyNumberComparison } from './protocol/safety-number.ts';
import './twilio/chat/augment.ts';
import './twilio/conversations/augment.ts';
import { channelRule, checkChannels, type ChannelChoice } from './twilio/core/channel-rule.ts';
import { checkedNames } from './twilio/core/clear-attributes.ts';
import { wraps, type AnyChannel, type AnyClient } from './twilio/wrap.ts';

export type { SplitView } from './client/card-log.ts';
export type { Cards } from './client/cards.ts';
export type { ExportableCard } from './client/checked-cards.ts';
export type { OpenedBytes, SealedBytes } from './client/data-bytes.ts';
export type { DeviceEvents, DeviceOptions } from './client/device.ts';
export type { Directory } from './client/directory.ts';
export type { LogAnswer, LogSource } from './client/log-source.ts';
export { IndexedDbKeyStore } from './client/indexeddb-key-store.ts';
export type { DataSealer, Identified } from './client/data-sealer.ts';
export type { KeyPair, SavedKeyOptions } from './client/key-pair.ts';
export { MemoryKeyStore, type KeyStore } from './client/key-store.ts';
export type { KeyOptions, Keys } from './client/keys.ts';
export type { Trust } from './client/pins.ts';
export type { NewRecipients, RecipientChoice } from './client/recipient-policy.ts';
export type { TrustedCard } from './client/safety-numbers.ts';
export type { ChannelChoice, NamedChannel } from './twilio/core/channel-rule.ts';
export type { AnyChannel, AnyClient } from './twilio/wrap.ts';
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
export type { CardId, ChannelSid, Identity, MessageId } from './protocol/identifiers.ts';
export type { Card, CardSignature, CardSigner } from './protocol/card.ts';
export type { VerifyingKey } from './protocol/curves.ts';
export { deriveAuthSecret } from './protocol/login.ts';
export type { Bytes } from './protocol/primitives.ts';
export type { SafetyNumber, SafetyNumberComparison } from './protocol/safety-number.ts';

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

/** An unlocked device: wraps Twilio's objects so that what goes through them is encrypted. */
export interface Encryption {
  /** Whose device it is. */
  readonly identity: string;
  /** The id of this device's card. */
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
   * Trusts new cards of somebody, after the user compared them.
   * @param cardIds the `cardIds` of the `keyChanged` event that the user was shown: others, even if
   * they were reported meanwhile, stay untrusted
   * @returns the ids that are trusted from now on; what `keyChanged` never reported is not
   * @throws EncryptionError `INVALID_ARGUMENT`, `INVALID_IDENTITY`, `CLOSED`, `DEVICE_REMOVED`,
   * `KEY_STORE_UNAVAILABLE`, `KEY_RECORD_DAMAGED`
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
  /** Forgets the keys; sending rejects with `CLOSED` from then on, and no more messages arrive. */
  close(): void;
}

/** See {@link Encryption.open}. */
export const Encryption = {
  /**
   * Opens this device's encryption. At the first run it makes the key pair, seals it under the
   * password and has its card approved and published; later it unlocks the key.
   * @throws EncryptionError `INVALID_ARGUMENT`, `INVALID_IDENTITY`, `INVALID_KEY`,
   * `WRONG_PASSWORD`, `KEY_RECORD_DAMAGED`, `KEY_STORE_UNAVAILABLE`, `DEVICE_BUSY`, `OWN_CARD_INVALID`,
   * `DIRECTORY_UNREACHABLE`, `DIRECTORY_REFUSED`, `UNAUTHORIZED`, `LOG_INVALID`,
   * `POST_QUANTUM_UNAVAILABLE`
   */
  async open(options: EncryptionOptions): Promise<Encryption> {
    checkOptions(options, Object.keys(OPTIONS), 'Encryption.open');
    const { keyStore = defaultKeyStore(), channels = 'all', metadata } = options;
    checkChannels(channels);
    checkMetadata(metadata);
    const clearAttributes = checkedNames(options.clearAttributes ?? []);
    const device = await openDevice({ ...options, keyStore });
    const wrap = wraps({
      device,
      clearMetadata: metadata === 'clear',
      clearAttributes,
      rule: channelRule(device, channels),
    });
    return Object.freeze<Encryption>({
      identity: device.identity,
      cardId: device.card.id,
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
      close: device.close,
    });
  },
} as const;

const OPTIONS: Readonly<Record<keyof EncryptionOptions, true>> = {
  identity: true,
  server: true,
  authorize: true,
  appKey: true,
  logKey: true,
  keyStore: true,
  password: true,
  device: true,
  metadata: true,
  clearAttributes: true,
  channels: true,
  recipients: true,
  postQuantum: true,
};

const EVENTS: Readonly<Record<keyof DeviceEvents, true>> = {
  keyChanged: true,
  recipientAdded: true,
  deviceRemoved: true,
  splitView: true,
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

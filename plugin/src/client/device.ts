import {
  checkBoolean,
  checkMethods,
  invalidArgument,
  kindOf,
  passwordArgument,
  textArgument,
} from '../arguments.ts';
import { EncryptionError, isEncryptionError } from '../errors.ts';
import { CARD_LIMITS, type Card } from '../protocol/card.ts';
import { curves, type VerifyingKey } from '../protocol/curves.ts';
import {
  isPlainText,
  parseCardId,
  parseIdentity,
  type CardId,
  type Identity,
} from '../protocol/identifiers.ts';
import { base64url } from '../protocol/primitives.ts';
import { cardBook } from './card-book.ts';
import { cardLog, type CardLog, type SplitView } from './card-log.ts';
import { cards as cardTools, type Cards } from './cards.ts';
import { httpDirectory, type Directory } from './directory.ts';
import { emitter, type Emitter } from './emitter.ts';
import { keys, type Keys } from './keys.ts';
import type { KeyStore } from './key-store.ts';
import { guardedDirectory, guardedKeyStore } from './guarded.ts';
import { openOwnCard } from './own-card.ts';
import { encryptedChannels, type EncryptedChannels } from './encrypted-channels.ts';
import { incomingSessions } from './incoming-sessions.ts';
import { pins } from './pins.ts';
import { presence, removed } from './presence.ts';
import { random } from './random.ts';
import {
  checkedChoice,
  recipientPolicy,
  type NewRecipients,
  type RecipientChoice,
  type RecipientPolicy,
} from './recipient-policy.ts';
import { receiver, type Receiver } from './receiver.ts';
import { safetyNumbers, type SafetyNumbers } from './safety-numbers.ts';
import { sealedKeyStore } from './sealed-key-store.ts';
import { sender, type Sender } from './sender.ts';
import { suiteOf } from './suite.ts';

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
   * configuration. Cards that none of them approved are not accepted.
   */
  readonly appKey: string | readonly string[];
  /**
   * The public key of the token server's log (base64url, 32 bytes), from the application's own
   * configuration. Cards that this log does not prove are not accepted.
   */
  readonly logKey: string;
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
}

/** What a device reports. */
export interface DeviceEvents {
  /**
   * Somebody has cards that are not the ones first seen: a new device, or an impostor. They get no
   * messages until they are acknowledged.
   */
  readonly keyChanged: { readonly identity: Identity; readonly cardIds: readonly CardId[] };
  /** These people get messages of this device in this channel from now on, and did not before. */
  readonly recipientAdded: NewRecipients;
  /**
   * The device's key is not in the key store any more, or it is another one. This device is closed:
   * sending rejects with `DEVICE_REMOVED`, and no more messages arrive.
   */
  readonly deviceRemoved: { readonly identity: Identity };
  /**
   * The token server showed different people different logs, so that its cards may be forged. Nobody
   * is trusted at first sight from then on. The evidence is for whoever runs the server.
   */
  readonly splitView: SplitView;
}

/** An unlocked device: sends messages and judges what arrives. */
export interface Device extends Omit<Sender, 'sawOwn'>, Receiver {
  readonly identity: Identity;
  /** This device's approved card. */
  readonly card: Card;
  readonly events: Emitter<DeviceEvents>;
  /** The low-level API. */
  readonly keys: Keys;
  readonly cards: Cards;
  /** Trusts those of these cards that `keyChanged` reported; gives their ids. */
  readonly acknowledge: (
    identity: string,
    cardIds: readonly string[],
  ) => Promise<readonly CardId[]>;
  readonly safetyNumbers: SafetyNumbers;
  readonly encryptedChannels: EncryptedChannels;
  /** The evidence of two logs, if there were two. */
  readonly splitView: CardLog['splitView'];
  /** Who got messages of this device in a channel so far. */
  readonly recipients: RecipientPolicy['known'];
  /** Gives a new Twilio access token, if the directory has any. */
  readonly twilioToken: (() => Promise<string>) | null;
  /** Forgets the keys. Sending, judging and accepting throw `CLOSED` from then on. */
  readonly close: () => void;
  /** Throws `CLOSED` after `close()`, and `DEVICE_REMOVED` after the device was removed. */
  readonly checkOpen: () => void;
  /** Aborted by `close()`. */
  readonly closed: AbortSignal;
}

/**
 * Opens a device: unlocks its keys, or at the first run makes them, and publishes its card.
 * @throws EncryptionError `INVALID_ARGUMENT`, `INVALID_IDENTITY`, `INVALID_KEY`, and those of
 * {@link openOwnCard}
 */
export async function openDevice(options: DeviceOptions): Promise<Device> {
  const identity = parseIdentity(textArgument(options.identity, 'identity'));
  const password = passwordArgument(options.password);
  const { device, postQuantum = false } = options;
  checkName(device);
  checkBoolean(postQuantum, 'postQuantum');
  const recipients = checkedChoice(
    options.recipients === undefined ? 'notify' : options.recipients,
  );
  const keyStore = guardedKeyStore(checkedKeyStore(options.keyStore));
  const directory = guardedDirectory(directoryOf(options));
  const appKeys = await importAppKeys(options.appKey);
  const logKey = await importLogKey(options.logKey);
  const now = Date.now;
  const own = await openOwnCard({
    identity,
    password,
    keyStore,
    directory,
    appKeys,
    device,
    postQuantum,
    random,
    now,
  });
  const events = emitter<DeviceEvents>();
  const state = sealedKeyStore(keyStore, own.stateKey, random);
  const trust = pins(state, identity, (changed, cardIds) => {
    events.emit('keyChanged', { identity: changed, cardIds });
  });
  await trust.check(identity, [own.card]);
  const sessions = incomingSessions(state, own.card.id);
  const encrypted = encryptedChannels(state, own.card);
  const closing = new AbortController();
  let isRemoved = false;
  const { record } = own;
  const there = presence({
    keyStore,
    record,
    checkOpen: open,
    onRemoved() {
      if (closing.signal.aborted) return;
      isRemoved = true;
      close();
      events.emit('deviceRemoved', { identity });
    },
  });
  const kept = there.guard(state);
  const log = cardLog({
    directory,
    keyStore: kept,
    logKey,
    appKeys,
    identity,
    now,
    onSplitView(evidence) {
      events.emit('splitView', evidence);
    },
    // A card in this name that this device does not know is reported as everybody's new cards are.
    async onOwnHistory(history) {
      const live = history.cards.filter(({ status }) => status === 'live');
      await trust.check(identity, [own.card, ...live.map(({ card }) => card)]);
    },
  });
  const source = {
    lookUp: (people: readonly Identity[]) => log.lookUp(people),
    get: (id: CardId) => directory.get(id),
  };
  const cards = cardBook(source, appKeys, now);
  const policy = recipientPolicy(kept, own.card, recipients, (added) => {
    events.emit('recipientAdded', added);
  });
  const context = { own, keyStore: kept, cards, log, pins: trust, encrypted, policy, random, now };
  // Dropped by close(): with them go the only references to the private keys.
  const sending = sender({ ...context, keepSession: sessions.keep });
  const receiving = receiver({ ...context, sessions, sawOwn: sending.sawOwn });
  let parts: (Sender & Receiver) | null = { ...sending, ...receiving };

  function open(): Sender & Receiver {
    if (parts) return parts;
    if (isRemoved) throw removed();
    throw new EncryptionError('CLOSED', 'This device was closed. Open it again.');
  }

  function close(): void {
    parts = null;
    closing.abort();
  }

  await seeLog(identity, log);

  return {
    identity,
    card: own.card,
    events,
    keys: keys({ keyStore, random, checkOpen: open, postQuantum: suiteOf(own.card) === 2 }),
    cards: cardTools({ cards, directory, appKeys, now, checkOpen: open }),
    send: async (...message) => open().send(...message),
    edit: async (...message) => open().edit(...message),
    judge: async (message) => open().judge(message),
    async accept(messages) {
      await there.check().catch((error: unknown) => {
        // A store that does not answer is told of each message.
        if (isEncryptionError(error, 'DEVICE_REMOVED')) throw error;
      });
      return open().accept(messages);
    },
    async acknowledge(who, cardIds) {
      const changed = parseIdentity(textArgument(who, 'identity'));
      if (!Array.isArray(cardIds)) {
        throw invalidArgument('cardIds must be an array: the cardIds of the event keyChanged.');
      }
      const ids = cardIds.map(parseCardId);
      await there.check();
      const acknowledged = await trust.acknowledge(changed, ids);
      // They get the very next message: whatever was known of this identity is asked again.
      cards.refresh(changed);
      return acknowledged;
    },
    safetyNumbers: safetyNumbers({ own, cards, pins: trust, check: there.check }),
    close,
    checkOpen: () => void open(),
    encryptedChannels: encrypted,
    splitView: () => log.splitView(),
    recipients: policy.known,
    twilioToken: directory.twilioToken ?? null,
    closed: closing.signal,
  };
}

function checkName(device: unknown): void {
  if (device === undefined) return;
  const name = textArgument(device, 'device');
  if (name.length >= 1 && name.length <= CARD_LIMITS.text && isPlainText(name)) return;
  throw invalidArgument(
    `device must be a name of 1 to ${CARD_LIMITS.text} characters that can be shown.`,
  );
}

function checkedKeyStore(keyStore: KeyStore): KeyStore {
  checkMethods(
    keyStore,
    ['get', 'update', 'lock'],
    'keyStore must be an IndexedDbKeyStore, a FileKeyStore, a MemoryKeyStore or another KeyStore',
  );
  return keyStore;
}

function directoryOf({ server, authorize }: DeviceOptions): Directory {
  if (typeof server !== 'string' && !(server instanceof URL)) {
    checkMethods(
      server,
      ['publish', 'lookup', 'lookupAt', 'consistency', 'get'],
      'server must be the URL of a token server, or a Directory',
    );
    return server;
  }
  if (typeof authorize === 'function') return httpDirectory(String(server), authorize);
  throw invalidArgument(
    `authorize is needed with a server URL: a function that gives the session token, and is ${kindOf(authorize)}.`,
  );
}

/**
 * Looks at the log once, so that this device has a head to send and to compare. Without the server a
 * device can still read; a log that another key signed is a wrong logKey, which nothing would mend.
 */
async function seeLog(identity: Identity, log: CardLog): Promise<void> {
  await log.lookUp([identity]).catch((error: unknown) => {
    if (isEncryptionError(error, 'LOG_INVALID')) throw error;
  });
}

async function importLogKey(logKey: unknown): Promise<VerifyingKey> {
  const bytes = typeof logKey === 'string' ? base64url.decode(logKey) : null;
  if (bytes?.length === 32) return (await curves()).importVerifyingKey(bytes);
  throw invalidArgument(
    "logKey must be the public key of the token server's log, base64url of 32 bytes (43 characters).",
  );
}

async function importAppKeys(appKey: unknown): Promise<VerifyingKey[]> {
  const texts: readonly unknown[] = [appKey].flat();
  // All of them before any is imported: an import that nobody waits for must not reject.
  const keys = texts.map((text) => {
    const bytes = typeof text === 'string' ? base64url.decode(text) : null;
    if (bytes?.length === 32) return bytes;
    throw invalidArgument(
      "appKey must be the application's public key, base64url of 32 bytes (43 characters), or an array of such keys.",
    );
  });
  if (keys.length === 0) throw invalidArgument('appKey needs at least one pinned key.');
  const backEnd = await curves();
  return Promise.all(keys.map((bytes) => backEnd.importVerifyingKey(bytes)));
}

import { EncryptionError } from '../errors.ts';
import type { Card } from '../protocol/card.ts';
import { curves, type VerifyingKey } from '../protocol/curves.ts';
import { parseCardId, parseIdentity, type CardId, type Identity } from '../protocol/identifiers.ts';
import { base64url, type Bytes } from '../protocol/primitives.ts';
import { cardBook } from './card-book.ts';
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
import { receiver, type Receiver } from './receiver.ts';
import { sealedKeyStore } from './sealed-key-store.ts';
import { sender, type Sender } from './sender.ts';

/** What {@link openDevice} needs to know. */
export interface DeviceOptions {
  /** Whose device it is: the identity of the Twilio access token. */
  readonly identity: string;
  /** The token server's URL (https, or http on localhost), or a directory of another kind. */
  readonly server: string | Directory;
  /** Gives the session token for the server; called again when it was refused. */
  readonly authorize?: () => Promise<string>;
  /**
   * The application's public keys (base64url, 32 bytes each), from the application's own
   * configuration. Cards that none of them approved are not accepted.
   */
  readonly appKey: string | readonly string[];
  /** Where the sealed key is kept. */
  readonly keyStore: KeyStore;
  /** Protects the key at rest, with Argon2id. */
  readonly password: string;
  /** The device's name on its card, for people; 1 to 256 characters. */
  readonly device?: string;
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
  readonly encryptedChannels: EncryptedChannels;
  /** Forgets the keys. Sending, judging and accepting throw `CLOSED` from then on. */
  readonly close: () => void;
  /** Aborted by `close()`. */
  readonly closed: AbortSignal;
}

/**
 * Opens a device: unlocks its keys, or at the first run makes them, and publishes its card.
 * @throws EncryptionError `INVALID_ARGUMENT`, `INVALID_IDENTITY`, `INVALID_KEY`, and those of
 * {@link openOwnCard}
 */
export async function openDevice(options: DeviceOptions): Promise<Device> {
  const identity = parseIdentity(options.identity);
  const appKeys = await importAppKeys(options.appKey);
  const { password, device, postQuantum = false } = options;
  const keyStore = guardedKeyStore(options.keyStore);
  const directory = guardedDirectory(directoryOf(options));
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
  const cards = cardBook(directory, appKeys, now);
  const state = sealedKeyStore(keyStore, own.stateKey, random);
  const trust = pins(state, identity, (changed, cardIds) => {
    events.emit('keyChanged', { identity: changed, cardIds });
  });
  await trust.check(identity, [own.card]);
  const sessions = incomingSessions(state, own.card.id);
  const encrypted = encryptedChannels(state, own.card);
  const context = { own, keyStore: state, cards, pins: trust, encrypted, random, now };
  const closing = new AbortController();
  // Dropped by close(): with them go the only references to the private keys.
  const sending = sender({ ...context, keepSession: sessions.keep });
  const receiving = receiver({ ...context, sessions, sawOwn: sending.sawOwn });
  let parts: (Sender & Receiver) | null = { ...sending, ...receiving };

  function open(): Sender & Receiver {
    if (parts) return parts;
    throw new EncryptionError('CLOSED', 'This device was closed. Open it again.');
  }

  return {
    identity,
    card: own.card,
    events,
    keys: keys({ keyStore, random, checkOpen: open }),
    cards: cardTools({ cards, directory, appKeys, now, checkOpen: open }),
    send: async (...message) => open().send(...message),
    edit: async (...message) => open().edit(...message),
    judge: async (message) => open().judge(message),
    accept: async (message) => open().accept(message),
    async acknowledge(who, cardIds) {
      open();
      const acknowledged = await trust.acknowledge(parseIdentity(who), cardIds.map(parseCardId));
      // They get the very next message: whatever was known of this identity is asked again.
      cards.refresh(parseIdentity(who));
      return acknowledged;
    },
    close: () => {
      parts = null;
      closing.abort();
    },
    encryptedChannels: encrypted,
    closed: closing.signal,
  };
}

function random(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

function directoryOf({ server, authorize }: DeviceOptions): Directory {
  if (typeof server !== 'string') return server;
  if (!authorize) {
    throw new EncryptionError('INVALID_ARGUMENT', 'authorize is needed with a server URL.');
  }
  return httpDirectory(server, authorize);
}

async function importAppKeys(appKey: string | readonly string[]): Promise<VerifyingKey[]> {
  const texts = typeof appKey === 'string' ? [appKey] : appKey;
  if (texts.length === 0) {
    throw new EncryptionError('INVALID_ARGUMENT', 'appKey needs at least one pinned key.');
  }
  const backEnd = await curves();
  return Promise.all(
    texts.map((text) => {
      const bytes = base64url.decode(text);
      if (bytes?.length === 32) return backEnd.importVerifyingKey(bytes);
      throw new EncryptionError('INVALID_ARGUMENT', 'appKey must be base64url of 32 bytes.');
    }),
  );
}

import { invalidArgument, textArgument } from '../arguments.ts';
import { EncryptionError, isEncryptionError } from '../errors.ts';
import type { Card } from '../protocol/card.ts';
import { parseCardId, parseIdentity, type CardId, type Identity } from '../protocol/identifiers.ts';
import { base64url } from '../protocol/primitives.ts';
import { cardBook, type CardBook } from './card-book.ts';
import { cardLog, type CardLog, type ProvenHistory, type SplitView } from './card-log.ts';
import type { Cards } from './cards.ts';
import { currentLog } from './current-log.ts';
import { deletedKeys } from './deleted-keys.ts';
import type { DeviceChanges, OpeningChanges } from './device-changes.ts';
import { openDeviceKeys, useFromNow, type DeviceKeys } from './device-keys.ts';
import type { CheckedOptions } from './device-options.ts';
import {
  cardsOnDemand,
  deviceChangesOnDemand,
  keysOnDemand,
  ownDevicesOnDemand,
  safetyNumbersOnDemand,
} from './device-parts.ts';
import { emitter, type Emitter } from './emitter.ts';
import { encryptedChannels, type EncryptedChannels } from './encrypted-channels.ts';
import { incomingSessions } from './incoming-sessions.ts';
import type { Keys } from './keys.ts';
import type { OwnDevices } from './own-devices.ts';
import type { OwnCard } from './own-card.ts';
import { pins, type Pins } from './pins.ts';
import { presence, removed, type RemovalReason } from './presence.ts';
import { random } from './random.ts';
import { receiver, type Receiver } from './receiver.ts';
import { recipientPolicy, type NewRecipients, type RecipientPolicy } from './recipient-policy.ts';
import type { SafetyNumbers } from './safety-numbers.ts';
import { seenHistory } from './seen-history.ts';
import { sealedKeyStore } from './sealed-key-store.ts';
import { sender, type Sender } from './sender.ts';
import type { Records } from './state.ts';
import { suiteOf } from './suite.ts';
import type { FailedAudit } from './witness.ts';

/** What a device reports. */
export interface DeviceEvents {
  /**
   * Somebody has cards that are not the ones first seen, and none of these vouches for: a new device, or
   * an impostor. They get no messages until they are acknowledged.
   */
  readonly keyChanged: { readonly identity: Identity; readonly cardIds: readonly CardId[] };
  /**
   * There are cards in this person's own name that this device does not know: a new device of theirs, or
   * one that somebody slipped in. Nothing is encrypted for it until it is acknowledged.
   */
  readonly ownCardUnknown: { readonly identity: Identity; readonly cardIds: readonly CardId[] };
  /**
   * Somebody who is seen for the first time has several devices, and none of them vouched for the others:
   * devices that they did not confirm yet, or one that somebody slipped in. All are trusted as first
   * seen; comparing safety numbers shows whether they should be.
   */
  readonly unconnectedCards: { readonly identity: Identity; readonly cardIds: readonly CardId[] };
  /** These people get messages of this device in this channel from now on, and did not before. */
  readonly recipientAdded: NewRecipients;
  /**
   * The device's key is not in the key store any more (`removed`), or another one is in its place
   * (`replaced`): it was rotated, or its password changed, in another tab. This device is closed: sending
   * rejects with `DEVICE_REMOVED`, and no more messages arrive. After `replaced`, open it again.
   */
  readonly deviceRemoved: { readonly identity: Identity; readonly reason: RemovalReason };
  /**
   * The card that this device sends under was revoked, or another one took its place (`superseded`) that
   * this device did not make: somebody else has its keys. It can read what was sent before, and send
   * nothing.
   */
  readonly deviceRevoked: {
    readonly identity: Identity;
    readonly status: 'revoked' | 'superseded';
  };
  /**
   * The token server showed different people different logs, so that its cards may be forged. Nobody
   * is trusted at first sight from then on. The evidence is for whoever runs the server.
   */
  readonly splitView: SplitView;
  /**
   * The token server does not show what others were shown of this person, or shows something else than
   * this device knows: somebody may have encrypted for a card in this person's name that is not
   * theirs, or for one that was revoked. Told once of each head that somebody's message carried; it is
   * asked again as long as the device is open. Messages go on.
   */
  readonly auditFailed: FailedAudit;
}

/** An unlocked device: sends messages and judges what arrives. */
export interface Device extends Omit<Sender, 'sawOwn'>, Receiver {
  readonly identity: Identity;
  /** This device's approved card; another one after {@link Device.rotate}. */
  readonly card: () => Card;
  readonly events: Emitter<DeviceEvents>;
  /** The low-level API. */
  readonly keys: Keys;
  readonly cards: Cards;
  /**
   * Trusts those of these cards that `keyChanged` or `ownCardUnknown` reported; gives their ids. Vouches
   * for own ones.
   */
  readonly acknowledge: (
    identity: string,
    cardIds: readonly string[],
  ) => Promise<readonly CardId[]>;
  readonly safetyNumbers: SafetyNumbers;
  readonly devices: Omit<OwnDevices, 'endorse'>;
  readonly changes: DeviceChanges & Pick<OpeningChanges, 'addKeys'>;
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

/** What a device is to know of a backup before it looks at anything. */
export interface Restoring {
  /** Another card of this person, which vouches for a new one. */
  readonly endorser: OwnCard | null;
  /** The cards of the backup: nobody need be told of them. */
  readonly cardIds: readonly CardId[];
}

/**
 * Opens a device: unlocks its keys, or at the first run makes them, and publishes its card.
 * @throws EncryptionError those of {@link openDeviceKeys}, `LOG_KEY_UNKNOWN`, `DEVICE_REMOVED`
 */
export async function openDevice(options: CheckedOptions, restoring?: Restoring): Promise<Device> {
  const device = await openOnce(options, restoring);
  if (device) return device;
  // Another tab gave the device new keys while this one opened it: it opens with these.
  const again = await openOnce(options, restoring);
  if (again) return again;
  throw removed();
}

/** Gives null when other keys took the place of those that were opened. */
async function openOnce(options: CheckedOptions, restoring?: Restoring): Promise<Device | null> {
  const { identity, keyStore, directory, appKeys } = options;
  const now = Date.now;
  const { endorser = null, cardIds: restored = [] } = restoring ?? {};
  const opened = await openDeviceKeys({ ...options, ...(endorser && { endorser }), random, now });
  const { keys, scope } = opened;
  let ownCard = keys.current().card;
  const events = emitter<DeviceEvents>();
  const closing = new AbortController();
  let removal: RemovalReason | null = null;
  const there = presence({
    keyStore,
    record: opened.record,
    checkOpen: open,
    onRemoved(reason) {
      if (closing.signal.aborted) return;
      removal = reason;
      close();
      events.emit('deviceRemoved', { identity, reason });
    },
  });
  const records = there.guard(opened.records);
  const logs = await currentLog({ ...options, records });
  const { logKey } = logs;
  const trust = pins({
    records,
    log: base64url.encode(logKey.publicKey),
    checkFirstSight: () => log.checkFirstSight(),
    isOfThisDevice: (id) => ownChain(keys).includes(id),
    historyOf: (who) => cards.historyOf(who),
    onChanged(changed, cardIds) {
      const name = changed === identity ? 'ownCardUnknown' : 'keyChanged';
      events.emit(name, { identity: changed, cardIds });
    },
    onUnconnected(who, cardIds) {
      events.emit('unconnectedCards', { identity: who, cardIds });
    },
  });
  await trust.pin(identity, [...keys.all().map(({ card }) => card.id), ...restored]);
  const log = cardLog({
    directory,
    records,
    ...logs,
    appKeys,
    identity,
    now,
    closed: closing.signal,
    onSplitView(evidence) {
      events.emit('splitView', evidence);
    },
    onAuditFailed(failure) {
      events.emit('auditFailed', failure);
    },
    // Cards in this name that others were shown, whatever became of them since; unless they are trusted
    // since.
    async onOwnHistory(history) {
      const live = history.cards.flatMap(({ status, card }) => (status === 'live' ? [card] : []));
      const trustNow = await trust.check(identity, live, cards.historyOf(identity) ?? history);
      const unknown = live.filter(({ id }) => trustNow.get(id) === 'changed');
      await trust.check(identity, unknown, history);
    },
  });
  const seen = seenHistory(records, base64url.encode(logKey.publicKey), now);
  let isEnded = false;
  const source = {
    async lookUp(people: readonly Identity[]) {
      const found = await log.lookUp(people);
      const own = found.histories.get(identity);
      // Without it a later revocation goes back further than it must.
      if (own) await seen.add(own).catch(() => undefined);
      const status = statusOf(own, keys);
      if (status !== 'live' && !isEnded) {
        isEnded = true;
        events.emit('deviceRevoked', { identity, status });
      }
      return found;
    },
    get: (id: CardId) => directory.get(id),
  };
  const cards = cardBook(source, appKeys, now);
  const encrypted = encryptedChannels(records);
  const policy = recipientPolicy(records, identity, options.recipients, (added) => {
    events.emit('recipientAdded', added);
  });
  const deleted = deletedKeys(records);
  const recordsOf = ({ sessionKey }: OwnCard): Records =>
    there.guard(sealedKeyStore(keyStore, scope, sessionKey, random));
  const sessions = incomingSessions(keys, recordsOf);
  const base = { identity, keys, records, cards, pins: trust, random, now };
  const context = { ...base, log, encrypted, policy, sessions, deleted, recordsOf };
  const sending = sender(context);
  const receiving = receiver({ ...context, sawOwn: sending.sawOwn });
  const devices = ownDevicesOnDemand({ ...base, directory, appKeys, seen });
  const changes = deviceChangesOnDemand({
    ...base,
    ...{ keyStore, presence: there, directory, appKeys, deleted, scope, close },
    checkClock: () => log.checkFirstSight(),
  });
  let parts: (Sender & Receiver) | null = { ...sending, ...receiving };

  function open(): Sender & Receiver {
    if (parts) return parts;
    if (removal) throw removed();
    throw new EncryptionError('CLOSED', 'This device was closed. Open it again.');
  }

  function close(): void {
    ownCard = current();
    parts = null;
    // With them go the only references to the private keys.
    keys.forget();
    closing.abort();
  }

  try {
    await seeLog(identity, cards, trust);
    await changes.maintain(options.password, options).catch(later);
  } catch (error) {
    close();
    if (wasReplaced()) return null;
    throw error;
  }

  function wasReplaced(): boolean {
    return removal === 'replaced';
  }

  function current(): Card {
    return keys.all()[0]?.card ?? ownCard;
  }

  return {
    identity,
    card: current,
    events,
    keys: keysOnDemand({ keyStore, random, checkOpen: open, postQuantum: suiteOf(ownCard) === 2 }),
    cards: cardsOnDemand({
      ...base,
      ...{ directory, appKeys, checkOpen: open, revoke: (id: CardId) => devices.revoke(id) },
    }),
    send: async (...message) => open().send(...message),
    checkRecipients: async (outlet) => open().checkRecipients(outlet),
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
      // Others need not be asked about what this device vouches for.
      if (changed === identity) await devices.endorse(ids);
      return acknowledged;
    },
    safetyNumbers: safetyNumbersOnDemand({
      me: identity,
      keys,
      cards,
      pins: trust,
      check: there.check,
    }),
    devices: {
      list: async () => checked(() => devices.list()),
      revoke: async (...revoked) => checked(() => devices.revoke(...revoked)),
      endorseThis: async (endorser) => checked(() => devices.endorseThis(endorser)),
    },
    changes,
    close,
    checkOpen: () => void open(),
    encryptedChannels: encrypted,
    splitView: () => log.splitView(),
    recipients: policy.known,
    twilioToken: directory.twilioToken ?? null,
    closed: closing.signal,
  };

  async function checked<T>(action: () => Promise<T>): Promise<T> {
    await there.check();
    return action();
  }
}

/**
 * Looks at the log once, so that a device has a head to send and to compare, and reports what other cards
 * there are in its name. Without the server a device can still read; a log that another key signed is a wrong logKey, which
 * nothing would mend.
 */
async function seeLog(identity: Identity, cards: CardBook, trust: Pins): Promise<void> {
  try {
    await cards.ask([identity]);
    await trust.check(identity, cards.known(identity));
  } catch (error) {
    if (isEncryptionError(error, 'LOG_KEY_UNKNOWN')) throw error;
  }
}

/**
 * Keys whose time has come are changed at the next opening, if the server does not take them now, or shows
 * a log that nothing can be told from, or the code for it cannot be loaded. Those of a device that was revoked
 * are not, and it still reads.
 */
function later(error: unknown): void {
  if (LATER.some((code) => isEncryptionError(error, code))) return;
  throw error;
}

const LATER = [
  'CODE_UNAVAILABLE',
  'DEVICE_REVOKED',
  'DIRECTORY_UNREACHABLE',
  'DIRECTORY_REFUSED',
  'KEY_STORE_FULL',
  'LOG_STALE',
  'SPLIT_VIEW',
] as const;

/** What the log says of the card that this device sends under; goes on to its successor if it has one. */
function statusOf(
  history: ProvenHistory | undefined,
  keys: DeviceKeys,
): 'live' | 'revoked' | 'superseded' {
  for (;;) {
    const [current] = keys.all();
    const logged = history?.cards.find(({ card }) => card.id === current?.card.id);
    if (!current || !logged || logged.status === 'live') return 'live';
    const next = keys.all().find(({ card }) => card.previousCardId === current.card.id);
    const nextLogged = history?.cards.find(({ card }) => card.id === next?.card.id);
    // The answer of the server was lost, or another tab got it: others encrypt for the new one.
    if (logged.status !== 'superseded' || !next || !nextLogged) return logged.status;
    useFromNow({ ...next, card: nextLogged.card }, keys);
  }
}

/** The card that a device sends under, and those that it replaced. */
function ownChain(keys: DeviceKeys): readonly CardId[] {
  const chain: CardId[] = [];
  let own = keys.all()[0];
  while (own && !chain.includes(own.card.id)) {
    chain.push(own.card.id);
    const { previousCardId } = own.card;
    own = keys.all().find(({ card }) => card.id === previousCardId);
  }
  return chain;
}

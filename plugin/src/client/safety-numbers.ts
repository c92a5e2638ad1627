/** Comparing safety numbers, and what is known of somebody's cards because of it. */
import { invalidArgument, textArgument } from '../arguments.ts';
import { EncryptionError } from '../errors.ts';
import type { Card } from '../protocol/card.ts';
import { parseIdentity, type CardId, type Identity } from '../protocol/identifiers.ts';
import { hex, type Bytes } from '../protocol/primitives.ts';
import {
  compareSafetyNumbers,
  isSafetyNumber,
  safetyNumber,
  type SafetyNumber,
  type SafetyNumberComparison,
  type SafetyNumberSide,
} from '../protocol/safety-number.ts';
import type { CardBook, FoundCards } from './card-book.ts';
import type { DeviceKeys } from './device-keys.ts';
import type { Pins, Trust } from './pins.ts';

/** A live card of somebody, and how far this device trusts it. */
export interface TrustedCard {
  readonly cardId: CardId;
  /** The device's name, as its card says; for people. */
  readonly device?: string;
  readonly trust: Trust;
}

/** What two people compare, and what comes of it. See `Encryption`. */
export interface SafetyNumbers {
  /**
   * What this person and the device's owner compare. Covers the cards of both as the directory has
   * them now; also those of theirs that are not acknowledged: comparing is how one finds out.
   * @throws EncryptionError `INVALID_ARGUMENT`, `INVALID_IDENTITY`, `MEMBER_WITHOUT_CARD`,
   * `KEY_CHANGED` when the owner's name has a card that was not acknowledged here, the directory's
   * and the key store's errors
   */
  safetyNumber(identity: string): Promise<SafetyNumber>;
  /**
   * Compares a code that was scanned from their screen. Marks nothing.
   * @throws EncryptionError as {@link safetyNumber}; `INVALID_ARGUMENT`, `UNSUPPORTED_VERSION` of the
   * scanned text
   */
  compareSafetyNumber(identity: string, scanned: string): Promise<SafetyNumberComparison>;
  /**
   * Marks the cards that this number covers, and no others.
   * @returns their ids
   * @throws EncryptionError as {@link safetyNumber}; `SAFETY_NUMBER_CHANGED`
   */
  markVerified(identity: string, digits: string): Promise<readonly CardId[]>;
  /**
   * Their live cards, from an answer that is at most five minutes old.
   * @throws EncryptionError `INVALID_ARGUMENT`, `INVALID_IDENTITY`, the directory's and the key
   * store's errors
   */
  trustOf(identity: string): Promise<readonly TrustedCard[]>;
}

/** What {@link safetyNumbers} works with. */
export interface SafetyNumbersContext {
  /** The device's owner. */
  readonly me: Identity;
  readonly keys: Pick<DeviceKeys, 'current'>;
  readonly cards: CardBook;
  readonly pins: Pins;
  /** Rejects with `CLOSED` after the device was closed, and with `DEVICE_REMOVED`. */
  readonly check: () => Promise<void>;
}

/** A number, and whom and what it is about. */
interface Current {
  readonly identity: Identity;
  readonly number: SafetyNumber;
  readonly cardIds: readonly CardId[];
}

/** The safety numbers of one device. */
export function safetyNumbers({
  me,
  keys,
  cards,
  pins,
  check,
}: SafetyNumbersContext): SafetyNumbers {
  async function current(who: string): Promise<Current> {
    await check();
    const identity = identityArgument(who);
    if (identity === me) {
      throw invalidArgument('identity must be another person: a safety number is of two people.');
    }
    // Whoever compares wants the cards of now: the other device asks now, too.
    for (const one of [me, identity]) cards.refresh(one);
    const found = await cards.find([me, identity]);
    const ownCards = await vouchedFor(found.get(me));
    const { cards: theirs = [], history } = found.get(identity) ?? {};
    if (theirs.length === 0) {
      // Whoever has no card may get one any moment.
      cards.refresh(identity);
      throw withoutCard(identity);
    }
    // Their first sight, if it is that; and what is new is reported.
    await pins.check(identity, theirs, history);
    return {
      identity,
      number: await safetyNumber(sideOf(me, ownCards), sideOf(identity, theirs)),
      cardIds: theirs.map(({ id }) => id),
    };
  }

  /**
   * This person's own cards. What the others mark is what this device vouches for by its number: a
   * card that somebody slipped under this name must not be among it.
   */
  async function vouchedFor(found: FoundCards | undefined): Promise<readonly Card[]> {
    const { card: own } = keys.current();
    const all = [own, ...(found?.cards ?? []).filter(({ id }) => id !== own.id)];
    const trust = await pins.check(me, all, found?.history);
    if (all.some(({ id }) => trust.get(id) === 'changed')) throw ownKeyChanged(me);
    return all;
  }

  return {
    async safetyNumber(who) {
      return (await current(who)).number;
    },

    async compareSafetyNumber(who, scanned) {
      const code = textArgument(scanned, 'scanned (the text of a code)');
      return compareSafetyNumbers((await current(who)).number.qr, code);
    },

    async markVerified(who, digits) {
      if (!isSafetyNumber(textArgument(digits, 'digits'))) {
        throw invalidArgument(
          'digits must be those of a safety number: 12 groups of 5, with a space between them.',
        );
      }
      const { identity, number, cardIds } = await current(who);
      if (number.digits !== digits) throw numberChanged(identity);
      // The directory took its time: what was removed meanwhile writes nothing.
      await check();
      await pins.markVerified(identity, cardIds);
      // They get the very next message: whatever was known of this identity is asked again.
      cards.refresh(identity);
      return cardIds;
    },

    async trustOf(who) {
      await check();
      const identity = identityArgument(who);
      const { cards: found = [], history } = (await cards.find([identity])).get(identity) ?? {};
      if (found.length === 0) cards.refresh(identity);
      const trust = await pins.check(identity, found, history);
      return found.map(({ id, device }) => ({
        cardId: id,
        ...(device !== undefined && { device }),
        trust: trust.get(id) ?? 'changed',
      }));
    },
  };
}

function identityArgument(who: string): Identity {
  return parseIdentity(textArgument(who, 'identity'));
}

/** By key: the holder of a key may have signed two cards with it, and is known by it once. */
function sideOf(identity: Identity, cards: readonly Card[]): SafetyNumberSide {
  const keys = cards.map(({ signingKey }) => signingKey.publicKey);
  const byKey = new Map<string, Bytes>(keys.map((key) => [hex.encode(key), key]));
  return { identity, signingKeys: [...byKey.values()] };
}

function withoutCard(identity: Identity): EncryptionError {
  return new EncryptionError(
    'MEMBER_WITHOUT_CARD',
    `There is nothing to compare: ${identity} has no valid card yet, and needs to sign in once with the application.`,
    { identities: [identity] },
  );
}

function ownKeyChanged(identity: Identity): EncryptionError {
  return new EncryptionError(
    'KEY_CHANGED',
    'There is a card in your own name that you did not acknowledge. Acknowledge it if it is of a device of yours; otherwise somebody slipped it in, and nobody should mark it.',
    { identities: [identity] },
  );
}

function numberChanged(identity: Identity): EncryptionError {
  return new EncryptionError(
    'SAFETY_NUMBER_CHANGED',
    `Nothing was marked: these are not the digits of the safety number with ${identity} any more. Compare anew.`,
  );
}

/** The devices of one person: listing them, vouching for them, revoking them. */
import { invalidArgument } from '../arguments.ts';
import { EncryptionError } from '../errors.ts';
import { checkApproval, exportCard, importCard } from '../protocol/card.ts';
import { endorseCard } from '../protocol/card-links.ts';
import type { VerifyingKey } from '../protocol/curves.ts';
import type { CardId, Identity } from '../protocol/identifiers.ts';
import type { LoggedCard } from '../protocol/log/history.ts';
import { createRevocation, type RevocationReason } from '../protocol/revocation.ts';
import { isTime } from '../protocol/time.ts';
import type { CardBook } from './card-book.ts';
import type { ProvenHistory } from './card-log.ts';
import type { DeviceKeys } from './device-keys.ts';
import type { Directory } from './directory.ts';
import type { OwnCard } from './own-card.ts';
import type { Pins, Trust } from './pins.ts';
import type { SeenHistory } from './seen-history.ts';

/** A card of one's own: a device, or what a device had before. */
export interface OwnDevice {
  readonly cardId: CardId;
  /** The device's name, as its card says. */
  readonly device?: string;
  /** When its card was published, by the log's clock. */
  readonly since: Date;
  /**
   * - `live` messages are encrypted for it
   * - `superseded` another card took its place
   * - `revoked` it is not used any more
   */
  readonly status: 'live' | 'superseded' | 'revoked';
  /** Why it was revoked. */
  readonly reason?: RevocationReason;
  /** When it stopped being live, by the log's clock. */
  readonly endedAt?: Date;
  /** `changed`: this device does not know it, and encrypts nothing for it. */
  readonly trust: Trust;
  /** The card whose place it took: the same device, with its keys of before. */
  readonly previousCardId?: CardId;
  /**
   * The cards of this person that vouch for it, and may be believed: the one that it replaced, and those of
   * devices on which it was acknowledged. Who knows one of these trusts it without being asked.
   */
  readonly vouchers: readonly CardId[];
  /** Whether it is the card of this very device. */
  readonly isThis: boolean;
  /** Whether this device has its keys, and can read what was encrypted for it. */
  readonly isReadable: boolean;
}

/** How a card is revoked. */
export interface RevokeOptions {
  /**
   * Since when somebody else may have its keys, as when the device was stolen. Devices that it vouched
   * for since then are not trusted for that, and neither are those that the revoking device had not
   * seen by then: acknowledge those that are yours. Without it, the device is merely not used any more.
   */
  readonly compromisedSince?: Date;
}

/** The devices of a device's owner. */
export interface OwnDevices {
  /** All that the log has about this person; asked for each time. */
  readonly list: () => Promise<readonly OwnDevice[]>;
  /** Has the card of one of these devices revoked, see `Encryption.revoke`. */
  readonly revoke: (cardId: CardId, options?: RevokeOptions) => Promise<void>;
  /** Vouches for those of these cards that are live and trusted here, if it did not yet. */
  readonly endorse: (cardIds: readonly CardId[]) => Promise<void>;
  /** Has another card of this person vouch for this device's, if it did not yet. */
  readonly endorseThis: (endorser: OwnCard) => Promise<void>;
}

/** What {@link ownDevices} works with. */
export interface OwnDevicesContext {
  readonly identity: Identity;
  readonly keys: DeviceKeys;
  readonly cards: CardBook;
  readonly pins: Pins;
  readonly directory: Directory;
  readonly appKeys: readonly VerifyingKey[];
  readonly seen: Pick<SeenHistory, 'countAt'>;
  readonly now: () => number;
}

/** The devices of one person, as one of them sees them. */
export function ownDevices(context: OwnDevicesContext): OwnDevices {
  const { identity, keys, cards, pins, directory, appKeys, seen, now } = context;

  async function history(): Promise<ProvenHistory> {
    cards.refresh(identity);
    await cards.find([identity]);
    const found = cards.historyOf(identity);
    if (found) return found;
    throw new TypeError('The log gave no answer.');
  }

  async function endorseBy({ card, signingKey }: OwnCard, logged: LoggedCard): Promise<void> {
    const endorsed = await endorseCard(logged.card, { id: card.id, signingKey });
    const published = await importCard(await directory.publish(exportCard(endorsed)));
    await checkApproval(published, appKeys);
    if (published.id === logged.card.id) return;
    throw new EncryptionError('CARD_INVALID', 'The directory answered with another card.');
  }

  /**
   * The number of the first entry of then or later: by the log's clock, and at the earliest the first that
   * this device had not seen by then, because a log that helps a thief would date the thief's cards back.
   */
  async function firstSince(date: Date, { times, count }: ProvenHistory): Promise<number> {
    const at = times.findIndex((time) => time >= date.getTime());
    const logged = at === -1 ? count : at;
    return Math.min(logged, (await seen.countAt(date.getTime())) ?? logged);
  }

  return {
    async list() {
      const { cards: logged } = await history();
      const trust = await pins.check(
        identity,
        logged.map(({ card }) => card),
      );
      const current = keys.current().card.id;
      return logged.map((one) => ({
        ...loggedDevice(one),
        trust: trust.get(one.card.id) ?? 'changed',
        isThis: one.card.id === current,
        isReadable: keys.find(one.card.id) !== null,
      }));
    },

    async revoke(cardId, { compromisedSince } = {}) {
      if (compromisedSince !== undefined) checkDate(compromisedSince);
      const known = await history();
      const revoked = known.cards.find(({ card }) => card.id === cardId);
      if (!revoked) {
        throw new EncryptionError('CARD_NOT_FOUND', `${identity} has no card ${cardId}.`);
      }
      // It says no less already.
      if (revoked.status === 'revoked' && !compromisedSince) return;
      const { card: own, signingKey } = keys.current();
      const content = { cardId, revokedAt: now(), signer: own.id };
      const revocation = await createRevocation(
        compromisedSince
          ? { ...content, reason: 'compromised', since: await firstSince(compromisedSince, known) }
          : { ...content, reason: 'retired' },
        signingKey,
      );
      await directory.revoke(cardId, revocation);
      checkRevoked(cardId, compromisedSince ? 'compromised' : undefined, await history());
    },

    async endorse(cardIds) {
      const { cards: logged } = await history();
      const own = keys.current().card.id;
      const named = logged.filter(({ card, status, vouchers }) => {
        const isOther = card.id !== own && !vouchers.includes(own);
        return isOther && status === 'live' && cardIds.includes(card.id);
      });
      const trust = await pins.check(
        identity,
        named.map(({ card }) => card),
      );
      const trusted = named.filter(({ card }) => trust.get(card.id) !== 'changed');
      for (const one of trusted) await endorseBy(keys.current(), one);
      cards.refresh(identity);
    },

    async endorseThis(endorser) {
      const { cards: logged } = await history();
      const own = logged.find(({ card }) => card.id === keys.current().card.id);
      if (own?.status !== 'live' || own.vouchers.includes(endorser.card.id)) return;
      if (endorser.card.id === own.card.id) return;
      await endorseBy(endorser, own);
      cards.refresh(identity);
    },
  };
}

/** What the log says of it. */
function loggedDevice({
  card,
  loggedAt,
  status,
  endedAt,
  reason,
  vouchers,
}: LoggedCard): Omit<OwnDevice, 'trust' | 'isThis' | 'isReadable'> {
  const { id, device, previousCardId } = card;
  return {
    cardId: id,
    ...(device !== undefined && { device }),
    since: new Date(loggedAt),
    status,
    ...(reason && { reason }),
    ...(endedAt !== undefined && { endedAt: new Date(endedAt) }),
    ...(previousCardId !== undefined && { previousCardId }),
    vouchers: [...vouchers],
  };
}

/** The server may say that it did what it did not: what others are shown counts. */
function checkRevoked(
  id: CardId,
  reason: RevocationReason | undefined,
  { cards }: ProvenHistory,
): void {
  const logged = cards.find(({ card }) => card.id === id);
  if (logged?.status === 'revoked' && (!reason || logged.reason === reason)) return;
  throw new EncryptionError(
    'DIRECTORY_REFUSED',
    'The token server took the revocation, and its log does not have it: others still encrypt for this device. Try again, and tell whoever runs the server.',
  );
}

function checkDate(date: unknown): void {
  if (date instanceof Date && isTime(date.getTime())) return;
  throw invalidArgument('compromisedSince must be a valid Date.');
}

import {
  approveCard,
  base64url,
  CARD_LIMITS,
  EncryptionError,
  exportCard,
  importCard,
  parseCardId,
  type Card,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import { ServerError } from './errors.ts';
import { checkLinks } from './card-links.ts';
import { endorsePublished } from './endorsements.ts';
import { MAX_CLOCK_SKEW, MAX_LIVE_CARDS, MAX_SNAPSHOT_BYTES } from './limits.ts';
import type { Log } from './log.ts';
import { revokeCard } from './revocations.ts';
import { requireStillCurrent, type Session } from './sessions.ts';
import type { CardRecord, NewCardRecord } from './card-record.ts';
import type { Store } from './store.ts';

/** Approves cards, keeps them and hands them out. */
export interface Cards {
  /**
   * Approves and publishes a card of the session's identity. A card that is published already gets
   * what other devices vouch for it only now, under the approval that it had; without that it is
   * answered as it is, so a client may repeat a request that it got no answer to.
   *
   * @param exported - the card, as `exportCard` writes it
   * @throws ServerError `CARD_INVALID`, `IDENTITY_MISMATCH`, `SIGNATURE_NOT_ALLOWED`, `LINK_INVALID`,
   *   `CLOCK_SKEW`, `KEY_REUSED`, `CARD_LIMIT` or `SESSION_EXPIRED`; nothing is stored then
   */
  publish(session: Session, exported: string): Promise<PublishedCard>;
  /**
   * Revokes a card of the session's identity. The same revocation again is no error.
   *
   * @param id - of the card
   * @param revocation - exported; signed by the card or by another live card of the identity
   * @throws ServerError `INVALID_REQUEST`, `CARD_NOT_FOUND`, `IDENTITY_MISMATCH`,
   *   `REVOCATION_INVALID`, `CARD_REVOKED` or `SESSION_EXPIRED`; nothing is stored then
   */
  revoke(session: Session, id: string, revocation: string): Promise<void>;
  /**
   * One card, exported.
   *
   * @throws ServerError `INVALID_REQUEST` when it is no card id, `CARD_NOT_FOUND`
   */
  get(id: string): Promise<string>;
}

/** A card that was approved and logged. */
export interface PublishedCard {
  /** Exported, with the application's signature. */
  readonly card: string;
  /** The number of its last entry in the log. */
  readonly logIndex: number;
}

/** Parts that cards are made of. */
export interface CardsParts {
  readonly store: Store;
  readonly log: Log;
  readonly appKey: SigningKey;
  readonly now: () => number;
}

/** Makes the cards. */
export function createCards(parts: CardsParts): Cards {
  const { store, log, appKey, now } = parts;

  return {
    async publish(session, exported) {
      const card = await readCard(exported);
      if (card.identity !== session.identity) {
        const message = 'The card names another identity than the session.';
        throw new ServerError('IDENTITY_MISMATCH', message);
      }
      const known = await store.findCard(card.id);
      await checkSignatures(card, known);
      if (known === null) {
        checkContent(card, now());
        const record = await approved(card, appKey, now());
        const logIndex = await publishApproved(parts, session, card, record);
        if (logIndex !== null) return { card: record.exported, logIndex };
      }
      await endorsePublished(parts, session, card);
      return published(parts, card);
    },

    async revoke(session, id, exported) {
      const card = await store.findCard(requireCardId(id));
      if (card === null) throw new ServerError('CARD_NOT_FOUND', 'There is no card with this id.');
      if (card.identity !== session.identity) {
        const message = 'The card names another identity than the session.';
        throw new ServerError('IDENTITY_MISMATCH', message);
      }
      await revokeCard({ store, log, now }, session, card.id, exported);
    },

    async get(id) {
      const card = await store.findCard(requireCardId(id));
      if (card === null) throw new ServerError('CARD_NOT_FOUND', 'There is no card with this id.');
      return card.exported;
    },
  };
}

/** A card as it was published, now or earlier. */
async function published(
  { store, log }: CardsParts,
  { id, identity }: Card,
): Promise<PublishedCard> {
  const record = await store.findCard(id);
  if (record === null) throw new Error('A card that was published is gone');
  return { card: record.exported, logIndex: await log.indexOf(identity, record.exported) };
}

/**
 * Decides and writes in one transaction: two requests at once cannot both pass a check.
 *
 * @returns the number of its entry; null when another request has published the card meanwhile
 */
function publishApproved(
  { store, log, now }: CardsParts,
  session: Session,
  card: Card,
  record: NewCardRecord,
): Promise<number | null> {
  return store.transaction(async (transaction) => {
    await requireStillCurrent(session, transaction);
    if ((await transaction.findCard(card.id)) !== null) return null;
    if (await transaction.anyKeyUsed(record.keys)) {
      throw new ServerError('KEY_REUSED', 'A key of this card appears in an earlier card.');
    }
    const replaced = await checkLinks(card, transaction);
    if (replaced !== null) await transaction.endCard(replaced, now(), null);
    if ((await transaction.countLiveCards(card.identity)) >= MAX_LIVE_CARDS) {
      const message = `An identity has at most ${MAX_LIVE_CARDS} live cards. Revoke one first.`;
      throw new ServerError('CARD_LIMIT', message);
    }
    await transaction.addCard(record);
    const { identity, id: cardId } = card;
    const entry = { operation: 'approve', time: now(), identity, cardId } as const;
    return log.append(transaction.log, { ...entry, content: record.exported });
  });
}

async function approved(
  card: Card,
  appKey: SigningKey,
  approvedAt: number,
): Promise<NewCardRecord> {
  const { signingKey, encryptionKey, pqEncryptionKey } = card;
  return {
    id: card.id,
    identity: card.identity,
    exported: exportCard(await approveCard(card, appKey, approvedAt)),
    approvedAt,
    keys: [signingKey.publicKey, encryptionKey, ...(pqEncryptionKey ? [pqEncryptionKey] : [])].map(
      base64url.encode,
    ),
  };
}

async function readCard(exported: string): Promise<Card> {
  try {
    return await importCard(exported);
  } catch (error) {
    if (!(error instanceof EncryptionError)) throw error;
    throw new ServerError('CARD_INVALID', error.message, { cause: error });
  }
}

/** An approval may come back only as we gave it; approving is ours alone. */
async function checkSignatures(card: Card, known: CardRecord | null): Promise<void> {
  const approvals = approvalsOf(card);
  if (approvals.length > 0) {
    const ours = known === null ? [] : approvalsOf(await importCard(known.exported));
    if (approvals.some((approval) => !ours.includes(approval))) {
      const message = 'The card carries an approval that this server did not give it.';
      throw new ServerError('SIGNATURE_NOT_ALLOWED', message);
    }
  } else if (card.signatures.length >= CARD_LIMITS.signatures) {
    throw new ServerError('CARD_INVALID', 'The card leaves no room for the approval.');
  }
}

function approvalsOf(card: Card): string[] {
  return card.signatures
    .filter(({ signer }) => signer === 'app')
    .map(({ signature, extra }) => `${base64url.encode(signature)}.${base64url.encode(extra)}`);
}

function checkContent(card: Card, now: number): void {
  if (card.snapshot.length > MAX_SNAPSHOT_BYTES) {
    throw new ServerError('CARD_INVALID', 'The snapshot of the card is too long.');
  }
  if (card.createdAt > now + MAX_CLOCK_SKEW) {
    const message = 'The card is dated in the future. Set the clock of the device.';
    throw new ServerError('CLOCK_SKEW', message);
  }
}

function requireCardId(id: string): string {
  try {
    return parseCardId(id);
  } catch (error) {
    if (!(error instanceof EncryptionError)) throw error;
    throw new ServerError('INVALID_REQUEST', error.message, { cause: error });
  }
}

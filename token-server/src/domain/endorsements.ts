import { exportCard, importCard, type Card } from 'twilio-chat-encryption/protocol';
import { addEndorsers, hasMoreEndorsers } from './card-links.ts';
import type { CardRecord } from './card-record.ts';
import { ServerError } from './errors.ts';
import type { Log } from './log.ts';
import { requireStillCurrent, type Session } from './sessions.ts';
import type { Store, StoreTransaction } from './store.ts';

/** Parts that endorsing needs. */
export interface EndorsementParts {
  readonly store: Pick<Store, 'findCard' | 'transaction'>;
  readonly log: Log;
  readonly now: () => number;
}

/**
 * Adds to a published card who vouches for it only now, and logs the card as it is then. Two devices
 * that do so at once add to what the other one has added. Without anything new nothing is written.
 *
 * @param session - of the card's identity
 * @param card - as it was sent
 * @throws ServerError `LINK_INVALID`, `CARD_LIMIT` or `SESSION_EXPIRED`; nothing is stored then
 */
export async function endorsePublished(
  parts: EndorsementParts,
  session: Session,
  card: Card,
): Promise<void> {
  const { store, log, now } = parts;
  // Who repeats a request that they got no answer to makes no other writer wait.
  if ((await outdated(card, store)) === null) return;
  await store.transaction(async (transaction) => {
    await requireStillCurrent(session, transaction);
    const stored = await outdated(card, transaction);
    if (stored === null) return;
    const { identity, id: cardId } = card;
    if (stored.record.endedAt !== null) {
      const message = 'A card that is not live any more is vouched for by nobody.';
      throw new ServerError('LINK_INVALID', message);
    }
    const content = exportCard(await addEndorsers(card, stored.card, transaction));
    await transaction.replaceExport(cardId, content);
    const entry = { operation: 'approve', time: now(), identity, cardId } as const;
    await log.append(transaction.log, { ...entry, content });
  });
}

/** The stored card, if it lacks some who vouch for the one that was sent. */
async function outdated(
  sent: Card,
  { findCard }: Pick<StoreTransaction, 'findCard'>,
): Promise<{ record: CardRecord; card: Card } | null> {
  const record = await findCard(sent.id);
  if (record === null) throw new Error('A card that was published is gone');
  const card = await importCard(record.exported);
  return hasMoreEndorsers(sent, card) ? { record, card } : null;
}

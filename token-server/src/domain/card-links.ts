import {
  CARD_LIMITS,
  importCard,
  parseCardId,
  verifyEndorsement,
  verifySuccession,
  type Card,
  type CardId,
} from 'twilio-chat-encryption/protocol';
import { z } from 'zod';
import { ServerError } from './errors.ts';
import type { StoreTransaction } from './store.ts';

const EXTRA = z.object({ cardId: z.string() });

/**
 * Checks that what a card says of others of its identity is so: clients believe it only while those
 * are live, and a claim that nobody believes would be in the log for ever.
 *
 * @returns the card that it replaces, if it replaces one
 * @throws ServerError `LINK_INVALID`
 */
export async function checkLinks(
  card: Card,
  transaction: StoreTransaction,
): Promise<CardId | null> {
  for (const id of endorsersOf(card)) await checkEndorser(card, id, transaction);
  const { previousCardId } = card;
  if (previousCardId === undefined) return null;
  const predecessor = await liveCard(previousCardId, transaction);
  if (predecessor && (await verifySuccession(card, predecessor))) return predecessor.id;
  throw invalid('to replace');
}

/** Whether others vouch for a card, as it was sent, that do not on the one that is stored. */
export function hasMoreEndorsers(sent: Card, stored: Card): boolean {
  const known = endorsersOf(stored);
  return endorsersOf(sent).some((id) => !known.includes(id));
}

/**
 * The stored card with one signature of each who vouches for it only as it was sent. What else
 * differs is left: the approval is ours, and nobody becomes a successor later.
 *
 * @throws ServerError `LINK_INVALID`
 */
export async function addEndorsers(
  sent: Card,
  stored: Card,
  transaction: StoreTransaction,
): Promise<Card> {
  let card = stored;
  for (const signature of sent.signatures) {
    const [id] = endorsersOf({ signatures: [signature] });
    if (id === undefined || endorsersOf(card).includes(id)) continue;
    card = { ...card, signatures: [...card.signatures, signature] };
    // There is no other signature of this one, so it is this that verifies.
    await checkEndorser(card, id, transaction);
  }
  if (card.signatures.length <= CARD_LIMITS.signatures) return card;
  const message = `A card holds at most ${CARD_LIMITS.signatures} signatures.`;
  throw new ServerError('LINK_INVALID', message);
}

async function checkEndorser(card: Card, id: CardId, transaction: StoreTransaction): Promise<void> {
  const endorser = await liveCard(id, transaction);
  if (!endorser || !(await verifyEndorsement(card, endorser))) throw invalid('vouched for by');
}

function endorsersOf({ signatures }: Pick<Card, 'signatures'>): CardId[] {
  return signatures
    .filter(({ signer }) => signer === 'endorser')
    .map(({ extra }) => {
      // The form was checked when the card was read.
      const json: unknown = JSON.parse(new TextDecoder().decode(extra));
      return parseCardId(EXTRA.parse(json).cardId);
    });
}

async function liveCard(id: CardId, transaction: StoreTransaction): Promise<Card | null> {
  const record = await transaction.findCard(id);
  return record?.endedAt === null ? importCard(record.exported) : null;
}

function invalid(how: string): ServerError {
  const message = `The card is ${how} a card that is no live one of its identity.`;
  return new ServerError('LINK_INVALID', message);
}

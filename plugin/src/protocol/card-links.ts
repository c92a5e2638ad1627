/** How cards of one identity vouch for one another: by succession, and by endorsement. */
import { EncryptionError } from '../errors.ts';
import { CARD_LIMITS, signSnapshot, verifySnapshot, type Card } from './card.ts';
import type { SigningKey } from './curves.ts';
import type { CardId } from './identifiers.ts';
import { equal, utf8, type Bytes } from './primitives.ts';

/**
 * The card, signed also by the one that it replaces.
 * @param predecessorKey of the card that `previousCardId` names
 * @throws EncryptionError `INVALID_ARGUMENT` when it names none, or holds no more signatures
 */
export async function succeedCard(card: Card, predecessorKey: SigningKey): Promise<Card> {
  if (card.previousCardId === undefined) {
    throw new EncryptionError('INVALID_ARGUMENT', 'The card names no card that it replaces.');
  }
  checkRoom(card);
  const none = new Uint8Array();
  const signature = await signSnapshot(predecessorKey, 'predecessor', card.snapshot, none);
  return { ...card, signatures: [...card.signatures, signature] };
}

/**
 * The card, signed also by another device of its identity: before it is published, or later.
 * @throws EncryptionError `INVALID_ARGUMENT` when it holds no more signatures
 */
export async function endorseCard(
  card: Card,
  endorser: { readonly id: CardId; readonly signingKey: SigningKey },
): Promise<Card> {
  checkRoom(card);
  const extra = endorserExtra(endorser.id);
  const signature = await signSnapshot(endorser.signingKey, 'endorser', card.snapshot, extra);
  return { ...card, signatures: [...card.signatures, signature] };
}

/** Whether `card` replaces `predecessor`, and that one's key says so. */
export async function verifySuccession(card: Card, predecessor: Card): Promise<boolean> {
  if (card.previousCardId !== predecessor.id || card.identity !== predecessor.identity)
    return false;
  for (const signature of card.signatures) {
    if (signature.signer !== 'predecessor') continue;
    if (await verifySnapshot(predecessor.signingKey, card.snapshot, signature)) return true;
  }
  return false;
}

/** Whether the key of `endorser`, a card of the same identity, vouches for `card`. */
export async function verifyEndorsement(card: Card, endorser: Card): Promise<boolean> {
  if (card.identity !== endorser.identity || card.id === endorser.id) return false;
  const extra = endorserExtra(endorser.id);
  for (const signature of card.signatures) {
    if (signature.signer !== 'endorser' || !equal(signature.extra, extra)) continue;
    if (await verifySnapshot(endorser.signingKey, card.snapshot, signature)) return true;
  }
  return false;
}

function endorserExtra(cardId: CardId): Bytes {
  return utf8(JSON.stringify({ cardId }));
}

// Without room for the application's approval nobody would accept it.
function checkRoom({ signatures }: Card): void {
  const isApproved = signatures.some(({ signer }) => signer === 'app');
  if (signatures.length + (isApproved ? 1 : 2) <= CARD_LIMITS.signatures) return;
  throw new EncryptionError('INVALID_ARGUMENT', 'A card holds at most 8 signatures.');
}

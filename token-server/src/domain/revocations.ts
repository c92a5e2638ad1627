import {
  EncryptionError,
  importCard,
  parseIdentity,
  parseCardId,
  parseRevocation,
  saysMore,
  verifyRevocation,
  type Card,
  type Revocation,
} from 'twilio-chat-encryption/protocol';
import { ServerError } from './errors.ts';
import type { Log } from './log.ts';
import type { CardRecord, Store, StoreTransaction } from './store.ts';

/** Parts that revoking needs. */
export interface RevocationParts {
  readonly store: Store;
  readonly log: Log;
  readonly now: () => number;
}

/**
 * Ends a card and logs the revocation, in one transaction.
 *
 * @param exported - the revocation; signed by the card or by another live card of its identity
 * @throws ServerError `REVOCATION_INVALID`, `CARD_REVOKED`, `CARD_LIMIT`
 */
export async function revokeCard(
  { store, log, now }: RevocationParts,
  { id }: CardRecord,
  exported: string,
): Promise<void> {
  const revocation = parse(exported);
  if (revocation.cardId !== id) throw invalid('is of another card');
  await store.transaction(async (transaction) => {
    const known = await transaction.findCard(id);
    const stored = known?.revocation ?? null;
    if (stored === exported) return;
    const before = stored === null ? null : parse(stored);
    if (before && !saysMore(revocation, before)) {
      throw new ServerError('CARD_REVOKED', 'The card was revoked before, and this says no more.');
    }
    const card = await requireSigned(revocation, transaction);
    // Since when it is not live stays as it is for one that was replaced before.
    await transaction.endCard(id, known?.endedAt ?? now(), exported);
    const identity = parseIdentity(card.identity);
    const entry = { operation: 'revoke', time: now(), identity, cardId: card.id } as const;
    const isFirst = before === null;
    await log.append(transaction.log, { ...entry, content: exported, isAlwaysTaken: isFirst });
  });
}

/** The revoked card, when somebody signed who may revoke it. */
async function requireSigned(revocation: Revocation, transaction: StoreTransaction): Promise<Card> {
  const { cardId, signer } = revocation;
  if (signer === 'app') throw invalid('is signed in the name of the application');
  const card = await transaction.findCard(cardId);
  const device = await transaction.findCard(parseCardId(signer));
  // A card may end itself also after another one followed it; over others only live ones decide.
  const mayRevoke =
    device?.identity === card?.identity && (signer === cardId || device?.endedAt === null);
  if (!card || !device || !mayRevoke) throw invalid('is signed by no live card of the identity');
  const { signingKey } = await importCard(device.exported);
  if (!(await verifyRevocation(revocation, signingKey))) throw invalid('has a wrong signature');
  return importCard(card.exported);
}

function parse(exported: string): Revocation {
  try {
    return parseRevocation(exported);
  } catch (error) {
    if (!(error instanceof EncryptionError)) throw error;
    throw new ServerError('REVOCATION_INVALID', error.message, { cause: error });
  }
}

function invalid(why: string): ServerError {
  return new ServerError('REVOCATION_INVALID', `The revocation ${why}.`);
}

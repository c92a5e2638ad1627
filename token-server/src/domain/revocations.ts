import {
  createRevocation,
  EncryptionError,
  importCard,
  parseIdentity,
  parseRevocation,
  saysMore,
  verifyRevocation,
  type CardId,
  type Revocation,
  type RevocationReason,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import { ServerError } from './errors.ts';
import type { Log } from './log.ts';
import type { CardRecord } from './card-record.ts';
import { requireStillCurrent, type Session } from './sessions.ts';
import type { Store, StoreTransaction } from './store.ts';

/** Parts that revoking needs. */
export interface RevocationParts {
  readonly store: Pick<Store, 'transaction'>;
  readonly log: Log;
  readonly now: () => number;
}

/**
 * Ends a card and logs the revocation, in one transaction.
 *
 * @param session - of the card's identity
 * @param id - of the card
 * @param exported - the revocation; signed by the card or by another live card of its identity
 * @throws ServerError `CARD_NOT_FOUND`, `REVOCATION_INVALID`, `CARD_REVOKED`, `CARD_LIMIT`,
 *   `SESSION_EXPIRED`
 */
export async function revokeCard(
  parts: RevocationParts,
  session: Session,
  id: string,
  exported: string,
): Promise<void> {
  const revocation = parse(exported);
  if (revocation.cardId !== id) throw invalid('is of another card');
  await parts.store.transaction(async (transaction) => {
    await requireStillCurrent(session, transaction);
    await takeRevocation(parts, exported, transaction, requireSigned);
  });
}

/**
 * Ends a card in the name of the application, which may end any.
 *
 * @throws ServerError `CARD_NOT_FOUND`; `CARD_REVOKED` when it was, and this says no more
 */
export async function revokeAsApplication(
  parts: RevocationParts & { readonly appKey: SigningKey },
  id: CardId,
  reason: RevocationReason,
): Promise<void> {
  const content = { cardId: id, reason, revokedAt: parts.now(), signer: 'app' } as const;
  const exported = await createRevocation(content, parts.appKey);
  await parts.store.transaction((transaction) => takeRevocation(parts, exported, transaction));
}

/**
 * Ends a card in a transaction that is under way.
 *
 * @param exported - the revocation
 * @param check - throws when whoever signed may not revoke the card; without it, it is the application
 * @throws ServerError as {@link revokeCard}
 */
export async function takeRevocation(
  { log, now }: Pick<RevocationParts, 'log' | 'now'>,
  exported: string,
  transaction: StoreTransaction,
  check?: (revocation: Revocation, card: CardRecord, among: StoreTransaction) => Promise<void>,
): Promise<void> {
  const revocation = parse(exported);
  const card = await transaction.findCard(revocation.cardId);
  if (card === null) throw new ServerError('CARD_NOT_FOUND', 'There is no card with this id.');
  if (card.revocation === exported) return;
  const isFirst = card.revocation === null;
  if (card.revocation !== null && !saysMore(revocation, parse(card.revocation))) {
    throw new ServerError('CARD_REVOKED', 'The card was revoked before, and this says no more.');
  }
  await check?.(revocation, card, transaction);
  // Since when it is not live stays as it is for one that was replaced before.
  await transaction.endCard(card.id, card.endedAt ?? now(), exported);
  await log.append(transaction.log, {
    operation: 'revoke',
    time: now(),
    identity: parseIdentity(card.identity),
    cardId: revocation.cardId,
    content: exported,
    isAlwaysTaken: isFirst,
  });
}

async function requireSigned(
  revocation: Revocation,
  card: CardRecord,
  transaction: StoreTransaction,
): Promise<void> {
  const { cardId, signer } = revocation;
  if (signer === 'app') throw invalid('is signed in the name of the application');
  const device = signer === cardId ? card : await transaction.findCard(signer);
  // A card may end itself also after another one followed it; over others only live ones decide.
  const mayRevoke =
    device?.identity === card.identity && (signer === cardId || device.endedAt === null);
  if (!mayRevoke) throw invalid('is signed by no live card of the identity');
  const { signingKey } = await importCard(device.exported);
  if (!(await verifyRevocation(revocation, signingKey))) throw invalid('has a wrong signature');
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

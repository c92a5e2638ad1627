/** Cards of the server's making: it knows their private keys. */
import {
  approveCard,
  createCard,
  curves,
  endorseCard,
  exportCard,
  parseIdentity,
  succeedCard,
  type Card,
  type CardId,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import type { LoggedDirectory } from '../client/logged-directory.ts';
import { APP_KEY, random, type Person } from '../protocol/people.ts';

/** How a forged card came about. */
export interface Forgery {
  /** The card that it says it replaces, and the key that signs that. */
  readonly replaces?: readonly [CardId, SigningKey];
  /** The card that is said to vouch for it, and the key that signs that. */
  readonly endorsed?: readonly [CardId, SigningKey];
  /** Who approved it: the application, if nothing else is said. */
  readonly approvedBy?: SigningKey | null;
}

/** A card in somebody's name, which is not theirs. */
export async function forged(
  identity: string,
  { replaces, endorsed, approvedBy = APP_KEY }: Forgery = {},
): Promise<Person> {
  const backEnd = await curves();
  const signingKey = await backEnd.importSigningKey(random(32));
  const encryptionSecret = random(32);
  const encryptionKey = await backEnd.importAgreementKey(encryptionSecret);
  const content = {
    identity: parseIdentity(identity),
    createdAt: Date.now(),
    ...(replaces && { previousCardId: replaces[0] }),
  };
  let card = await createCard(content, signingKey, encryptionKey);
  if (replaces) card = await succeedCard(card, replaces[1]);
  if (endorsed) card = await endorseCard(card, { id: endorsed[0], signingKey: endorsed[1] });
  if (approvedBy) card = await approveCard(card, approvedBy, Date.now());
  return { card, signingKey, encryptionKey, encryptionSecret };
}

/** Writes a card into a log as it is. */
export async function plant({ log }: LoggedDirectory, card: Card): Promise<void> {
  const { identity, id: cardId } = card;
  const content = exportCard(card);
  await log.append({ operation: 'approve', time: Date.now(), identity, cardId, content });
}

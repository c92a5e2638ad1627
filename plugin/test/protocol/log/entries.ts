/** Entries of one identity, without the log around them. */
import {
  approveCard,
  createCard,
  createRevocation,
  curves,
  detailOf,
  encodeEntry,
  endorseCard,
  exportCard,
  identityHash,
  parseIdentity,
  readHistory,
  succeedCard,
  type Card,
  type EntryWithContent,
  type Identity,
  type IdentityHistory,
  type LogEntry,
  type RevocationContent,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import { APP_KEY, random } from '../people.ts';

const backEnd = await curves();
const LOG_KEY = random(32);
const appKeys = [await backEnd.importVerifyingKey(APP_KEY.publicKey)];
export const ALICE: Identity = parseIdentity('alice');
const OWNER_HASH = identityHash(LOG_KEY, ALICE);

/** A card and the key that it signs with. */
export interface Device {
  readonly card: Card;
  readonly key: SigningKey;
}

/** A device that replaces another and is endorsed, or neither. */
export async function device(
  previous?: Device,
  endorsers: readonly Device[] = [],
  identity: Identity = ALICE,
): Promise<Device> {
  const key = await backEnd.importSigningKey(random(32));
  const agreement = await backEnd.importAgreementKey(random(32));
  const replaces = previous && { previousCardId: previous.card.id };
  const made = await createCard({ identity, createdAt: 1, ...replaces }, key, agreement);
  const card = previous ? await succeedCard(made, previous.key) : made;
  return endorsed({ card, key }, ...endorsers);
}

/** The device, with these endorsements besides those on its card. */
export async function endorsed(
  { card, key }: Device,
  ...endorsers: readonly Device[]
): Promise<Device> {
  let signed = card;
  for (const { card: its, key: signingKey } of endorsers) {
    signed = await endorseCard(signed, { id: its.id, signingKey });
  }
  return { card: signed, key };
}

/** The entry of a card under an approval. */
export async function approval(
  { card }: Device,
  by: SigningKey = APP_KEY,
): Promise<EntryWithContent> {
  return entryOf('approve', card.id, exportCard(await approveCard(card, by, 2)));
}

/** The entry of a revocation by a device, or else by the application. */
export async function revocation(
  { card: { id: cardId } }: Device,
  by: Device | null,
  more: Pick<RevocationContent, 'reason' | 'since'> = { reason: 'retired' },
): Promise<EntryWithContent> {
  const content = { cardId, ...more, revokedAt: 3, signer: by?.card.id ?? 'app' } as const;
  return entryOf('revoke', cardId, await createRevocation(content, by?.key ?? APP_KEY));
}

/** What the entries of alice come to, for somebody who pinned the application's key. */
export async function read(entries: readonly EntryWithContent[]): Promise<IdentityHistory> {
  const history = await readHistory(entries, { identity: ALICE, logKey: LOG_KEY, appKeys });
  if (!history) throw new Error('Bytes and entries belong together.');
  return history;
}

/** The cards of a history, to be compared: keys have functions. */
export function plain({ cards }: IdentityHistory): readonly unknown[] {
  return cards.map(({ card, ...rest }) => ({ ...rest, card: exportCard(card) }));
}

function entryOf(
  operation: LogEntry['operation'],
  cardId: Card['id'],
  content: string,
): EntryWithContent {
  const entry = { operation, time: 7, identityHash: OWNER_HASH, cardId, detail: detailOf(content) };
  return { entry: encodeEntry(entry), content };
}

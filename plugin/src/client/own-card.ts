/** One of a device's own cards: made on the device, approved by the server. */
import { EncryptionError, isEncryptionError } from '../errors.ts';
import {
  checkApproval,
  createCard,
  exportCard,
  importCard,
  type Card,
  type CardContent,
} from '../protocol/card.ts';
import { endorseCard, succeedCard } from '../protocol/card-links.ts';
import {
  curves,
  type AgreementKey,
  type SigningKey,
  type VerifyingKey,
} from '../protocol/curves.ts';
import type { KemKey } from '../protocol/kem.ts';
import { damaged } from '../protocol/key-record.ts';
import { makeSecrets, splitSecrets, type StoredKeys } from '../protocol/key-ring.ts';
import { xwing } from '../protocol/xwing.ts';
import type { Identity } from '../protocol/identifiers.ts';
import { equal, utf8, utf8Text, type Bytes, type RandomSource } from '../protocol/primitives.ts';
import { deriveStateKey } from '../protocol/state-record.ts';
import type { Directory } from './directory.ts';
import type { Records } from './state.ts';

/** A card of this device's person, and the private keys to it. */
export interface OwnCard {
  readonly card: Card;
  readonly signingKey: SigningKey;
  readonly encryptionKey: AgreementKey;
  /** Of suite 2; there when the card has such a key. */
  readonly pqEncryptionKey?: KemKey;
  /** Seals the sessions that these keys opened, 32 bytes: they go when the keys go. */
  readonly sessionKey: Bytes;
}

/** What a new card says. */
export interface NewCard {
  readonly identity: Identity;
  readonly createdAt: number;
  readonly device: string | undefined;
  /** Whether it gets a key of suite 2. */
  readonly postQuantum: boolean;
}

/**
 * Fresh keys and a card for them.
 * @param vouching `predecessor`: the card that it replaces; `endorser`: another one of this person
 */
export async function makeKeys(
  { identity, createdAt, device, postQuantum }: NewCard,
  random: RandomSource,
  vouching: { readonly predecessor?: OwnCard; readonly endorser?: OwnCard } = {},
): Promise<StoredKeys> {
  const { predecessor, endorser } = vouching;
  const secrets = makeSecrets(random);
  const [signingSeed, encryptionSecret, pqSeed] = splitSecrets(secrets);
  const backEnd = await curves();
  const content: CardContent = {
    identity,
    createdAt,
    ...(device !== undefined && { device }),
    ...(predecessor && { previousCardId: predecessor.card.id }),
  };
  const card = await createCard(
    content,
    await backEnd.importSigningKey(signingSeed),
    await backEnd.importAgreementKey(encryptionSecret),
    ...(postQuantum ? [await (await xwing()).importKey(pqSeed)] : []),
  );
  const succeeding = predecessor ? await succeedCard(card, predecessor.signingKey) : card;
  const endorsed = endorser
    ? await endorseCard(succeeding, { id: endorser.card.id, signingKey: endorser.signingKey })
    : succeeding;
  return { secrets, card: exportCard(endorsed) };
}

/**
 * A card and its keys, as they were stored.
 * @throws EncryptionError `KEY_RECORD_DAMAGED` also when one is not the other's, `POST_QUANTUM_UNAVAILABLE`
 */
export async function importOwnCard(
  { secrets, card: exported }: StoredKeys,
  identity: Identity,
): Promise<OwnCard> {
  const card = await importCard(exported).catch((error: unknown) => {
    if (isEncryptionError(error, 'CARD_INVALID')) return null;
    throw error;
  });
  if (card?.identity !== identity) throw damaged();
  const [signingSeed, encryptionSecret, pqSeed] = splitSecrets(secrets);
  const backEnd = await curves();
  const own: OwnCard = {
    card,
    signingKey: await backEnd.importSigningKey(signingSeed),
    encryptionKey: await backEnd.importAgreementKey(encryptionSecret),
    // Also when the option is off now: a card that has the key is sent messages of suite 2. At
    // once and not when it is needed: until then the seed would have to be kept.
    ...(card.pqEncryptionKey && { pqEncryptionKey: await (await xwing()).importKey(pqSeed) }),
    sessionKey: deriveStateKey(secrets),
  };
  if (holdsKeys(own)) return own;
  throw damaged();
}

function holdsKeys({ card, signingKey, encryptionKey, pqEncryptionKey }: OwnCard): boolean {
  const none = new Uint8Array();
  return (
    equal(card.signingKey.publicKey, signingKey.publicKey) &&
    equal(card.encryptionKey, encryptionKey.publicKey) &&
    equal(card.pqEncryptionKey ?? none, pqEncryptionKey?.publicKey ?? none)
  );
}

/** What approving works with. */
export interface ApprovalContext {
  readonly records: Records;
  readonly directory: Directory;
  readonly appKeys: readonly VerifyingKey[];
}

const nameOf = ({ id }: Card): string => `card/${id}`;

/** Whether the server approved this card before, as far as this device remembers. */
export async function wasApproved(card: Card, records: Records): Promise<boolean> {
  return (await records.get(nameOf(card))) !== null;
}

/**
 * The card with the server's approval, published.
 * @throws EncryptionError `OWN_CARD_INVALID`, the directory's and the key store's errors
 */
export async function approvedCard(card: Card, context: ApprovalContext): Promise<Card> {
  const { records, directory, appKeys } = context;
  const stored = await records.get(nameOf(card));
  try {
    const exported = await directory.publish(exportCard(card));
    const approved = await checkOwn(card, exported, appKeys);
    await records.update(nameOf(card), () => utf8(exported));
    return approved;
  } catch (error) {
    // Without the server a device that was approved before can still read, and write to those
    // whose cards it knows.
    if (!stored || !isEncryptionError(error, 'DIRECTORY_UNREACHABLE', 'KEY_STORE_FULL'))
      throw error;
    return checkOwn(card, utf8Text(stored) ?? '', appKeys);
  }
}

async function checkOwn(
  card: Card,
  exported: string,
  appKeys: readonly VerifyingKey[],
): Promise<Card> {
  try {
    const approved = await importCard(exported);
    await checkApproval(approved, appKeys);
    if (approved.id === card.id) return approved;
  } catch (cause) {
    throw isEncryptionError(cause, 'CARD_INVALID') ? ownCardInvalid(cause) : cause;
  }
  throw ownCardInvalid();
}

function ownCardInvalid(cause?: unknown): EncryptionError {
  return new EncryptionError(
    'OWN_CARD_INVALID',
    "The server did not approve this device's card under a pinned application key: the application needs an update, or another appKey.",
    { cause },
  );
}

/** What the vectors of the log are made of: devices, their links and revocations, and entries. */
import { bytesToHex } from '@noble/hashes/utils.js';
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
  succeedCard,
  type Bytes,
  type Card,
  type IdentityHistory,
  type LogEntry,
  type RevocationContent,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import type { LogHistoryVector } from '../vector-files.ts';
import { APP_KEY, APPROVED, CREATED } from './people.ts';
import { bytesOf } from './source.ts';

const backEnd = await curves();

/** The log of the vectors. */
export const LOG_KEY: SigningKey = await backEnd.importSigningKey(bytesOf('log'));
/** Another one. */
export const OTHER_LOG_KEY: SigningKey = await backEnd.importSigningKey(bytesOf('other log'));

export const REVOKED = 1_700_000_600_000;
export const LOGGED = 1_700_000_100_000;

/** A device with a card. */
export interface Device {
  readonly card: Card;
  readonly key: SigningKey;
  /** With the approval. */
  readonly exported: string;
}

/** Who vouches for a new device. */
export interface Links {
  /** The card that it replaces. */
  readonly previous?: Device;
  /** Whether that one signed. */
  readonly isSigned?: boolean;
  readonly endorsers?: readonly Device[];
  readonly appKey?: SigningKey;
}

/** A device of the identity before the slash; always the same one for the same name. */
export async function device(name: string, links: Links = {}): Promise<Device> {
  const { previous, isSigned = true, endorsers = [], appKey = APP_KEY } = links;
  const key = await backEnd.importSigningKey(bytesOf(`${name}/signing`));
  const agreement = await backEnd.importAgreementKey(bytesOf(`${name}/encryption`));
  const identity = parseIdentity(name.split('/')[0]);
  const content = {
    identity,
    createdAt: CREATED,
    ...(previous && { previousCardId: previous.card.id }),
  };
  let card = await createCard(content, key, agreement);
  if (previous && isSigned) card = await succeedCard(card, previous.key);
  for (const { card: its, key: signingKey } of endorsers) {
    card = await endorseCard(card, { id: its.id, signingKey });
  }
  return { card, key, exported: exportCard(await approveCard(card, appKey, APPROVED)) };
}

/** An exported revocation. */
export async function revocation(
  revoked: Device,
  by: Device | SigningKey,
  more: Partial<RevocationContent> = {},
): Promise<string> {
  const [signer, key] = 'card' in by ? [by.card.id, by.key] : ['app' as const, by];
  const content = { cardId: revoked.card.id, reason: 'retired', revokedAt: REVOKED } as const;
  return createRevocation({ ...content, signer, ...more }, key);
}

/** The bytes of an entry. */
export function entryOf(
  operation: LogEntry['operation'],
  cardId: Card['id'],
  content: string,
  changes: { readonly time?: number; readonly identity?: string; readonly logKey?: Bytes } = {},
): Bytes {
  const { time = LOGGED, identity = 'alice', logKey = LOG_KEY.publicKey } = changes;
  return encodeEntry({
    operation,
    time,
    identityHash: identityHash(logKey, parseIdentity(identity)),
    cardId,
    detail: detailOf(content),
  });
}

/** What a history comes to, as the vectors have it. */
export function historyVector({ count, hash, invalid, cards }: IdentityHistory): LogHistoryVector {
  return {
    count,
    hash: bytesToHex(hash),
    invalid,
    cards: cards.map(({ card, position, loggedAt, status, endedAt, reason, vouchers }) => ({
      cardId: card.id,
      position,
      loggedAt,
      status,
      ...(endedAt !== undefined && { endedAt }),
      ...(reason && { reason }),
      vouchers,
    })),
  };
}

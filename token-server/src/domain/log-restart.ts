import {
  approveCard,
  checkApproval,
  createRevocation,
  decodeEntry,
  base64url,
  exportCard,
  importCard,
  isEncryptionError,
  parseIdentity,
  parseRevocation,
  verifyRevocation,
  type Card,
  type SigningKey,
  type VerifyingKey,
} from 'twilio-chat-encryption/protocol';
import { z } from 'zod';
import { isOfLog } from './log-key.ts';
import type { Log } from './log.ts';
import type { StoredEntry } from './log-store.ts';
import type { Store, StoreTransaction } from './store.ts';

/** What a log begins again with. */
export interface RestartParts {
  readonly store: Pick<Store, 'transaction'>;
  /** Under the new key. */
  readonly log: Log;
  readonly logKey: SigningKey;
  /** Approves what an earlier key approved. */
  readonly appKey: SigningKey;
  /** All keys that approved what is in the log, that of now among them. */
  readonly appKeys: readonly VerifyingKey[];
}

/**
 * Begins the log again under another key: the same entries in the same order, with the same times, and
 * all that the application signed is of its key of now. So who pins the new keys alone reads what others
 * read. Approving again within one log would not do: who is live is decided in the log's order, and a card
 * that was replaced or revoked before would be live again.
 *
 * All in one transaction, also when a signer takes its time: half a log is none. No server may run.
 *
 * @returns how many entries there are
 * @throws Error when the key is that of the log, or something in it is signed by none of these keys;
 *   nothing is changed then
 */
export function restartLog(parts: RestartParts): Promise<number> {
  const { store, logKey } = parts;
  return store.transaction(async (transaction) => {
    const size = await transaction.log.size();
    const last = size === 0 ? null : await transaction.log.entry(size - 1);
    if (!last) throw new Error('The log is empty: there is nothing to begin again with.');
    if (isOfLog(last, logKey.publicKey)) {
      // Two logs under one key are what clients call a split view.
      throw new Error(
        'LOG_PRIVATE_KEY is the key of the log in the database. Make another one with `keygen log`.',
      );
    }
    for await (const entry of transaction.log.restart()) await takeOver(parts, entry, transaction);
    return transaction.log.size();
  });
}

async function takeOver(
  parts: RestartParts,
  { index, identity, entry, content: before }: StoredEntry,
  transaction: StoreTransaction,
): Promise<void> {
  const decoded = decodeEntry(base64url.decode(entry) ?? new Uint8Array());
  if (!decoded) throw new Error(`Entry ${index} is damaged. \`log verify\` says more.`);
  const { operation, time, cardId } = decoded;
  const sign = operation === 'approve' ? approvedCard : revocationOf;
  const signed = await sign(parts, before);
  if (signed === null) {
    throw new Error(
      `Entry ${index}, of the card ${cardId}, is signed by no key of the application. Name the public keys of before in EARLIER_APP_KEYS.`,
    );
  }
  const card = await transaction.findCard(cardId);
  if (card?.exported === before) await transaction.replaceExport(cardId, signed);
  if (card?.revocation === before) await transaction.endCard(cardId, card.endedAt ?? time, signed);
  await parts.log.append(transaction.log, {
    operation,
    time,
    identity: parseIdentity(identity),
    cardId,
    content: signed,
    isAlwaysTaken: true,
  });
}

/** The card, approved by the key of now; null when none approved it. */
async function approvedCard(
  { appKey, appKeys }: RestartParts,
  exported: string,
): Promise<string | null> {
  const card = await importCard(exported);
  const current = appKeys.filter(({ publicKey }) => isSame(publicKey, appKey.publicKey));
  if (await isApproved(card, current)) return exported;
  if (!(await isApproved(card, appKeys))) return null;
  const approvals = card.signatures.filter(({ signer }) => signer === 'app');
  const signatures = card.signatures.filter(({ signer }) => signer !== 'app');
  const [approvedAt = 0] = approvals.map(({ extra }) => approvedAtOf(extra));
  return exportCard(await approveCard({ ...card, signatures }, appKey, approvedAt));
}

async function isApproved(card: Card, appKeys: readonly VerifyingKey[]): Promise<boolean> {
  try {
    await checkApproval(card, appKeys);
    return true;
  } catch (error) {
    if (isEncryptionError(error, 'CARD_INVALID')) return false;
    throw error;
  }
}

const Approval = z.object({ approvedAt: z.number() });

function approvedAtOf(extra: Uint8Array): number {
  return Approval.parse(JSON.parse(new TextDecoder().decode(extra))).approvedAt;
}

/** The revocation, which is of the key of now if it is of the application; null when it is of no key. */
async function revocationOf(
  { appKey, appKeys }: RestartParts,
  exported: string,
): Promise<string | null> {
  const revocation = parseRevocation(exported);
  const { cardId, reason, since, revokedAt, signer } = revocation;
  if (signer !== 'app') return exported;
  const keys = await Promise.all(
    appKeys.map(async (key) => ((await verifyRevocation(revocation, key)) ? [key] : [])),
  );
  const [key] = keys.flat();
  if (!key) return null;
  if (isSame(key.publicKey, appKey.publicKey)) return exported;
  const content = { cardId, reason, ...(since !== undefined && { since }), revokedAt, signer };
  return createRevocation(content, appKey);
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

/** Revocations, and cards that vouch for others: revocation.md and card.md. */
import type { RevocationVector } from '../vector-files.ts';
import { base64url, L, Refused, require, utf8 } from './bytes.ts';
import { isCardId, isTime, verifies, type Card } from './card.ts';
import { isSignature } from './curves.ts';
import { canonical, members } from './json.ts';

const MEMBERS = ['v', 'cardId', 'reason', 'since', 'revokedAt', 'signer'];

/** A revocation whose form is right. */
export interface Revocation {
  readonly content: Buffer;
  readonly signature: Buffer;
  readonly cardId: string;
  readonly reason: 'retired' | 'compromised';
  readonly since: number | undefined;
  readonly revokedAt: number;
  readonly signer: string;
}

function check(condition: boolean): asserts condition {
  require(condition, 'INVALID_ARGUMENT');
}

/** Reads a revocation. */
export function openRevocation(exported: string): Revocation {
  check(exported.length <= 1024);
  const outer = members(canonical(textOf(exported)), ['content', 'signature']);
  check(outer !== null);
  const [content, signature] = [outer['content'], outer['signature']];
  check(typeof content === 'string' && typeof signature === 'string');
  const signed = base64url(signature);
  check(signed?.length === 64);
  const bytes = base64url(content);
  check(bytes !== null);
  const said = members(canonical(utf8(bytes)), MEMBERS);
  check(said?.['v'] === 1);
  const { cardId, reason, since, revokedAt, signer } = said;
  check(isCardId(cardId) && isTime(revokedAt));
  check(reason === 'retired' || reason === 'compromised');
  check(since === undefined || (reason === 'compromised' && isPosition(since)));
  check(signer === 'app' || isCardId(signer));
  return { content: bytes, signature: signed, cardId, reason, since, revokedAt, signer };
}

function textOf(exported: string): string | null {
  const bytes = base64url(exported);
  return bytes && utf8(bytes);
}

function isPosition(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}

/** Whether this key signed the revocation. */
export function signedBy(key: Uint8Array, { content, signature }: Revocation): boolean {
  return isSignature(key, signature, Buffer.concat([L('card-revocation'), content]));
}

/** What a revocation says, when its form is right and `key`, if any, signed it. */
export function describeRevocation(exported: string, key: Uint8Array | null): RevocationVector {
  const read = openRevocation(exported);
  if (key && !signedBy(key, read)) throw new Refused('BAD_SIGNATURE');
  const { cardId, reason, since, revokedAt, signer } = read;
  const start = { content: read.content.toString(), cardId, reason };
  return { ...start, ...(since !== undefined && { since }), revokedAt, signer };
}

/** Whether the card replaces the earlier one, whose key says so. */
export function succeeds(card: Card, earlier: Card): boolean {
  const named = card.previousCardId === earlier.id && card.identity === earlier.identity;
  const signatures = card.signatures.filter(({ signer }) => signer === 'predecessor');
  return named && signatures.some((one) => verifies(earlier.signingKey, card.snapshot, one));
}

/** Whether the earlier card's key vouches for the card under its id. */
export function endorses(earlier: Card, card: Card): boolean {
  const extra = Buffer.from(`{"cardId":"${earlier.id}"}`);
  const signatures = card.signatures.filter(
    (one) => one.signer === 'endorser' && one.extra.equals(extra),
  );
  const other = card.id !== earlier.id && card.identity === earlier.identity;
  return other && signatures.some((one) => verifies(earlier.signingKey, card.snapshot, one));
}

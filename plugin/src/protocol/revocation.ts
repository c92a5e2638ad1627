/** Revocations: that a card is not to be used any more, signed by somebody who may say so. */
import { EncryptionError } from '../errors.ts';
import type { SigningKey, VerifyingKey } from './curves.ts';
import { parseCardId, type CardId } from './identifiers.ts';
import { isTime } from './time.ts';
import { base64url, equal, utf8, utf8Text, type Bytes } from './primitives.ts';
import { sign, verify } from './signature.ts';

/** What a revocation says. */
export interface RevocationContent {
  readonly cardId: CardId;
  /** `retired`: no longer used. `compromised`: somebody else may have its keys. */
  readonly reason: RevocationReason;
  /**
   * Of a compromised card: the number, from 0, of the entry in the identity's history from which on
   * nothing counts that this card vouched for. 0 when absent.
   */
  readonly since?: number;
  /** By the revoker's clock: milliseconds since 1970-01-01 UTC. */
  readonly revokedAt: number;
  /** Who signed: the card itself, another device of the identity, or the application. */
  readonly signer: RevocationSigner;
}

/** Why a card is revoked. */
export type RevocationReason = 'retired' | 'compromised';

/** Who revokes a card: `app`, or the card of this id, which may be the revoked one itself. */
export type RevocationSigner = 'app' | CardId;

/** A revocation whose form was checked, and whose signature was not. */
export interface Revocation extends RevocationContent {
  /** The bytes that are signed. */
  readonly content: Bytes;
  /** Ed25519, 64 bytes. */
  readonly signature: Bytes;
}

const MAX_EXPORT_CHARACTERS = 1024;

/** A signed revocation as a string, for the server and for other people. */
export async function createRevocation(
  revocation: RevocationContent,
  key: SigningKey,
): Promise<string> {
  const content = encodeContent(revocation);
  if (!decodeContent(content)) {
    throw new EncryptionError('INVALID_ARGUMENT', 'This is no content of a revocation.');
  }
  return encodeExport(content, await sign(key, 'card-revocation', content));
}

/**
 * Reads a revocation, and checks its form.
 * @throws EncryptionError `INVALID_ARGUMENT`
 */
export function parseRevocation(exported: string): Revocation {
  const parsed = decodeExport(exported);
  if (parsed) return parsed;
  throw new EncryptionError('INVALID_ARGUMENT', 'This is no revocation.');
}

/** Whether the revocation is signed with this key. */
export function verifyRevocation(
  { content, signature }: Revocation,
  key: VerifyingKey,
): Promise<boolean> {
  return verify(key, 'card-revocation', signature, content);
}

/**
 * Whether a revocation says more of its card than the one `before`. Only such a one counts: who has a
 * stolen key could revoke the card first, as `retired`, or as compromised since some day to come.
 */
export function saysMore(revocation: RevocationContent, before: RevocationContent): boolean {
  if (revocation.reason !== 'compromised') return false;
  return before.reason === 'retired' || (revocation.since ?? 0) < (before.since ?? 0);
}

/** The one serialisation: the members in this order, absent if absent. */
function encodeContent({ cardId, reason, since, revokedAt, signer }: RevocationContent): Bytes {
  return utf8(JSON.stringify({ v: 1, cardId, reason, since, revokedAt, signer }));
}

function decodeContent(content: Bytes): RevocationContent | null {
  try {
    const json = parseObject(content);
    const { reason, since, revokedAt, signer } = json;
    if (reason !== 'retired' && reason !== 'compromised') return null;
    if (!isTime(revokedAt) || (reason === 'retired' && since !== undefined)) return null;
    const revocation: RevocationContent = {
      cardId: parseCardId(json['cardId']),
      reason,
      ...('since' in json && { since: position(since) }),
      revokedAt,
      signer: signer === 'app' ? 'app' : parseCardId(signer),
    };
    return equal(encodeContent(revocation), content) ? revocation : null;
  } catch {
    return null;
  }
}

function encodeExport(content: Bytes, signature: Bytes): string {
  const json = { content: base64url.encode(content), signature: base64url.encode(signature) };
  return base64url.encode(utf8(JSON.stringify(json)));
}

function decodeExport(exported: unknown): Revocation | null {
  if (typeof exported !== 'string' || exported.length > MAX_EXPORT_CHARACTERS) return null;
  try {
    const json = parseObject(base64url.decode(exported) ?? new Uint8Array());
    const [content, signature] = [bytes(json['content']), bytes(json['signature'])];
    const revocation = decodeContent(content);
    if (!revocation || signature.length !== 64) return null;
    const isCanonical = encodeExport(content, signature) === exported;
    return isCanonical ? { ...revocation, content, signature } : null;
  } catch {
    return null;
  }
}

function parseObject(json: Bytes): Record<string, unknown> {
  const value: unknown = JSON.parse(utf8Text(json) ?? '');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError();
  return Object.fromEntries(Object.entries(value));
}

function bytes(value: unknown): Bytes {
  const decoded = typeof value === 'string' ? base64url.decode(value) : null;
  if (!decoded) throw new TypeError();
  return decoded;
}

function position(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= 2 ** 32) {
    throw new TypeError();
  }
  return value;
}

/**
 * Cards: a user's public keys, named and signed. A card says nothing true until it is checked:
 * {@link importCard} checks all that the card proves by itself, {@link checkApproval} that the
 * application approved it.
 */
import { EncryptionError, isEncryptionError } from '../errors.ts';
import { lengthPrefixed } from './bytes.ts';
import { checkAgreementPublicKey } from './curve-checks.ts';
import { curves, type AgreementKey, type SigningKey, type VerifyingKey } from './curves.ts';
import { checkXWingPublicKey, type KemKey } from './kem.ts';
import {
  cardIdOf,
  isPlainText,
  parseCardId,
  parseIdentity,
  type CardId,
  type Identity,
} from './identifiers.ts';
import { isTime } from './time.ts';
import { base64url, equal, hash, utf8, utf8Text, type Bytes } from './primitives.ts';
import { sign, verify } from './signature.ts';

/** Who signed a card: its own key, the application, the card it replaces, another device's card. */
export type CardSigner = 'self' | 'app' | 'predecessor' | 'endorser';

/** One signature on a card. */
export interface CardSignature {
  readonly signer: CardSigner;
  /** Ed25519, 64 bytes. */
  readonly signature: Bytes;
  /** UTF-8 JSON that the signature also covers; empty for `self` and `predecessor`. */
  readonly extra: Bytes;
}

/** A card whose id, canonical form, keys and own signature were checked. */
export interface Card {
  readonly id: CardId;
  readonly identity: Identity;
  /** Verifies what the card's holder signs. */
  readonly signingKey: VerifyingKey;
  /** The X25519 public key that messages are encrypted for, 32 bytes. */
  readonly encryptionKey: Bytes;
  /** The X-Wing public key that suite 2 encrypts for, 1216 bytes; absent without that suite. */
  readonly pqEncryptionKey?: Bytes;
  /** By the device's clock: milliseconds since 1970-01-01 UTC. */
  readonly createdAt: number;
  /** The device's name, for people. */
  readonly device?: string;
  /** The card that this one replaces. */
  readonly previousCardId?: CardId;
  /** The application's own entries, at most 16. Whoever has the card can read them. */
  readonly fields?: Readonly<Record<string, string>>;
  /** The bytes that the id and every signature cover. */
  readonly snapshot: Bytes;
  readonly signatures: readonly CardSignature[];
}

/** What a new card says; the keys come from its key pairs. */
export interface CardContent {
  readonly identity: Identity;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly createdAt: number;
  /** 1 to 256 characters that can be shown: no controls, and nothing that changes a direction. */
  readonly device?: string;
  readonly previousCardId?: CardId;
  /** At most 16 entries; names and values of 1 to 256 characters. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** Bounds of a card, in bytes and counts. */
export const CARD_LIMITS = { snapshot: 8192, fields: 16, text: 256, signatures: 8 } as const;

// 8 KiB of snapshot and 8 signatures with their extra, twice in base64url, stay below this.
const MAX_EXPORT_CHARACTERS = 32_768;

// 1216 bytes in base64url.
const XWING_KEY_CHARACTERS = 1622;

/**
 * A new card, signed by itself.
 * @param pqEncryptionKey an X-Wing key, for a card that takes part in suite 2
 * @throws EncryptionError `INVALID_ARGUMENT` when a text or the whole is over {@link CARD_LIMITS}
 */
export async function createCard(
  content: CardContent,
  signingKey: SigningKey,
  encryptionKey: AgreementKey,
  pqEncryptionKey?: KemKey,
): Promise<Card> {
  const members = {
    ...content,
    signingKey: signingKey.publicKey,
    encryptionKey: encryptionKey.publicKey,
    ...(pqEncryptionKey && { pqEncryptionKey: pqEncryptionKey.publicKey }),
  };
  const snapshot = encodeSnapshot(members);
  if (decodeSnapshot(snapshot) === null) {
    throw new EncryptionError(
      'INVALID_ARGUMENT',
      'A card holds at most 16 fields and 8 KiB; its texts are 1 to 256 well-formed characters.',
    );
  }
  const own = await signSnapshot(signingKey, 'self', snapshot, new Uint8Array());
  return checkCard(snapshot, [own]);
}

/** The card as a string, for the server and for other people. */
export function exportCard(card: Card): string {
  return encodeExport(card.snapshot, card.signatures);
}

/**
 * Reads a card and checks what it proves by itself: canonical form, bounds, keys, id and own
 * signature. Whether anybody vouches for it is for {@link checkApproval}.
 * @throws EncryptionError `CARD_INVALID`, saying what is wrong
 */
export async function importCard(exported: string): Promise<Card> {
  if (typeof exported !== 'string') throw invalid('it is not text');
  if (exported.length > MAX_EXPORT_CHARACTERS) throw invalid('it is too long');
  const bytes = base64url.decode(exported);
  const parsed = bytes && decodeExport(bytes);
  if (!parsed) throw invalid('it is not an exported card');
  if (encodeExport(parsed.snapshot, parsed.signatures) !== exported) {
    throw invalid('its form is not canonical');
  }
  return checkCard(parsed.snapshot, parsed.signatures);
}

/**
 * The card with the application's approval added.
 * @param approvedAt milliseconds since 1970-01-01 UTC
 * @throws EncryptionError `INVALID_ARGUMENT` when nobody could import the result
 */
export async function approveCard(
  card: Card,
  appKey: SigningKey,
  approvedAt: number,
): Promise<Card> {
  if (!isTime(approvedAt) || card.signatures.length >= CARD_LIMITS.signatures) {
    throw new EncryptionError(
      'INVALID_ARGUMENT',
      'A card holds at most 8 signatures, and the time of an approval is in whole milliseconds since 1970.',
    );
  }
  const extra = utf8(JSON.stringify({ approvedAt }));
  const approval = await signSnapshot(appKey, 'app', card.snapshot, extra);
  return { ...card, signatures: [...card.signatures, approval] };
}

/**
 * Checks that one of the application's keys approved the card. The keys are the client's own
 * configuration, never something that a server said.
 * @throws EncryptionError `CARD_INVALID`
 */
export async function checkApproval(card: Card, appKeys: readonly VerifyingKey[]): Promise<void> {
  for (const approval of card.signatures.filter(({ signer }) => signer === 'app')) {
    for (const appKey of appKeys) {
      if (await verifySnapshot(appKey, card.snapshot, approval)) return;
    }
  }
  throw invalid(`no pinned application key approved it (${card.identity})`);
}

async function checkCard(snapshot: Bytes, signatures: readonly CardSignature[]): Promise<Card> {
  if (snapshot.length > CARD_LIMITS.snapshot) throw invalid('its snapshot is over 8 KiB');
  if (signatures.length > CARD_LIMITS.signatures) throw invalid('it has over 8 signatures');
  const members = decodeSnapshot(snapshot);
  if (members === null) throw invalid('its snapshot is not canonical');
  const signingKey = await (
    await curves()
  )
    .importVerifyingKey(members.signingKey)
    .catch((cause: unknown) => {
      // Anything else is the platform's, and no verdict about the card.
      if (!isEncryptionError(cause, 'INVALID_KEY')) throw cause;
      throw invalid('its signing key is not a valid Ed25519 key', cause);
    });
  try {
    checkAgreementPublicKey(members.encryptionKey);
  } catch (cause) {
    throw invalid('its encryption key is not a valid X25519 key', cause);
  }
  try {
    if (members.pqEncryptionKey) checkXWingPublicKey(members.pqEncryptionKey);
  } catch (cause) {
    throw invalid('its post-quantum encryption key is not a valid X-Wing key', cause);
  }
  // The curves have other coordinates: who signs with these bytes cannot decrypt with them. And who
  // knows keys by their bytes, as servers do, would take one for the other.
  const x25519Keys = [members.encryptionKey, members.pqEncryptionKey?.subarray(-32)];
  if (x25519Keys.some((key) => key && equal(key, signingKey.publicKey))) {
    throw invalid('it has one key for two purposes');
  }
  const own = signatures.filter(({ signer }) => signer === 'self');
  const [first] = own;
  if (first === undefined || own.length > 1) throw invalid('it needs one signature of its own');
  if (!(await verifySnapshot(signingKey, snapshot, first))) {
    throw invalid('its own signature does not verify');
  }
  return { ...members, id: cardIdOf(hash('card', snapshot)), signingKey, snapshot, signatures };
}

function invalid(why: string, cause?: unknown): EncryptionError {
  return new EncryptionError('CARD_INVALID', `The card is not valid: ${why}.`, { cause });
}

function signedParts(signer: CardSigner, snapshot: Bytes, extra: Bytes): readonly Bytes[] {
  return [lengthPrefixed(1, utf8(signer)), lengthPrefixed(4, snapshot), lengthPrefixed(2, extra)];
}

/** A signature on a card's snapshot. */
export async function signSnapshot(
  key: SigningKey,
  signer: CardSigner,
  snapshot: Bytes,
  extra: Bytes,
): Promise<CardSignature> {
  const signature = await sign(key, 'card-signature', ...signedParts(signer, snapshot, extra));
  return { signer, signature, extra };
}

/** Whether a signature on a card's snapshot is of this key. */
export function verifySnapshot(
  key: VerifyingKey,
  snapshot: Bytes,
  { signer, signature, extra }: CardSignature,
): Promise<boolean> {
  return verify(key, 'card-signature', signature, ...signedParts(signer, snapshot, extra));
}

type SnapshotMembers = CardContent &
  Pick<Card, 'encryptionKey' | 'pqEncryptionKey'> & { readonly signingKey: Bytes };

/** The one serialisation of a snapshot: the members in the specification's order, absent if absent. */
function encodeSnapshot(members: SnapshotMembers): Bytes {
  const { identity, signingKey, encryptionKey, pqEncryptionKey } = members;
  const { createdAt, device, previousCardId, fields } = members;
  return utf8(
    JSON.stringify({
      v: 1,
      identity,
      signingKey: base64url.encode(signingKey),
      encryptionKey: base64url.encode(encryptionKey),
      pqEncryptionKey: pqEncryptionKey && base64url.encode(pqEncryptionKey),
      createdAt,
      device,
      previousCardId,
      fields,
    }),
  );
}

/**
 * The members of a snapshot, or null. Serialising them again must give the same bytes, which
 * leaves no room for duplicate, unknown or reordered members, or for two spellings of one value.
 */
function decodeSnapshot(snapshot: Bytes): SnapshotMembers | null {
  try {
    const json = parseObject(snapshot);
    const signingKey = base64url.decode(text(json['signingKey']));
    const encryptionKey = base64url.decode(text(json['encryptionKey']));
    const createdAt = json['createdAt'];
    if (!signingKey || !encryptionKey) return null;
    if (!isTime(createdAt)) return null;
    const members: SnapshotMembers = {
      identity: parseIdentity(json['identity']),
      signingKey,
      encryptionKey,
      ...('pqEncryptionKey' in json && { pqEncryptionKey: xwingKey(json['pqEncryptionKey']) }),
      createdAt,
      ...('device' in json && { device: plainText(json['device']) }),
      ...('previousCardId' in json && { previousCardId: parseCardId(json['previousCardId']) }),
      ...('fields' in json && { fields: fieldsOf(json['fields']) }),
    };
    const small = snapshot.length <= CARD_LIMITS.snapshot;
    return small && equal(encodeSnapshot(members), snapshot) ? members : null;
  } catch {
    return null;
  }
}

function encodeExport(snapshot: Bytes, signatures: readonly CardSignature[]): string {
  const json = {
    contentSnapshot: base64url.encode(snapshot),
    signatures: signatures.map(({ signer, signature, extra }) => ({
      signer,
      signature: base64url.encode(signature),
      extra: extra.length > 0 ? base64url.encode(extra) : undefined,
    })),
  };
  return base64url.encode(utf8(JSON.stringify(json)));
}

function decodeExport(bytes: Bytes): Pick<Card, 'snapshot' | 'signatures'> | null {
  try {
    const json = parseObject(bytes);
    const snapshot = base64url.decode(text(json['contentSnapshot'], Infinity));
    const signatures = json['signatures'];
    if (!snapshot || !Array.isArray(signatures)) return null;
    return { snapshot, signatures: signatures.map(decodeSignature) };
  } catch {
    return null;
  }
}

function decodeSignature(value: unknown): CardSignature {
  const json = object(value);
  const signer = json['signer'];
  if (!isSigner(signer)) throw new TypeError();
  const signature = base64url.decode(text(json['signature']));
  const extra = 'extra' in json ? base64url.decode(text(json['extra'])) : new Uint8Array();
  if (signature?.length !== 64 || !extra) throw new TypeError();
  if (!isCanonicalExtra(signer, extra)) throw new TypeError();
  return { signer, signature, extra };
}

function isSigner(value: unknown): value is CardSigner {
  return value === 'self' || value === 'app' || value === 'predecessor' || value === 'endorser';
}

function isCanonicalExtra(signer: CardSigner, extra: Bytes): boolean {
  if (signer === 'self' || signer === 'predecessor') return extra.length === 0;
  const { approvedAt, cardId } = parseObject(extra);
  if (signer === 'app' && !isTime(approvedAt)) return false;
  const again = signer === 'app' ? { approvedAt } : { cardId: parseCardId(cardId) };
  return equal(utf8(JSON.stringify(again)), extra);
}

function parseObject(bytes: Bytes): Record<string, unknown> {
  const json = utf8Text(bytes);
  if (json === null) throw new TypeError();
  return object(JSON.parse(json));
}

function object(value: unknown): Record<string, unknown> {
  if (!isObject(value)) throw new TypeError();
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown, limit: number = CARD_LIMITS.text): string {
  if (typeof value !== 'string' || value.length < 1 || value.length > limit) throw new TypeError();
  if (!value.isWellFormed()) throw new TypeError();
  return value;
}

function xwingKey(value: unknown): Bytes {
  const key = base64url.decode(text(value, XWING_KEY_CHARACTERS));
  if (!key) throw new TypeError();
  return key;
}

function plainText(value: unknown): string {
  const plain = text(value);
  if (!isPlainText(plain)) throw new TypeError();
  return plain;
}

function fieldsOf(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(object(value)).map(
    ([name, field]) => [text(name), text(field)] as const,
  );
  if (entries.length < 1 || entries.length > CARD_LIMITS.fields) throw new TypeError();
  // fromEntries defines own members, also for the name __proto__.
  return Object.fromEntries(entries);
}

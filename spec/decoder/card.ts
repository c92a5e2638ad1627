/** Cards: card.md. */
import { base64url, L, lp, require, sha256, utf8 } from './bytes.ts';
import { isAgreementKey, isSignature, isSigningKey, isXWingKey } from './curves.ts';
import { canonical, isIdentity, isName, isText, members, type Json } from './json.ts';

/** One of the signatures on a card. */
export interface Signature {
  readonly signer: string;
  readonly bytes: Buffer;
  readonly extra: Buffer;
}

/** A card that proves what it can prove by itself. */
export interface Card {
  readonly id: string;
  readonly snapshot: Buffer;
  readonly identity: string;
  readonly signingKey: Buffer;
  readonly encryptionKey: Buffer;
  readonly pqEncryptionKey: Buffer | null;
  readonly createdAt: number;
  readonly device: string | undefined;
  readonly previousCardId: string | undefined;
  readonly fields: readonly (readonly [string, string])[] | undefined;
  readonly signatures: readonly Signature[];
}

const MEMBERS = ['v', 'identity', 'signingKey', 'encryptionKey', 'pqEncryptionKey', 'createdAt'];
const OPTIONAL = ['device', 'previousCardId', 'fields'];

function check(condition: boolean): asserts condition {
  require(condition, 'CARD_INVALID');
}

/** Reads and checks a card. With `appKeys`, one of these must have approved it. */
export function openCard(exported: string, appKeys?: readonly Uint8Array[]): Card {
  check(exported.length <= 32_768);
  const bytes = base64url(exported);
  check(bytes !== null);
  const { contentSnapshot, signatures } = object(bytes, ['contentSnapshot', 'signatures']);
  check(typeof contentSnapshot === 'string' && Array.isArray(signatures) && signatures.length <= 8);
  const card = {
    ...readSnapshot(decoded(contentSnapshot)),
    signatures: signatures.map(readSignature),
  };
  const own = card.signatures.filter(({ signer }) => signer === 'self');
  check(own.length === 1 && own.every((one) => verifies(card.signingKey, card.snapshot, one)));
  const approvals = card.signatures.filter(({ signer }) => signer === 'app');
  const approved = approvals.some((one) =>
    appKeys?.some((key) => verifies(key, card.snapshot, one)),
  );
  check(appKeys === undefined || approved);
  return card;
}

function readSnapshot(snapshot: Buffer): Omit<Card, 'signatures'> {
  check(snapshot.length <= 8192);
  const json = object(snapshot, [...MEMBERS, ...OPTIONAL]);
  const { v, identity, createdAt, device, previousCardId } = json;
  check(v === 1 && isIdentity(identity));
  check(isTime(createdAt));
  check(device === undefined || isName(device));
  check(previousCardId === undefined || isCardId(previousCardId));
  const [signingKey, encryptionKey] = [decoded(json['signingKey']), decoded(json['encryptionKey'])];
  const pq = json['pqEncryptionKey'];
  const pqEncryptionKey = pq === undefined ? null : decoded(pq);
  check(isSigningKey(signingKey) && isAgreementKey(encryptionKey));
  check(pqEncryptionKey === null || isXWingKey(pqEncryptionKey));
  check(!signingKey.equals(encryptionKey));
  check(pqEncryptionKey === null || !signingKey.equals(pqEncryptionKey.subarray(1184)));
  const id = sha256(L('card'), snapshot).toString('hex');
  const keys = { signingKey, encryptionKey, pqEncryptionKey };
  const fields = readFields(json['fields']);
  return { id, snapshot, identity, ...keys, createdAt, device, previousCardId, fields };
}

function readFields(json: Json | undefined): Card['fields'] {
  if (json === undefined) return undefined;
  check(typeof json === 'object' && json !== null && !Array.isArray(json));
  const fields = Object.entries(json);
  check(fields.length >= 1 && fields.length <= 16);
  return fields.map(([name, value]) => {
    check(isText(name, 256) && isText(value, 256));
    return [name, value];
  });
}

function readSignature(json: Json): Signature {
  const read = members(json, ['signer', 'signature', 'extra']);
  check(read !== null);
  const { signer, signature, extra } = read;
  const bytes = decoded(signature);
  check(bytes.length === 64);
  if (signer === 'self' || signer === 'predecessor') {
    check(extra === undefined);
    return { signer, bytes, extra: Buffer.alloc(0) };
  }
  const extraBytes = decoded(extra);
  if (signer === 'app') {
    const { approvedAt } = object(extraBytes, ['approvedAt']);
    check(isTime(approvedAt));
  } else {
    check(signer === 'endorser' && isCardId(object(extraBytes, ['cardId'])['cardId']));
  }
  return { signer, bytes, extra: extraBytes };
}

/** Whether a signature on a card is of this key. */
export function verifies(
  key: Uint8Array,
  snapshot: Buffer,
  { signer, bytes, extra }: Signature,
): boolean {
  const parts = [lp(1, Buffer.from(signer)), lp(4, snapshot), lp(2, extra)];
  return isSignature(key, bytes, Buffer.concat([L('card-signature'), ...parts]));
}

/** A time of the specification. */
export function isTime(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 8.64e15;
}

export function isCardId(value: Json | undefined): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

/** The bytes of a member in base64url, at least one. */
function decoded(value: Json | undefined): Buffer {
  const bytes = typeof value === 'string' && value !== '' ? base64url(value) : null;
  check(bytes !== null);
  return bytes;
}

function object(bytes: Uint8Array, names: readonly string[]) {
  const read = members(canonical(utf8(bytes)), names);
  check(read !== null);
  return read;
}

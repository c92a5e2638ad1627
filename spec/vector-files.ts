/**
 * The form of the files in `vectors/`: types and nothing else. Bytes are lower-case hexadecimal, or
 * base64url where the protocol itself writes them so (envelopes, cards).
 */

/** A file of vectors. */
export interface VectorFile<Case extends VectorCase> {
  readonly description: string;
  /** The page that says what these vectors show. */
  readonly page: string;
  readonly cases: readonly Case[];
}

/** One input, and what must become of it. */
export interface VectorCase {
  readonly name: string;
  /**
   * `ok`, or the code of the refusal. `NOT_ADDRESSED` (no slot is for this reader) and `KEY_MISSING`
   * (a follower without its session) are no verdicts about the bytes: there is nothing to open.
   */
  readonly result: string;
}

/** Lengths, and the lengths that they are padded to; or a padded plaintext. */
export interface PaddingCase extends VectorCase {
  readonly length: number;
  readonly padded?: number;
  readonly bytes?: string;
}

/** The content of a message: `text` as it stands, or `bytes` that are not UTF-8. */
export interface ContentCase extends VectorCase {
  readonly text?: string;
  readonly bytes?: string;
  readonly value?: unknown;
}

/** An exported card, and the application keys that it must be approved under, if any. */
export interface CardCase extends VectorCase {
  readonly export: string;
  readonly appKeys?: readonly string[];
  readonly card?: CardVector;
}

/** What a card says. */
export interface CardVector {
  readonly id: string;
  readonly snapshot: string;
  readonly identity: string;
  readonly signingKey: string;
  readonly encryptionKey: string;
  readonly pqEncryptionKey?: string;
  readonly createdAt: number;
  readonly device?: string;
  readonly previousCardId?: string;
  readonly fields?: readonly (readonly [string, string])[];
  readonly signers: readonly string[];
}

/** Somebody, with all of their secrets. */
export interface PersonVector {
  /** Exported, approved. */
  readonly card: string;
  readonly signingSeed: string;
  readonly encryptionSecret: string;
  /** X-Wing, of who takes part in suite 2. */
  readonly pqSeed?: string;
}

/** Envelopes, and whoever writes and reads them. */
export interface EnvelopeFile<Case extends VectorCase> extends VectorFile<Case> {
  /** The pinned application key. */
  readonly appKey: string;
  /** By the name that cases use; cards are found by their id. */
  readonly people: Readonly<Record<string, PersonVector>>;
}

/** A session, as a reader keeps it. */
export interface SessionVector {
  readonly channelSid: string;
  readonly senderCardId: string;
  readonly sessionId: string;
  readonly messageKey: string;
  readonly suite: 1 | 2;
}

/** A message in a channel. */
export interface MessageCase extends VectorCase {
  readonly text: string;
  readonly channelSid: string;
  readonly author: string;
  /** One of `people`. */
  readonly reader: string;
  /** The session that the reader has, of a follower. */
  readonly session?: SessionVector;
  readonly message?: MessageVector;
}

/** What is in a message. */
export interface MessageVector {
  readonly type: number;
  readonly suite: number;
  readonly headerHash: string;
  readonly messageKey: string;
  readonly kind: number;
  readonly senderCardId: string;
  readonly messageId: string;
  readonly target?: {
    readonly cardId: string;
    readonly messageId: string;
    readonly sequence: number;
    readonly revision: number;
  };
  readonly sequence: number;
  readonly sentAt: number;
  /** As it is signed. */
  readonly content: string;
  /** Of a key message: what it opens. */
  readonly session?: SessionVector;
}

/** Sealed data. */
export interface SealedDataCase extends VectorCase {
  readonly envelope: string;
  readonly mode: 'data' | 'stream';
  readonly reader: string;
  /** Signing keys of whom it may be from. */
  readonly senders: readonly string[];
  readonly data?: { readonly content: string; readonly senderKey: string };
}

/** Long bytes, put together of named parts. */
export interface PartsFile<Case extends VectorCase> extends VectorFile<Case> {
  /** base64url. */
  readonly parts: Readonly<Record<string, string>>;
}

/** A sealed stream: its parts in a row. */
export interface SealedStreamCase extends VectorCase {
  readonly stream: readonly string[];
  readonly reader: string;
  readonly senders: readonly string[];
  readonly data?: DataVector;
}

/** Data that is too long to stand here. */
export interface DataVector {
  readonly length: number;
  readonly sha256: string;
}

/** An encrypted file: its parts in a row. */
export interface MediaCase extends VectorCase {
  readonly ciphertext: readonly string[];
  readonly key: string;
  readonly size: number;
  readonly hash: string;
  readonly data?: DataVector;
}

/** A secret at rest. */
export interface KeyRecordCase extends VectorCase {
  readonly record: string;
  readonly recordName: string;
  readonly password: string;
  readonly secret?: string;
}

/** What a device remembers. */
export interface StateRecordCase extends VectorCase {
  /** What the key is derived from. */
  readonly privateKeys: string;
  readonly record: string;
  readonly recordName: string;
  readonly plaintext?: string;
}

/** The keys of one card, in a ring or a backup. */
export interface StoredKeysVector {
  readonly cardId: string;
  /** Exported. */
  readonly card: string;
  /** Signing seed, X25519 secret and X-Wing seed. */
  readonly privateKeys: string;
  /** Of the state records that go with these keys. */
  readonly stateKey: string;
}

/** The key record of a device, named for its identity. */
export interface KeyRingCase extends VectorCase {
  readonly identity: string;
  readonly record: string;
  readonly password: string;
  readonly ring?: {
    readonly deviceSecret: string;
    /** What the names of its state records begin with. */
    readonly scope: string;
    /** Of its state records. */
    readonly stateKey: string;
    readonly keys: readonly StoredKeysVector[];
  };
}

/** A backup, as a server keeps it. */
export interface BackupCase extends VectorCase {
  readonly identity: string;
  /** base64url. */
  readonly backup: string;
  readonly password: string;
  readonly value?: {
    readonly generation: number;
    readonly savedAt: number;
    readonly keys: readonly StoredKeysVector[];
  };
}

/** The secret that signs a person in. */
export interface LoginCase extends VectorCase {
  readonly password: string;
  readonly identity: string;
  readonly origin: string;
  readonly authSecret?: string;
}

/** Two people and their safety number; or, with `scanned`, two codes that are compared. */
export interface SafetyNumberCase extends VectorCase {
  readonly own?: SafetyNumberSideVector;
  readonly theirs?: SafetyNumberSideVector;
  readonly safetyNumber?: SafetyNumberVector;
  /** One's own code. */
  readonly qr?: string;
  readonly scanned?: string;
  readonly comparison?: string;
}

/** What a safety number covers of one person. */
export interface SafetyNumberSideVector {
  readonly identity: string;
  readonly signingKeys: readonly string[];
}

/** A safety number. */
export interface SafetyNumberVector {
  readonly digits: string;
  readonly qr: string;
  /** As they are in the code. */
  readonly fingerprints: { readonly own: string; readonly theirs: string };
  readonly devices: { readonly own: number; readonly theirs: number };
}

/** A revocation, and the key that must have signed it, if any. */
export interface RevocationCase extends VectorCase {
  readonly export: string;
  readonly key?: string;
  readonly revocation?: RevocationVector;
}

/** What a revocation says. */
export interface RevocationVector {
  /** As it is signed. */
  readonly content: string;
  readonly cardId: string;
  readonly reason: string;
  readonly since?: number;
  readonly revokedAt: number;
  readonly signer: string;
}

/** Two exported cards: whether the earlier one vouches for the other in this way. */
export interface CardLinkCase extends VectorCase {
  readonly link: 'succession' | 'endorsement';
  readonly card: string;
  readonly earlier: string;
}

/** An entry of the log, as the first and only one of this identity. */
export interface LogEntryCase extends VectorCase {
  readonly logKey: string;
  readonly identity: string;
  readonly entry: string;
  readonly content: string;
  readonly value?: LogEntryVector;
}

/** What an entry says. */
export interface LogEntryVector {
  readonly operation: string;
  readonly time: number;
  readonly identityHash: string;
  readonly cardId: string;
  readonly detail: string;
  /** Of the identity, with this entry. */
  readonly history: string;
}

/** A head of the log. */
export interface LogHeadCase extends VectorCase {
  readonly logKey: string;
  readonly head: string;
  readonly value?: { readonly size: number; readonly root: string; readonly signedAt: number };
}

/** What the map has of an identity, null for nothing, and the proof of it. */
export interface LogMapCase extends VectorCase {
  readonly root: string;
  readonly identityHash: string;
  readonly leaf: { readonly count: number; readonly history: string } | null;
  readonly siblings: readonly string[];
  readonly other: MapLeafVector | null;
}

/** A leaf of the map. */
export interface MapLeafVector {
  readonly identityHash: string;
  readonly count: number;
  readonly history: string;
}

/** A proof about the log's tree: that a leaf is in it, or that it grew out of an earlier one. */
export interface LogTreeCase extends VectorCase {
  readonly inclusion?: {
    readonly leaf: string;
    readonly index: number;
    readonly size: number;
    readonly root: string;
  };
  readonly consistency?: {
    readonly from: { readonly size: number; readonly root: string };
    readonly to: { readonly size: number; readonly root: string };
  };
  readonly proof: readonly string[];
}

/** Cases about one log. */
export interface LogFile<Case extends VectorCase> extends VectorFile<Case> {
  readonly logKey: string;
  /** What entries are about, by the name that they use: exported cards and revocations. */
  readonly contents: Readonly<Record<string, string>>;
}

/** All entries of an identity, and what a client with these pinned keys reads in them. */
export interface LogHistoryCase extends VectorCase {
  readonly identity: string;
  readonly appKeys: readonly string[];
  readonly entries: readonly { readonly entry: string; readonly content: string }[];
  readonly history?: LogHistoryVector;
}

/** What a history comes to. */
export interface LogHistoryVector {
  readonly count: number;
  readonly hash: string;
  readonly invalid: number;
  readonly cards: readonly LoggedCardVector[];
}

/** A card in a history. */
export interface LoggedCardVector {
  readonly cardId: string;
  readonly position: number;
  readonly loggedAt: number;
  readonly status: string;
  readonly endedAt?: number;
  readonly reason?: string;
  readonly vouchers: readonly string[];
}

/** A whole answer about some identities under a head, as it travels. */
export interface LogLookupCase extends VectorCase {
  readonly appKeys: readonly string[];
  readonly identities: readonly string[];
  /** base64url. */
  readonly head: string;
  readonly lookup: unknown;
  readonly histories?: readonly LogHistoryVector[];
}

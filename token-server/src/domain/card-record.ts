/** A published card. */
export interface CardRecord {
  readonly id: string;
  readonly identity: string;
  /** The card as clients get it, the approval included. */
  readonly exported: string;
  /** Milliseconds since 1970. */
  readonly approvedAt: number;
  /** Likewise: when it was revoked or replaced; null while it is live. */
  readonly endedAt: number | null;
  /** The exported revocation; null for one that was not revoked. */
  readonly revocation: string | null;
}

/** A card about to be published, with each of its public keys in base64url. */
export interface NewCardRecord extends Omit<CardRecord, 'endedAt' | 'revocation'> {
  readonly keys: readonly string[];
}

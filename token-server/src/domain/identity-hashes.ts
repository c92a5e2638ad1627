import {
  base64url,
  identityHash,
  type Bytes,
  type Identity,
} from 'twilio-chat-encryption/protocol';
import { isIdentity } from './identity.ts';
import { Recent } from './recent.ts';

/** An identity, and what it is called in a log. */
export interface HashedIdentity {
  readonly identity: Identity;
  /** 32 bytes. */
  readonly hash: Bytes;
  /** The same in base64url. */
  readonly name: string;
}

/** Some 500 bytes each. */
const KEPT = 65_536;

/**
 * Looks at names as they come with searches, and keeps what they are: the people of a channel are searched
 * for by each of them.
 *
 * @param logKey - the log's public key
 * @returns null for a name that nobody could have
 */
export function createIdentityHashes(logKey: Bytes): (name: string) => HashedIdentity | null {
  const kept = new Recent<HashedIdentity>(KEPT);
  return (name) => {
    const known = kept.get(name);
    if (known) return known;
    if (!isIdentity(name)) return null;
    const hash = identityHash(logKey, name);
    const hashed = { identity: name, hash, name: base64url.encode(hash) };
    kept.set(name, hashed);
    return hashed;
  };
}

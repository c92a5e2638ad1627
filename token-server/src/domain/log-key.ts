import { base64url, decodeEntry, identityHash, type Bytes } from 'twilio-chat-encryption/protocol';
import { isIdentity } from './identity.ts';
import type { LogReader, StoredEntry } from './log-store.ts';

/**
 * Whether an entry is of the log with this key, which is in the hash of its identity. Entries of two keys
 * in one log would be proven to nobody.
 */
export function isOfLog({ entry, identity }: StoredEntry, publicKey: Bytes): boolean {
  const decoded = decodeEntry(base64url.decode(entry) ?? new Uint8Array());
  if (!decoded || !isIdentity(identity)) return false;
  return Buffer.compare(decoded.identityHash, identityHash(publicKey, identity)) === 0;
}

/**
 * Refuses to work with the log in a database that began with another key.
 *
 * @throws Error saying what to do
 */
export async function requireLogOf(log: LogReader, publicKey: Bytes): Promise<void> {
  const size = await log.size();
  const last = size === 0 ? null : await log.entry(size - 1);
  if (!last || isOfLog(last, publicKey)) return;
  throw new Error(
    'The log in the database is that of another key than LOG_PRIVATE_KEY. Set the key that it began with; if that is lost or stolen, see `log restart` in docs/keys.md.',
  );
}

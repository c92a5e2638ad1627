/** Which of the pinned logs a device works with, while one takes the place of another. */
import type { VerifyingKey } from '../protocol/curves.ts';
import type { Identity } from '../protocol/identifiers.ts';
import { decodeHead, verifyHead } from '../protocol/log/head.ts';
import { base64url } from '../protocol/primitives.ts';
import { hasSeenLog } from './card-log.ts';
import type { LogSource } from './log-source.ts';
import type { Records } from './state.ts';

/** The log of a device, and the others that are pinned. */
export interface PinnedLogs {
  readonly logKey: VerifyingKey;
  /** Of logs that are to take its place. */
  readonly newerLogKeys: readonly VerifyingKey[];
  /** Of logs whose place it took: messages of their time carry their heads. */
  readonly earlierLogKeys: readonly VerifyingKey[];
}

/** What {@link currentLog} works with. */
export interface CurrentLogContext {
  readonly directory: LogSource;
  readonly records: Records;
  readonly identity: Identity;
  /** Of logs that the token server may keep, the newest first; at least one. */
  readonly logKeys: readonly VerifyingKey[];
  /** Of logs that ended. */
  readonly earlierLogKeys: readonly VerifyingKey[];
}

/**
 * The log that the token server keeps now, if it is one of those that may be kept. Never an older one than
 * this device has seen: whoever has the key of a log that ended would take it back in time.
 * @throws EncryptionError the key store's errors
 */
export async function currentLog(context: CurrentLogContext): Promise<PinnedLogs> {
  const { records, logKeys, earlierLogKeys } = context;
  const seen = await Promise.all(logKeys.map((key) => hasSeenLog(records, key)));
  const newestSeen = seen.indexOf(true);
  const possible = newestSeen === -1 ? logKeys : logKeys.slice(0, newestSeen + 1);
  // The server need not be asked when there is no choice.
  const kept = possible.length > 1 ? await keptLog(context, possible) : null;
  const logKey = kept ?? (newestSeen === -1 ? logKeys[0] : logKeys[newestSeen]);
  if (!logKey) throw new TypeError('No log key is pinned.');
  const at = logKeys.indexOf(logKey);
  return {
    logKey,
    newerLogKeys: logKeys.slice(0, at),
    earlierLogKeys: [...logKeys.slice(at + 1), ...earlierLogKeys],
  };
}

/** The one of these keys that the log is signed with; null when it is none, or cannot be known now. */
async function keptLog(
  { directory, identity }: CurrentLogContext,
  keys: readonly VerifyingKey[],
): Promise<VerifyingKey | null> {
  try {
    const { head: text } = await directory.lookup([identity], 0);
    const head = decodeHead(base64url.decode(text) ?? new Uint8Array());
    for (const key of keys) if (head && (await verifyHead(key, head))) return key;
    return null;
  } catch {
    // Whoever looks something up is told why.
    return null;
  }
}

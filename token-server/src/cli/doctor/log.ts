import {
  base64url,
  curves,
  decodeEntry,
  decodeHead,
  identityHash,
  lookupFromJson,
  parseIdentity,
  verifyHead,
  verifyLookup,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import { ConfigError, readPrivateKeys, type Environment, type PrivateKeys } from '../../config.ts';
import { createLog } from '../../domain/log.ts';
import type { StoredEntry } from '../../domain/log-store.ts';
import type { Store } from '../../domain/store.ts';
import { failed, ok, type Check } from './check.ts';

const VERIFY = '`log verify` tells what is wrong. Restore the last backup from before.';

/**
 * Checks that the log in the database belongs to these keys, as a client would: the newest head and
 * the history of whoever is in the newest entry.
 */
export async function checkLog(store: Store, environment: Environment): Promise<readonly Check[]> {
  const keys = privateKeys(environment);
  if (!keys) return [];
  const size = await store.log.size();
  const newest = size === 0 ? null : await store.log.entry(size - 1);
  if (!newest) return [ok('log', 'It is empty.')];

  const backEnd = await curves();
  const logKey = await backEnd.importSigningKey(keys.logPrivateKey);
  const hash = decodeEntry(base64url.decode(newest.entry) ?? new Uint8Array())?.identityHash;
  if (!hash) return [failed('log', 'The newest entry is damaged.', VERIFY)];
  const own = identityHash(logKey.publicKey, parseIdentity(newest.identity));
  if (Buffer.compare(hash, own) !== 0) {
    const what = 'The log in the database is that of another key.';
    const fix =
      'Set the key that it began with. With another one, every client refuses every card.';
    return [failed('LOG_PRIVATE_KEY', what, fix)];
  }
  const appKey = await backEnd.importSigningKey(keys.appPrivateKey);
  return [await checkHistory(store, newest, size, { logKey, appKey }), checkTime(newest)];
}

function privateKeys(environment: Environment): PrivateKeys | null {
  try {
    return readPrivateKeys(environment);
  } catch (error) {
    // The configuration's checks tell it.
    if (error instanceof ConfigError) return null;
    throw error;
  }
}

async function checkHistory(
  store: Store,
  { identity: name }: StoredEntry,
  size: number,
  { logKey, appKey }: { readonly logKey: SigningKey; readonly appKey: SigningKey },
): Promise<Check> {
  const identity = parseIdentity(name);
  const backEnd = await curves();
  const publicLogKey = await backEnd.importVerifyingKey(logKey.publicKey);
  try {
    const log = createLog({ log: store.log, logKey, now: Date.now });
    const answer = await log.lookUp([identity], 0);
    const head = decodeHead(base64url.decode(answer.head) ?? new Uint8Array());
    const lookup = lookupFromJson(answer.lookup);
    if (!head || !lookup || !(await verifyHead(publicLogKey, head))) {
      return failed('log', 'The newest head does not check.', VERIFY);
    }
    const histories = await verifyLookup(lookup, {
      logKey: publicLogKey,
      appKeys: [await backEnd.importVerifyingKey(appKey.publicKey)],
      head,
      identities: [identity],
    });
    if ((histories.get(identity)?.cards.length ?? 0) === 0) {
      const what = 'It approved none of the cards in the newest history of the log.';
      const fix =
        'Set the key that clients pin as appKey. With another one, they refuse every card.';
      return failed('APP_PRIVATE_KEY', what, fix);
    }
    return ok('log', `The newest of ${size} entries is proven under a head of LOG_PRIVATE_KEY.`);
  } catch (error) {
    // A part that is missing, or a proof that proves nothing.
    if (error instanceof Error) return failed('log', error.message, VERIFY);
    throw error;
  }
}

function checkTime({ entry }: StoredEntry): Check {
  const time = decodeEntry(base64url.decode(entry) ?? new Uint8Array())?.time ?? 0;
  const ahead = Math.ceil((time - Date.now()) / 1000);
  if (ahead <= 0) return ok('clock', 'It is past the time of the newest entry of the log.');
  const what = `It is ${ahead} s before the newest entry of the log.`;
  return failed('clock', what, 'Synchronize it with NTP before anything is published.');
}

import {
  base64url,
  curves,
  decodeEntry,
  decodeHead,
  isEncryptionError,
  lookupFromJson,
  parseIdentity,
  verifyHead,
  verifyLookup,
  type SigningKey,
  type VerifyingKey,
} from 'twilio-chat-encryption/protocol';
import { z } from 'zod';
import { readKeys } from '../../config.ts';
import { ConfigError, type Environment } from '../../environment.ts';
import { createLog } from '../../domain/log.ts';
import { isOfLog } from '../../domain/log-key.ts';
import type { StoredEntry } from '../../domain/log-store.ts';
import { publicKeysOf } from '../../domain/public-keys.ts';
import { signingKeyOf } from '../../domain/signer.ts';
import type { Store } from '../../domain/store.ts';
import { failed, ok, type Check } from './check.ts';

const VERIFY = '`log verify` tells what is wrong. Restore the last backup from before.';

/**
 * Checks that the log in the database belongs to these keys, as a client would: the newest head and
 * the history of whoever is in the newest entry.
 */
export async function checkLog(store: Store, environment: Environment): Promise<readonly Check[]> {
  const keys = await keysOf(environment);
  if (!keys) return [];
  const size = await store.log.size();
  const newest = size === 0 ? null : await store.log.entry(size - 1);
  if (!newest) return [ok('log', 'It is empty.')];

  if (!isOfLog(newest, keys.logKey.publicKey)) {
    const what = 'The log in the database is that of another key.';
    const fix =
      'Set the key that it began with. If that is lost or stolen: `log restart`, in docs/keys.md.';
    return [failed('LOG_PRIVATE_KEY', what, fix)];
  }
  return [await checkHistory(store, newest, size, keys), checkTime(newest)];
}

/** As far as it is not read by what reads lookups. */
const Answer = z.object({ head: z.string(), lookup: z.unknown() });

interface CheckedKeys {
  readonly logKey: SigningKey;
  readonly appKeys: readonly VerifyingKey[];
}

async function keysOf(environment: Environment): Promise<CheckedKeys | null> {
  try {
    const keys = readKeys(environment);
    const { appKeys } = await publicKeysOf(keys);
    return { logKey: await signingKeyOf(keys.logKey), appKeys };
  } catch (error) {
    // The configuration's checks tell it.
    if (error instanceof ConfigError || isEncryptionError(error, 'INVALID_KEY')) return null;
    throw error;
  }
}

async function checkHistory(
  store: Store,
  { identity: name }: StoredEntry,
  size: number,
  { logKey, appKeys }: CheckedKeys,
): Promise<Check> {
  const identity = parseIdentity(name);
  const publicLogKey = await (await curves()).importVerifyingKey(logKey.publicKey);
  try {
    const log = createLog({ log: store.log, logKey, now: Date.now });
    const answer = Answer.parse(JSON.parse((await log.lookUp([identity], 0)).toString()));
    const head = decodeHead(base64url.decode(answer.head) ?? new Uint8Array());
    const lookup = lookupFromJson(answer.lookup);
    if (!head || !lookup || !(await verifyHead(publicLogKey, head))) {
      return failed('log', 'The newest head does not check.', VERIFY);
    }
    const histories = await verifyLookup(lookup, {
      logKey: publicLogKey,
      appKeys,
      head,
      identities: [identity],
    });
    if ((histories.get(identity)?.cards.length ?? 0) === 0) {
      const what = 'It approved none of the cards in the newest history of the log.';
      const fix =
        'Set the key that clients pin as appKey, or in EARLIER_APP_KEYS the public one of before.';
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

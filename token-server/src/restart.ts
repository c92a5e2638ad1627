import type { Config } from './config.ts';
import { restartLog as restartStored } from './domain/log-restart.ts';
import { createLog } from './domain/log.ts';
import { publicKeysOf } from './domain/public-keys.ts';
import { signingKeyOf } from './domain/signer.ts';
import { openStore } from './store/open.ts';

/**
 * Begins the log again under `logKey`, with all that the application signed under `appKey`, as the command
 * `log restart` does: for keys that signers have. No server may be running; see docs/keys.md.
 *
 * @returns how many entries the log has
 * @throws Error when `logKey` is the log's already, or something was signed by neither `appKey` nor
 *   `earlierAppKeys`; ServerError `UNAVAILABLE` when a signer or the database fails. Nothing is changed then
 */
export async function restartLog(
  config: Pick<Config, 'databaseUrl' | 'appKey' | 'logKey' | 'earlierAppKeys'>,
): Promise<number> {
  const { appKeys } = await publicKeysOf(config);
  const appKey = await signingKeyOf(config.appKey);
  const logKey = await signingKeyOf(config.logKey);
  const { store } = await openStore(config.databaseUrl);
  try {
    const log = createLog({ log: store.log, logKey, now: Date.now });
    return await restartStored({ store, log, logKey, appKey, appKeys });
  } finally {
    await store.close();
  }
}

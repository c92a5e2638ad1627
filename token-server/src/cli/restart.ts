import { base64url } from 'twilio-chat-encryption/protocol';
import { readDatabaseUrl, readKeys } from '../config.ts';
import { publicKeysOf } from '../domain/public-keys.ts';
import { restartLog } from '../restart.ts';
import type { CommandCall } from './command.ts';
import { loadEnvironment } from './environment.ts';

/** `log restart`: begins the log again under the keys of the environment. No server may be running. */
export async function restart({ envFile }: CommandCall): Promise<void> {
  const environment = loadEnvironment(envFile);
  const keys = readKeys(environment);
  const { appKeys, logKey } = await publicKeysOf(keys);
  const size = await restartLog({ ...keys, databaseUrl: readDatabaseUrl(environment) });
  console.log(`The log began again, with ${size} entries. Clients pin

  appKey: ${base64url.encode(appKeys[0].publicKey)}
  logKey: ${base64url.encode(logKey.publicKey)}, before the keys of earlier logs`);
}

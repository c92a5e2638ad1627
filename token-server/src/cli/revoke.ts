import { curves, EncryptionError, parseCardId, type CardId } from 'twilio-chat-encryption/protocol';
import { readPrivateKeys } from '../config.ts';
import { logEarlierCards } from '../domain/earlier-cards.ts';
import { createLog } from '../domain/log.ts';
import { revokeAsApplication } from '../domain/revocations.ts';
import { UsageError, type CommandCall } from './command.ts';
import { loadEnvironment } from './environment.ts';
import { withStore } from './with-store.ts';

/** `cards revoke`: ends a card in the name of the application. A server may be running. */
export async function revoke({ envFile, words, options }: CommandCall): Promise<void> {
  const { reason = 'retired' } = options;
  if (reason !== 'retired' && reason !== 'compromised') {
    throw new UsageError('--reason is retired or compromised.');
  }
  const id = requireCardId(words[0] ?? '');
  const environment = loadEnvironment(envFile);
  const { appPrivateKey, logPrivateKey } = readPrivateKeys(environment);
  const backEnd = await curves();
  const appKey = await backEnd.importSigningKey(appPrivateKey);
  const logKey = await backEnd.importSigningKey(logPrivateKey);
  await withStore(environment, async (store) => {
    const log = createLog({ log: store.log, logKey, now: Date.now });
    // Once there is an entry, no earlier card is logged any more.
    await logEarlierCards(store, log);
    await revokeAsApplication({ store, log, appKey, now: Date.now }, id, reason);
  });
  console.log(`The card ${id} is revoked: ${reason}.`);
}

function requireCardId(text: string): CardId {
  try {
    return parseCardId(text);
  } catch (error) {
    if (error instanceof EncryptionError) throw new UsageError(error.message);
    throw error;
  }
}

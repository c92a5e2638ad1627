import { EncryptionError, parseCardId, type CardId } from 'twilio-chat-encryption/protocol';
import { readKeys } from '../config.ts';
import { logEarlierCards } from '../domain/earlier-cards.ts';
import { createLog } from '../domain/log.ts';
import { revokeAsApplication } from '../domain/revocations.ts';
import { signingKeyOf } from '../domain/signer.ts';
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
  const keys = readKeys(environment);
  const appKey = await signingKeyOf(keys.appKey);
  const logKey = await signingKeyOf(keys.logKey);
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

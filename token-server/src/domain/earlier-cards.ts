import { parseCardId, parseIdentity } from 'twilio-chat-encryption/protocol';
import type { Log } from './log.ts';
import type { Store } from './store.ts';

/**
 * Logs the cards of a database from before there was a log, in the order they were approved. Does
 * nothing with a log that has entries: since then each card is logged with what stores it.
 */
export async function logEarlierCards(store: Store, log: Log): Promise<void> {
  if ((await store.log.size()) > 0) return;
  await store.transaction(async (transaction) => {
    // Another server may have done it meanwhile.
    if ((await transaction.log.size()) > 0) return;
    for (const card of await transaction.allCards()) {
      const { id, identity, exported, approvedAt, endedAt } = card;
      // Before there was a log, no card ended. It would be live again.
      if (endedAt !== null) throw new Error('The log in the database was emptied. Restore it.');
      await log.append(transaction.log, {
        operation: 'approve',
        time: approvedAt,
        identity: parseIdentity(identity),
        cardId: parseCardId(id),
        content: exported,
        isAlwaysTaken: true,
      });
    }
  });
}

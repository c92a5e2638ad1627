/**
 * One of several servers on one database: starts as a server does, publishes, replaces and revokes
 * cards of people of its own, and reports each card that was acknowledged.
 */
import { base64url, exportCard, parseIdentity, succeedCard } from 'twilio-chat-encryption/protocol';
import { z } from 'zod';
import { logEarlierCards } from '../src/domain/earlier-cards.ts';
import { openStore } from '../src/index.ts';
import { createKeeper, makeDevice, revokeBy, sessionOf } from './keeper.ts';

const [url, app, log, prefix, rounds] = z
  .tuple([z.string(), z.base64url(), z.base64url(), z.string(), z.coerce.number()])
  .parse(process.argv.slice(2));

const { store } = await openStore(url);
const seeds = { app: decode(app), log: decode(log) };
const keeper = await createKeeper(store, seeds);
await logEarlierCards(store, keeper.log);
for (let round = 0; round < rounds; round += 1) {
  const identity = parseIdentity(`${prefix} ${round % 5}`);
  const first = await makeDevice(identity);
  await publish(exportCard(first.card), first.card.id);
  const made = await makeDevice(identity, first.card);
  const second = { ...made, card: await succeedCard(made.card, first.key) };
  await publish(exportCard(second.card), second.card.id);
  await revokeBy(keeper, second, second);

  async function publish(exported: string, id: string): Promise<void> {
    const { logIndex } = await keeper.cards.publish(sessionOf(identity), exported);
    process.send?.({ id, logIndex });
  }
}
await store.close();
process.disconnect();

function decode(text: string) {
  return base64url.decode(text) ?? new Uint8Array();
}

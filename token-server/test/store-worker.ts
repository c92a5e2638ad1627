/**
 * One of several servers on one database: signs the same people up as the others, and publishes the
 * same cards as long as there are fewer than allowed.
 */
import { z } from 'zod';
import { openStore, type StoreTransaction } from '../src/index.ts';

const [url, limit] = z.tuple([z.string(), z.coerce.number()]).parse(process.argv.slice(2));

const { store, applied } = await openStore(url);
let accounts = 0;
let cards = 0;
for (let index = 0; index < 2 * limit; index++) {
  const account = { identity: `person ${index}`, secretHash: `${process.pid}`, createdAt: index };
  if (await store.addAccount(account)) accounts++;
  if (await store.transaction((transaction) => publish(transaction, index))) cards++;
}
await store.close();
process.send?.({ applied, accounts, cards });

async function publish(transaction: StoreTransaction, index: number): Promise<boolean> {
  const id = `card-${index}`;
  // Every key is in two cards, of which only one may be published.
  const keys = [`key-${index >> 1}`];
  if ((await transaction.findCard(id)) !== null) return false;
  if (await transaction.anyKeyUsed(keys)) return false;
  if ((await transaction.countLiveCards('alice')) >= limit) return false;
  await transaction.addCard({ id, identity: 'alice', exported: id, approvedAt: index, keys });
  return true;
}

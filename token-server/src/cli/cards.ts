import {
  base64url,
  decodeEntry,
  importCard,
  parseRevocation,
} from 'twilio-chat-encryption/protocol';
import { cardStatus } from '../domain/card-status.ts';
import { ServerError } from '../domain/errors.ts';
import type { CardRecord } from '../domain/card-record.ts';
import type { Store } from '../domain/store.ts';
import type { CommandCall } from './command.ts';
import { loadEnvironment } from './environment.ts';
import { printable } from './printable.ts';
import { withStore } from './with-store.ts';

const PAGE = 100;

/** `cards list`: one line for each card, or one JSON object. */
export async function listCards({ envFile, words, options }: CommandCall): Promise<void> {
  await withStore(loadEnvironment(envFile), async (store) => {
    for await (const card of cardsOf(store, words[0])) {
      const row = summary(card);
      const columns = [row.id, row.status.padEnd(10), row.approvedAt, row.identity];
      console.log(printable(options.json ? JSON.stringify(row) : columns.join('  ')));
    }
  });
}

/** `cards show`: what a card says, what became of it, and where it is in the log. */
export async function showCard({ envFile, words, options }: CommandCall): Promise<void> {
  await withStore(loadEnvironment(envFile), async (store) => {
    const record = await store.findCard(words[0] ?? '');
    if (!record) throw new ServerError('CARD_NOT_FOUND', 'There is no card with this id.');
    const { createdAt, device, previousCardId, fields } = await importCard(record.exported);
    const row = {
      ...summary(record),
      createdAt: dateOf(createdAt),
      device: device ?? null,
      previousCardId: previousCardId ?? null,
      fields: fields ?? {},
      logIndexes: await logIndexesOf(store, record),
      card: record.exported,
      revocation: record.revocation,
    };
    if (options.json) {
      console.log(printable(JSON.stringify(row)));
      return;
    }
    for (const [name, value] of Object.entries(row)) {
      console.log(`${name.padEnd(15)} ${printable(JSON.stringify(value))}`);
    }
  });
}

async function* cardsOf(store: Store, identity: string | undefined): AsyncGenerator<CardRecord> {
  if (identity !== undefined) {
    yield* await store.audit.cardsOf([identity]);
    return;
  }
  for (let after = ''; ;) {
    const identities = await store.audit.identities(after, PAGE);
    const last = identities.at(-1);
    if (last === undefined) return;
    after = last;
    yield* await store.audit.cardsOf(identities);
  }
}

function summary(card: CardRecord) {
  const { id, identity, approvedAt, endedAt, revocation } = card;
  return {
    id,
    identity,
    status: cardStatus(card),
    approvedAt: dateOf(approvedAt),
    endedAt: endedAt === null ? null : dateOf(endedAt),
    reason: revocation === null ? null : parseRevocation(revocation).reason,
  };
}

async function logIndexesOf(
  { log }: Store,
  { id, identity }: CardRecord,
): Promise<readonly number[]> {
  const entries = await log.entriesOf([identity], await log.size());
  return entries.filter(({ entry }) => cardIdOf(entry) === id).map(({ index }) => index);
}

function cardIdOf(entry: string): string | undefined {
  const bytes = base64url.decode(entry);
  return (bytes && decodeEntry(bytes))?.cardId;
}

function dateOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

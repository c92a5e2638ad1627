/** Histories for vectors: entries by the names of what they are about, and what they come to. */
import { bytesToHex } from '@noble/hashes/utils.js';
import {
  curves,
  parseIdentity,
  readHistory,
  type Bytes,
  type Card,
  type EntryWithContent,
  type LogEntry,
  type SigningKey,
} from 'twilio-chat-encryption/protocol';
import type { LogHistoryCase } from '../vector-files.ts';
import {
  device,
  entryOf,
  historyVector,
  LOG_KEY,
  LOGGED,
  revocation,
  type Device,
} from './logged.ts';
import { APP_KEY } from './people.ts';

const backEnd = await curves();

/** What entries are about, by its name. */
export const named = new Map<string, string>();

/** An entry to be: its bytes, and the name of what it is about. */
export interface Step {
  readonly entry: (position: number) => Bytes;
  readonly content: string;
}

/** What is otherwise in an entry. */
export interface StepChanges {
  readonly identity?: string;
  readonly time?: number;
  readonly logKey?: Bytes;
  readonly cardId?: Card['id'];
}

/** An entry about this content. Each entry is a second after the one before, unless said otherwise. */
export function step(
  operation: LogEntry['operation'],
  name: string,
  content: string,
  cardId: Card['id'],
  changes: StepChanges = {},
): Step {
  if ((named.get(name) ?? content) !== content) throw new Error(`Two contents are called ${name}.`);
  named.set(name, content);
  return {
    content: name,
    entry: (position) =>
      entryOf(operation, changes.cardId ?? cardId, content, {
        time: LOGGED + 1000 * position,
        ...changes,
      }),
  };
}

/** The entry of a card. */
export const approve = (
  name: string,
  { card, exported }: Device,
  changes: StepChanges = {},
): Step => step('approve', name, exported, card.id, changes);

/** The entry of a revocation of one card by another, or by the application. */
export async function revoke(
  name: string,
  [revoked, by]: readonly [Device, Device | SigningKey],
  more: Parameters<typeof revocation>[2] = {},
  changes: StepChanges = {},
): Promise<Step> {
  return step('revoke', name, await revocation(revoked, by, more), revoked.card.id, changes);
}

const PINNED: readonly SigningKey[] = [APP_KEY];

/** The case of these entries. */
export async function history(
  name: string,
  steps: readonly Step[],
  pinned: readonly SigningKey[] = PINNED,
): Promise<LogHistoryCase> {
  const entries: readonly EntryWithContent[] = steps.map(({ entry, content }, position) => ({
    entry: entry(position),
    content: named.get(content) ?? '',
  }));
  const appKeys = await Promise.all(
    pinned.map(({ publicKey }) => backEnd.importVerifyingKey(publicKey)),
  );
  const context = { identity: parseIdentity('alice'), logKey: LOG_KEY.publicKey, appKeys };
  const read = await readHistory(entries, context);
  return {
    name,
    result: read ? 'ok' : 'LOG_INVALID',
    identity: 'alice',
    appKeys: pinned.map(({ publicKey }) => bytesToHex(publicKey)),
    entries: entries.map(({ entry }, at) => ({
      entry: bytesToHex(entry),
      content: steps[at]?.content ?? '',
    })),
    ...(read && { history: historyVector(read) }),
  };
}

/** The first devices of the vectors: three of alice, and one of bob. */
export const [phone, laptop, tablet, bobs] = await Promise.all(
  ['alice/phone', 'alice/laptop', 'alice/tablet', 'bob/phone'].map((name) => device(name)),
).then(([first, second, third, other]) => {
  if (!first || !second || !third || !other) throw new Error('A device is missing.');
  return [first, second, third, other] as const;
});
/** Their entries. */
export const thePhone = approve('phone', phone);
export const theLaptop = approve('laptop', laptop);
export const theTablet = approve('tablet', tablet);

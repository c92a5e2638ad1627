/** A log that is filled by the million: computed as an auditor does, and stored many rows at a time. */
import { randomBytes } from 'node:crypto';
import {
  base64url,
  detailOf,
  encodeEntry,
  identityHash,
  parseCardId,
  parseIdentity,
  type Bytes,
  type Identity,
} from 'twilio-chat-encryption/protocol';
import { LogReplay } from '../token-server/src/domain/log-replay.ts';
import type { LogStep } from '../token-server/src/domain/log-step.ts';
import { mapRow, treeNodeName } from '../token-server/src/store/log-rows.ts';
import type { Schema } from '../token-server/src/store/schema.ts';
import type { openSqlite } from '../token-server/src/store/sqlite.ts';

/** Where a log is, of whatever kind. */
export type LogDatabase = ReturnType<typeof openSqlite>;

/** As long as that of a card. */
export const CONTENT: string = 'c'.repeat(1000);

// SQLite takes 32 766 parameters in one statement, and no row has more than five.
const ROWS = 5000;
const BATCH = 1000;

/** One of the people that the log is about. */
export function person(number: number): Identity {
  return parseIdentity(`person ${number}`);
}

/** Somebody's next card, as an entry is made of it. */
export function newCard() {
  const cardId = parseCardId(randomBytes(32).toString('hex'));
  return { operation: 'approve', time: Date.now(), cardId, content: CONTENT } as const;
}

/** A log in a database, and what it takes to compute its next entry. */
export class GrowingLog {
  readonly #db: LogDatabase;
  readonly #logKey: Bytes;
  readonly #replay = new LogReplay();

  /** @param logKey - its public key */
  constructor(db: LogDatabase, logKey: Bytes) {
    this.#db = db;
    this.#logKey = logKey;
  }

  /** How many entries it has. */
  get size(): number {
    return this.#replay.size;
  }

  /** Adds entries until there are `size`; `whose` says about whom each is. */
  async growTo(size: number, whose: (index: number) => Identity): Promise<void> {
    while (this.size < size) {
      const rows: Schema['log_entries'][] = [];
      const steps: LogStep[] = [];
      while (rows.length < BATCH && this.size < size) {
        const index = this.size;
        const identity = whose(index);
        const bytes = this.#entryOf(identity);
        const step = await this.#replay.take(bytes);
        const [entry, root] = [bytes, step.mapRoot].map(base64url.encode);
        if (entry === undefined || root === undefined) throw new Error('It is no entry.');
        rows.push({ log_index: index, identity, entry, content: CONTENT, map_root: root });
        steps.push(step);
      }
      await this.#store(rows, steps);
      // SQLite's driver never waits: what it leaves behind would be cleared away while something is measured.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Takes note of an entry that was appended to the database otherwise. */
  async follow(entry: string): Promise<void> {
    await this.#replay.take(base64url.decode(entry) ?? new Uint8Array());
  }

  #entryOf(identity: Identity): Bytes {
    const { operation, time, cardId, content } = newCard();
    const hash = identityHash(this.#logKey, identity);
    const detail = detailOf(content);
    return encodeEntry({ operation, time, identityHash: hash, cardId, detail });
  }

  async #store(
    entries: readonly Schema['log_entries'][],
    steps: readonly LogStep[],
  ): Promise<void> {
    const tree = steps.flatMap((step) =>
      step.tree.map((node) => ({ node: treeNodeName(node), hash: base64url.encode(node.hash) })),
    );
    const map = steps.flatMap((step) => step.map.map(mapRow));
    await this.#db.transaction().execute(async (transaction) => {
      for (const part of parts(entries)) {
        await transaction.insertInto('log_entries').values(part).execute();
      }
      for (const part of parts(tree)) {
        await transaction.insertInto('log_tree').values(part).execute();
      }
      for (const part of parts(map)) {
        await transaction.insertInto('log_map').values(part).execute();
      }
    });
  }
}

function parts<T>(rows: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(rows.length / ROWS) }, (_, index) =>
    rows.slice(index * ROWS, (index + 1) * ROWS),
  );
}

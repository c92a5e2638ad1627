/** What looks through a database finds whatever was changed in it. */
import Database from 'better-sqlite3';
import {
  base64url,
  decodeHead,
  exportCard,
  parseIdentity,
  succeedCard,
  type LogHead,
} from 'twilio-chat-encryption/protocol';
import { describe, expect, test } from 'vitest';
import { join } from 'node:path';
import type { Finding } from '../src/domain/findings.ts';
import { KnownHeads } from '../src/domain/known-heads.ts';
import { auditLeaves } from '../src/domain/leaf-audit.ts';
import { auditLog } from '../src/domain/log-audit.ts';
import type { LoggedLeaf } from '../src/domain/log.ts';
import { openStore } from '../src/index.ts';
import {
  createKeeper,
  findingsOf,
  makeDevice,
  publishNew,
  revokeBy,
  sessionOf,
  type Keeper,
} from './keeper.ts';
import { afterTest, temporaryFolder } from './support.ts';

const ALICE = parseIdentity('alice');
const BOB = parseIdentity('bob');

/** A log of nine entries, and how to spoil its database. */
async function nineEntries() {
  const file = join(temporaryFolder(), 'server.db');
  const { store } = await openStore(`sqlite:${file}`);
  const keeper = await createKeeper(store);
  const phone = await publishNew(keeper, ALICE);
  const next = await makeDevice(ALICE, phone.card);
  await keeper.cards.publish(sessionOf(ALICE), exportCard(await succeedCard(next.card, phone.key)));
  const laptop = await publishNew(keeper, ALICE);
  await revokeBy(keeper, laptop, next);
  for (const identity of [BOB, ALICE, BOB, BOB, BOB]) await publishNew(keeper, identity);
  const database = new Database(file);
  afterTest(async () => {
    database.close();
    await store.close();
  });
  return { keeper, cards: { phone, next, laptop }, database };
}

test('a log without anything wrong has no findings, and neither has an empty one', async () => {
  const { keeper } = await nineEntries();
  expect(await findingsOf(keeper)).toEqual([]);
  const { store } = await openStore('sqlite::memory:');
  afterTest(() => store.close());
  expect(await findingsOf(await createKeeper(store))).toEqual([]);
});

const OTHER = base64url.encode(new Uint8Array(32).fill(7));

describe('finds', () => {
  test.each([
    [
      'an entry that is gone',
      `delete from log_entries where log_index = 5`,
      /^entry 5: it is missing/,
    ],
    [
      'an entry that is none',
      `update log_entries set entry = 'AAAA' where log_index = 5`,
      /^entry 5: its bytes are no entry/,
    ],
    [
      'an entry in the place of another',
      `update log_entries set entry = (select entry from log_entries where log_index = 6)
       where log_index = 5`,
      /^entry 5: It is of another identity/,
    ],
    [
      'a content that was changed',
      `update log_entries set content = (select content from log_entries where log_index = 0)
       where log_index = 5`,
      /^entry 5: Its content is another than it says/,
    ],
    [
      'an entry that is shown with another identity',
      `update log_entries set identity = 'bob' where log_index = 0`,
      /^entry 0: It is of another identity/,
    ],
    [
      'an entry of an identity that nobody can have',
      `update log_entries set identity = char(0) where log_index = 0`,
      /^entry 0: It is of another identity/,
    ],
    [
      'a root of the map',
      `update log_entries set map_root = '${OTHER}' where log_index = 3`,
      /^entry 3: The root of the map after it is another/,
    ],
    [
      'a hash of the tree',
      `update log_tree set hash = '${OTHER}' where node = '1/2'`,
      /^tree node 1\/2: Its hash is another/,
    ],
    [
      'a hash of the tree that is gone',
      `delete from log_tree where node = '3/0'`,
      /^tree node 3\/0: It is missing/,
    ],
    [
      'a hash of the tree of no entry',
      `insert into log_tree values ('9/9', '${OTHER}')`,
      /^the tree: 1 nodes are of no entry/,
    ],
    [
      'a node of the map',
      `update log_map set left_part = '${OTHER}'
       where hash = (select map_root from log_entries where log_index = 8)`,
      /^map node [\w-]{43}: It is another than its hash says/,
    ],
    [
      'an older node of the map that is gone',
      `delete from log_map where hash = (select map_root from log_entries where log_index = 2)`,
      /^map node [\w-]{43}: It is missing/,
    ],
    [
      'a node of the map that cannot be read',
      `update log_map set right_part = '?'
       where hash = (select map_root from log_entries where log_index = 2)`,
      /^map node [\w-]{43}: It is missing/,
    ],
    [
      'a node of the map of no entry',
      `insert into log_map values ('${OTHER}', '${OTHER}', '${OTHER}', null)`,
      /^the map: 1 nodes are of no entry/,
    ],
  ])('%s', async (_what, statement, expected) => {
    const { keeper, database } = await nineEntries();
    expect(database.prepare(statement).run().changes).toBe(1);
    expect((await findingsOf(keeper))[0]).toMatch(expected);
  });

  test.each([
    [
      'a card that is live again',
      `update cards set ended_at = null, revocation = null where id = ?`,
      'It is revoked by the log.',
    ],
    [
      'a card that was revoked by nobody',
      `update cards set revocation = null where id = ?`,
      'It is revoked by the log.',
    ],
    [
      'a revocation that is another',
      `update cards set revocation = 'x' where id = ?`,
      'Its revocation is not logged.',
    ],
    [
      'a card that is another',
      `update cards set exported = 'x' where id = ?`,
      'It is not in the log as it is stored.',
    ],
  ])('%s', async (_what, statement, expected) => {
    const { keeper, cards, database } = await nineEntries();
    const { id } = cards.laptop.card;
    expect(database.prepare(statement).run(id).changes).toBe(1);
    expect(await findingsOf(keeper)).toContain(`card ${id}: ${expected}`);
  });

  test('a card that is gone, and one that came without the log', async () => {
    const { keeper, cards, database } = await nineEntries();
    const { id } = cards.laptop.card;
    database.pragma('foreign_keys = off');
    database.prepare('delete from cards where id = ?').run(id);
    await keeper.store.transaction((transaction) =>
      transaction.addCard({ id: 'x', identity: 'eve', exported: 'x', approvedAt: 1, keys: ['x'] }),
    );
    expect(await findingsOf(keeper)).toEqual([
      `card ${id}: It is logged and not stored.`,
      'card x: It is not in the log as it is stored.',
    ]);
  });

  test('cards that this application did not approve', async () => {
    const { keeper } = await nineEntries();
    const { appKey } = await createKeeper(keeper.store);
    expect(await findingsOf({ ...keeper, appKey })).toEqual([
      'identity "alice": 5 of its entries count for nothing.',
      'identity "bob": 4 of its entries count for nothing.',
    ]);
  });

  test('a log of another key', async () => {
    const { keeper } = await nineEntries();
    const { logKey } = await createKeeper(keeper.store);
    const findings = await findingsOf({ ...keeper, logKey });
    expect(findings[0]).toBe('entry 0: It is of another identity, or of another log.');
  });
});

async function headOf({ log }: Keeper): Promise<LogHead> {
  const head = decodeHead(base64url.decode(await log.head()) ?? new Uint8Array());
  if (!head) throw new Error('It is no head.');
  return head;
}

describe('a head that was seen', () => {
  test('is one of the log at its size, and of no other', async () => {
    const { keeper } = await nineEntries();
    const early = await headOf(keeper);
    await publishNew(keeper, BOB);
    const findings: Finding[] = [];
    const report = (finding: Finding): void => void findings.push(finding);
    const others = { ...early, root: new Uint8Array(32) };
    const audit = (heads: LogHead[]): Promise<unknown> =>
      auditLog({
        store: keeper.store,
        logKey: keeper.logKey.publicKey,
        heads: new KnownHeads(heads, report),
        report,
      });
    await audit([early, await headOf(keeper)]);
    expect(findings).toEqual([]);
    await audit([early, others, { ...others, size: 0 }, { ...early, size: 11 }]);
    expect(findings).toEqual([
      {
        where: 'the head of 0 entries',
        what: 'It is of another log: its root is another.',
      },
      {
        where: 'the head of 9 entries',
        what: 'It is of another log: its root is another.',
      },
      { where: 'the head of 11 entries', what: 'The log has only 10 entries.' },
    ]);
  });
});

describe('an auditor of leaves', () => {
  /** What is found in the leaves of a log when they are changed on the way. */
  async function audit(
    keeper: Keeper,
    change: (leaves: LoggedLeaf[]) => LoggedLeaf[] = (leaves) => leaves,
  ): Promise<string[]> {
    const head = await headOf(keeper);
    const findings: string[] = [];
    const report = ({ where, what }: Finding): void => void findings.push(`${where}: ${what}`);
    await auditLeaves({
      entries: async (start, end) => change([...(await keeper.log.entries(start, end))]),
      size: head.size,
      heads: new KnownHeads([head], report),
      report,
    });
    return findings;
  }

  test('comes to the head', async () => {
    const { keeper } = await nineEntries();
    expect(await audit(keeper)).toEqual([]);
  });

  test('sees a root that does not follow, an entry that is left out, and another order', async () => {
    const { keeper } = await nineEntries();
    const spoiled = await audit(keeper, (leaves) =>
      leaves.map((leaf, index) => (index === 4 ? { ...leaf, mapRoot: OTHER } : leaf)),
    );
    expect(spoiled).toEqual(['entry 4: The root of the map after it is another.']);
    expect(await audit(keeper, (leaves) => leaves.slice(1))).toEqual(['entry 8: It is not shown.']);
    expect(await audit(keeper, (leaves) => [...leaves, ...leaves])).toHaveLength(1);
    const swapped = await audit(keeper, ([first, second, ...others]) =>
      first && second ? [second, first, ...others] : [],
    );
    expect(swapped).toContain('the head of 9 entries: It is of another log: its root is another.');
    const damaged = await audit(keeper, (leaves) => leaves.map((leaf) => ({ ...leaf, entry: '' })));
    expect(damaged).toHaveLength(1);
  });
});

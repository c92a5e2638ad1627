import {
  base64url,
  decodeEntry,
  detailOf,
  EncryptionError,
  identityHash,
  importCard,
  parseRevocation,
  type Bytes,
  type LogEntry,
} from 'twilio-chat-encryption/protocol';
import type { Report } from './findings.ts';
import { isIdentity } from './identity.ts';
import type { KnownHeads } from './known-heads.ts';
import { LogReplay } from './log-replay.ts';
import type { StoredEntry } from './log-store.ts';
import type { LogStep } from './log-step.ts';
import type { Store } from './store.ts';

/** What the log in a database is compared with itself by. */
export interface LogAuditParts {
  readonly store: Store;
  /** The log's public key, 32 bytes. */
  readonly logKey: Bytes;
  /** What others have seen of it. */
  readonly heads: KnownHeads;
  readonly report: Report;
}

/** What an audit has seen. */
export interface AuditedLog {
  /** Of how many entries everything was computed again. */
  readonly size: number;
  /** The root of the tree over them, 32 bytes. */
  readonly root: Bytes;
}

const PAGE = 500;

/**
 * Computes the whole log of a database again, entry by entry, and reports whatever is stored in
 * another way. Entries that come meanwhile are left out. It stops at an entry that is not there or
 * not readable: what follows depends on it.
 */
export async function auditLog(parts: LogAuditParts): Promise<AuditedLog> {
  const { store, report } = parts;
  const counts = await store.audit.counts();
  const size = await store.log.size();
  const replay = new LogReplay();
  const computed = { tree: 0, map: 0 };
  await parts.heads.compare(replay);
  for (let start = 0; start < size; start += PAGE) {
    const end = Math.min(start + PAGE, size);
    const steps = await auditPage(parts, replay, start, end);
    await compareNodes(parts, steps);
    for (const { tree, map } of steps) {
      computed.tree += tree.length;
      computed.map += map.length;
    }
    if (replay.size < end) return { size: replay.size, root: await replay.root() };
  }
  parts.heads.end(size);
  // Only when nothing was added in between; more or fewer would have been found above.
  if (counts.entries === size) compareCounts(counts, computed, report);
  return { size, root: await replay.root() };
}

/** Takes entries until one cannot be taken. */
async function auditPage(
  parts: LogAuditParts,
  replay: LogReplay,
  start: number,
  end: number,
): Promise<LogStep[]> {
  const { store, report } = parts;
  const stored = new Map((await store.log.range(start, end)).map((entry) => [entry.index, entry]));
  const steps: LogStep[] = [];
  for (let index = start; index < end; index += 1) {
    const where = `entry ${index}`;
    const entry = stored.get(index);
    const bytes = entry === undefined ? null : base64url.decode(entry.entry);
    const decoded = bytes && decodeEntry(bytes);
    if (!entry || !bytes || !decoded) {
      const what = entry ? 'its bytes are no entry' : 'it is missing';
      report({ where, what: `${what}. Nothing after it was checked.` });
      return steps;
    }
    for (const what of await wrongs(entry, decoded, parts.logKey)) report({ where, what });
    const step = await replay.take(bytes);
    if (base64url.encode(step.mapRoot) !== entry.mapRoot) {
      report({ where, what: 'The root of the map after it is another.' });
    }
    await parts.heads.compare(replay);
    steps.push(step);
  }
  return steps;
}

/** What is wrong between an entry and what it is about. */
async function wrongs(
  stored: StoredEntry,
  entry: LogEntry,
  logKey: Bytes,
): Promise<readonly string[]> {
  const { identity, content } = stored;
  const isOfIdentity =
    isIdentity(identity) && same(entry.identityHash, identityHash(logKey, identity));
  return [
    ...(isOfIdentity ? [] : ['It is of another identity, or of another log.']),
    ...(same(entry.detail, detailOf(content)) ? [] : ['Its content is another than it says.']),
    ...((await isAbout(entry, identity, content)) ? [] : ['Its content is not of its card.']),
  ];
}

async function isAbout(entry: LogEntry, identity: string, content: string): Promise<boolean> {
  try {
    if (entry.operation === 'revoke') return parseRevocation(content).cardId === entry.cardId;
    const card = await importCard(content);
    return card.id === entry.cardId && card.identity === identity;
  } catch (error) {
    if (error instanceof EncryptionError) return false;
    throw error;
  }
}

/** Whether all nodes that the entries add are stored. A node of the map is named by its hash. */
async function compareNodes(
  { store, report }: LogAuditParts,
  steps: readonly LogStep[],
): Promise<void> {
  const tree = steps.flatMap((step) => step.tree);
  for (const [at, stored] of (await store.audit.treeNodes(tree)).entries()) {
    const node = tree[at];
    if (!node || (stored && same(stored, node.hash))) continue;
    const what = stored ? 'Its hash is another.' : 'It is missing.';
    report({ where: `tree node ${node.level}/${node.index}`, what });
  }
  const map = steps.flatMap((step) => step.map);
  for (const [at, stored] of (await store.audit.mapNodes(map.map(({ hash }) => hash))).entries()) {
    const node = map[at];
    if (!node || (stored && textOf(stored) === textOf(node.node))) continue;
    const what = stored ? 'It is another than its hash says.' : 'It is missing.';
    report({ where: `map node ${base64url.encode(node.hash)}`, what });
  }
}

function compareCounts(
  stored: { readonly tree: number; readonly map: number },
  computed: { readonly tree: number; readonly map: number },
  report: Report,
): void {
  for (const part of ['tree', 'map'] as const) {
    const more = stored[part] - computed[part];
    if (more > 0) report({ where: `the ${part}`, what: `${more} nodes are of no entry.` });
  }
}

function textOf(node: LogStep['map'][number]['node']): string {
  const parts = 'history' in node ? [node.identityHash, node.history] : [node.left, node.right];
  return [...parts.map(base64url.encode), 'history' in node ? node.count : ''].join(' ');
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

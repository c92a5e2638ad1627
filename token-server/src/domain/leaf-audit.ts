import { base64url, decodeEntry } from 'twilio-chat-encryption/protocol';
import type { Report } from './findings.ts';
import type { KnownHeads } from './known-heads.ts';
import { MAX_LOG_RANGE } from './limits.ts';
import type { LoggedLeaf } from './log.ts';
import { LogReplay } from './log-replay.ts';

/** What somebody needs who audits a log that is not his. */
export interface LeafAuditParts {
  /** Gives the entries from `start` up to and without `end`. Nothing of it is trusted. */
  readonly entries: (start: number, end: number) => Promise<readonly LoggedLeaf[]>;
  /** How many entries the log says that it has. */
  readonly size: number;
  readonly heads: KnownHeads;
  readonly report: Report;
}

/**
 * Computes a log again from its leaves: that each root of its map follows from the one before, and
 * that they all are under the heads. It stops at the first entry that is not one.
 */
export async function auditLeaves({ entries, size, heads, report }: LeafAuditParts): Promise<void> {
  const replay = new LogReplay();
  await heads.compare(replay);
  while (replay.size < size) {
    const end = Math.min(replay.size + MAX_LOG_RANGE, size);
    const leaves = await entries(replay.size, end);
    if (leaves.length !== end - replay.size) {
      report({ where: `entry ${replay.size + leaves.length}`, what: 'It is not shown.' });
      return;
    }
    for (const { entry, mapRoot } of leaves) {
      const where = `entry ${replay.size}`;
      const bytes = base64url.decode(entry);
      if (!bytes || !decodeEntry(bytes)) {
        report({ where, what: 'Its bytes are no entry. Nothing after it was checked.' });
        return;
      }
      const step = await replay.take(bytes);
      if (base64url.encode(step.mapRoot) !== mapRoot) {
        report({ where, what: 'The root of the map after it is another.' });
      }
      await heads.compare(replay);
    }
  }
  heads.end(size);
}

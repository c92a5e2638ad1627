import type { CardRecord } from '../domain/card-record.ts';
import type { Schema } from './schema.ts';

/** A card out of its row. */
export function cardRecord(row: Schema['cards']): CardRecord {
  const { id, identity, exported, revocation } = row;
  return { id, identity, exported, revocation, approvedAt: row.approved_at, endedAt: row.ended_at };
}

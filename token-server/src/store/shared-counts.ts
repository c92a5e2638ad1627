import { CompiledQuery, type Kysely } from 'kysely';
import type { SharedCounts } from '../domain/shared-counts.ts';
import type { Schema } from './schema.ts';

/** The table of counters, over the connections that everything else uses. For PostgreSQL. */
export function createSharedCounts(db: Kysely<Schema>): SharedCounts {
  return {
    async query({ text, values = [] }) {
      const statement = CompiledQuery.raw(text, [...values]);
      const { rows, numAffectedRows } = await db.executeQuery<unknown>(statement);
      return { rows, rowCount: Number(numAffectedRows ?? rows.length) };
    },

    async deleteExpired(before) {
      await db.deleteFrom('rate_limits').where('expire', '<', before).execute();
    },
  };
}

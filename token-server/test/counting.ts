import type { Kysely } from 'kysely';
import type { Schema } from '../src/store/schema.ts';

/** How much was asked of a database, and how much it gave. */
export interface Counter {
  readonly db: Kysely<Schema>;
  readonly queries: number;
  readonly rows: number;
}

/** Counts what is sent through `db`, which is the given one otherwise. */
export function counting(inner: Kysely<Schema>): Counter {
  const counter = {
    queries: 0,
    rows: 0,
    db: inner.withPlugin({
      transformQuery({ node }) {
        counter.queries += 1;
        return node;
      },
      transformResult({ result }) {
        counter.rows += result.rows.length;
        return Promise.resolve(result);
      },
    }),
  };
  return counter;
}

import { PostgresAdapter, sql, type Expression, type Kysely, type SqlBool } from 'kysely';

/**
 * Whether a column has one of these values, of which there is one at least. An array is one parameter: a
 * thousand of them take PostgreSQL longer to read than their rows.
 */
export function isOneOf<Schema>(
  db: Kysely<Schema>,
  column: string,
  values: readonly string[],
): Expression<SqlBool> {
  const hasArrays = db.getExecutor().adapter instanceof PostgresAdapter;
  return hasArrays
    ? sql<SqlBool>`${sql.ref(column)} = any(${values})`
    : sql<SqlBool>`${sql.ref(column)} in (${sql.join(values)})`;
}

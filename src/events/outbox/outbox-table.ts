import { ConfigurationError } from '../../core/index.js';

/** A migration as `PostgresDatabase.migrate` takes it: SQL to apply and to take back. */
export interface OutboxMigration {
  readonly id: string;
  readonly up: string;
  readonly down: string;
}

export const defaultOutboxTable = 'safla_outbox';

/** One identifier that needs no quotes, or two with the schema before the dot. Sequences and indexes add to it. */
const tableName = /^[a-z_][a-z0-9_]{0,47}(?:\.[a-z_][a-z0-9_]{0,47})?$/;

/** @throws ConfigurationError for a name that would need quotes or is too long */
export function assertTableName(table: unknown, field: string): void {
  if (typeof table === 'string' && tableName.test(table)) return;
  throw new ConfigurationError(
    `${field} must be a table's name of lower-case letters, digits and '_', at most 48 of them, with an optional schema: 'app.outbox'`,
    { field },
  );
}

/**
 * The table of an {@link Outbox}, for your migrations. One row is one event that is not published yet.
 *
 * `tx` stands before `seq` on purpose: PostgreSQL computes defaults in the order of the columns, so a
 * transaction has its id before it draws its first number, which the relay's order rests on.
 *
 * @throws ConfigurationError
 * @example await db.migrate([outboxTable(), ...mine]);
 */
export function outboxTable(table: string = defaultOutboxTable): OutboxMigration {
  assertTableName(table, 'outboxTable.table');
  return {
    id: `${table.replace('.', '_')}_1`,
    up: `create table ${table} (
  tx xid8 not null default pg_current_xact_id(),
  seq bigint generated always as identity primary key,
  channel text not null,
  id text not null,
  key text,
  body text not null,
  created_at timestamptz not null default clock_timestamp(),
  failure text
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)`,
    down: `drop table ${table}`,
  };
}

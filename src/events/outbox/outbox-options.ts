import { ConfigurationError, type TelemetryOptions } from '../../core/index.js';
import { checkOptions, is, type OptionCheck } from '../../core/internal.js';
import { type BackoffOptions, backoffChecks } from '../../resilience/backoff.js';
import type { OutboxDatabase, OutboxEvents } from './outbox-database.js';
import { OutboxStatements } from './outbox-statements.js';
import { assertTableName, defaultOutboxTable } from './outbox-table.js';

/** Options of {@link Outbox}. */
export interface OutboxOptions {
  /** A PostgreSQL database with the table of {@link outboxTable}; yours, never closed by the outbox. */
  readonly db: OutboxDatabase;
  /** Where the events go; yours, never closed by the outbox. */
  readonly events: OutboxEvents;
  /** With its schema where it is not on the search path: `app.outbox`. @default 'safla_outbox' */
  readonly table?: string;
  /** Events published together. @default 100 */
  readonly batchSize?: number;
  /** Pause between looks into an empty table while it is started, in milliseconds; see `wake`. @default 500 */
  readonly pollMs?: number;
  /** Longest time to publish one batch, in milliseconds; its transaction stays open that long. @default 10000 */
  readonly publishTimeoutMs?: number;
  /**
   * How long a transaction that is still open may hold back the events after its own, in milliseconds.
   * After that they go first; its own follow when it commits. @default 10000
   */
  readonly maxHoldMs?: number;
  /** Pauses after a failure while it is started. @default 200 ms to 30 s, full jitter */
  readonly backoff?: BackoffOptions;
  readonly telemetry?: TelemetryOptions;
}

/** {@link OutboxOptions} with defaults. */
export interface OutboxSettings {
  readonly db: OutboxDatabase;
  readonly events: OutboxEvents;
  readonly statements: OutboxStatements;
  readonly batchSize: number;
  readonly pollMs: number;
  readonly publishTimeoutMs: number;
  readonly maxHoldMs: number;
  readonly backoff: BackoffOptions;
}

/** @throws ConfigurationError */
export function outboxSettings(options: OutboxOptions): OutboxSettings {
  checkOptions<OutboxOptions>('Outbox', options, {
    db: is.required(having('transaction')),
    events: is.required(having('prepare', 'publishPrepared')),
    table: assertTableName,
    batchSize: is.count,
    pollMs: is.milliseconds,
    publishTimeoutMs: is.milliseconds,
    maxHoldMs: is.milliseconds,
    backoff: is.options(backoffChecks),
    telemetry: is.object,
  });
  return {
    db: options.db,
    events: options.events,
    statements: new OutboxStatements(options.table ?? defaultOutboxTable),
    batchSize: Math.min(options.batchSize ?? 100, 100_000),
    pollMs: options.pollMs ?? 500,
    publishTimeoutMs: options.publishTimeoutMs ?? 10_000,
    maxHoldMs: options.maxHoldMs ?? 10_000,
    backoff: options.backoff ?? {},
  };
}

/** An object with these methods. */
function having(...methods: readonly string[]): OptionCheck {
  return (value, field) => {
    is.object(value, field);
    const missing = methods.find((method) => typeof (value as Record<string, unknown>)[method] !== 'function');
    if (missing !== undefined) throw new ConfigurationError(`${field} has no method '${missing}'`, { field });
  };
}

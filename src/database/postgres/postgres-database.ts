import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Awaitable,
  type CallOptions,
  type CallScope,
  type Closeable,
  type CloseOptions,
  type Health,
  type HealthCheck,
  Lifecycle,
  type SpanRequest,
  spanKind,
  Telemetry,
  UnsupportedError,
} from '../../core/index.js';
import { describeError } from '../../core/internal.js';
import type { DriverResult, PostgresPool } from '../../drivers/postgres/index.js';
import type { DatabaseCapabilities } from '../capabilities.js';
import { compileFragment, compileText } from '../sql/compile.js';
import type { SqlFragment } from '../sql/sql-fragment.js';
import type { Statement } from '../sql/statement.js';
import type { ConnectionPool, PoolMetrics } from './connection-pool.js';
import { Engine } from './engine.js';
import { checkPostgresOptions, type PostgresDatabaseOptions } from './postgres-options.js';
import type { PostgresTransaction } from './postgres-transaction.js';
import { checkTransactionOptions, runTransaction, type TransactionOptions } from './run-transaction.js';
import { type QueryOptions, rowsOf, type SqlRow, type SqlRows, type SqlTag, sqlTag } from './sql-tag.js';
import { assertPooled } from './statement-rules.js';

/** What a {@link PostgresDatabase} has done, and its pools. */
export interface PostgresMetrics {
  readonly primary: PoolMetrics;
  readonly replicas: readonly PoolMetrics[];
  readonly statements: number;
  readonly failures: number;
  /** Transactions that ran again after 40001 or 40P01. */
  readonly retries: number;
  readonly running: number;
}

/**
 * PostgreSQL: a server, or PGlite inside this process, with the same SQL, the same errors and the same
 * types. What an engine cannot do is in {@link PostgresDatabase.capabilities} and is refused by
 * `UnsupportedError`.
 *
 * Constructing opens nothing; the first call connects. An abort or a timeout stops the statement on the
 * server and leaves the connection usable.
 *
 * @example
 * await using db = new PostgresDatabase({ url: process.env.DATABASE_URL ?? 'memory:' });
 * await db.sql`insert into orders ${db.sql.values([{ id, sku }])}`;
 * const order = await db.sql.one<Order>`select * from orders where id = ${id}`;
 * await db.transaction(async (tx) => { await tx.sql`update stock set left = left - 1 where sku = ${sku}`; });
 */
export class PostgresDatabase implements Closeable, HealthCheck {
  readonly name: string;
  /** Runs one statement on a connection of the pool. */
  readonly sql: SqlTag;
  readonly #engine: Engine;
  readonly #lifecycle: Lifecycle;
  readonly #telemetry: Telemetry;
  readonly #defaultMs: number;
  /** Set where a transaction of this database runs. */
  readonly #inside: AsyncLocalStorage<true> = new AsyncLocalStorage();
  #statements = 0;
  #failures = 0;
  #retries = 0;

  /** @throws ConfigurationError */
  constructor(options: PostgresDatabaseOptions) {
    checkPostgresOptions(options);
    this.name = options.name ?? 'postgres';
    this.#engine = new Engine(options);
    this.#lifecycle = new Lifecycle(this.name);
    this.#telemetry = new Telemetry('database', options.telemetry);
    const { statementTimeoutMs = 30_000, acquireTimeoutMs = 5_000 } = options;
    this.#defaultMs = statementTimeoutMs === false ? Number.POSITIVE_INFINITY : statementTimeoutMs + acquireTimeoutMs;
    this.sql = sqlTag((statement, settings) => this.#run(statement, settings));
  }

  /** What this engine can do. */
  get capabilities(): DatabaseCapabilities {
    return this.#engine.capabilities;
  }

  /** The driver's pool, opened now if it was not. */
  pool(): Promise<PostgresPool> {
    this.#lifecycle.assertOpen();
    return this.#engine.primary.driver();
  }

  /**
   * Runs one statement: a fragment made by `sql`, or a text with `$1`, `$2`, ... and its values.
   *
   * @throws DatabaseError ConnectFailedError ConnectionLostError PoolExhaustedError ValidationError for a value
   * that cannot be sent, UnsupportedError for a statement that needs a connection of its own, TimeoutError, the
   * signal's reason, ClosedError
   */
  query<Row = SqlRow>(query: SqlFragment, options?: QueryOptions): Promise<SqlRows<Row>>;
  query<Row = SqlRow>(text: string, values?: readonly unknown[], options?: QueryOptions): Promise<SqlRows<Row>>;
  async query(
    query: SqlFragment | string,
    second?: readonly unknown[] | QueryOptions,
    third: QueryOptions = {},
  ): Promise<SqlRows<SqlRow>> {
    const text = typeof query === 'string';
    const statement = text ? compileText(query, (second ?? []) as readonly unknown[]) : compileFragment(query);
    return rowsOf(await this.#run(statement, text ? third : ((second ?? {}) as QueryOptions)));
  }

  /**
   * Runs `fn` in a transaction: it commits when `fn` returns and rolls back when it throws. After a
   * serialization failure or a deadlock the whole of `fn` runs again, so keep effects on the outside out of it.
   * What `fn` awaits in this SDK is cancelled with the transaction.
   *
   * @throws what `fn` throws; SerializationFailureError or DeadlockError when the retries are used up; otherwise as {@link PostgresDatabase.query}
   */
  async transaction<T>(fn: (tx: PostgresTransaction) => Awaitable<T>, options: TransactionOptions = {}): Promise<T> {
    checkTransactionOptions(options);
    this.#assertNotNested();
    const span = this.#span('transaction', {});
    return await this.#call('transaction', options, span, (scope) => {
      const inside = (tx: PostgresTransaction): Awaitable<T> => this.#inside.run(true, () => fn(tx));
      return runTransaction(this.#engine.primary, inside, options, scope, {
        onRetry: (error, attempt) => {
          this.#retries += 1;
          this.#telemetry.logger.debug({ error, attempt }, 'A transaction runs again');
        },
        onStatement: () => {
          this.#statements += 1;
        },
      });
    });
  }

  /** Asks the primary a question. Never throws: a failure is an answer. */
  async health(options: CallOptions = {}): Promise<Health> {
    const started = performance.now();
    const details = { engine: this.#engine.kind, pool: this.#engine.primary.metrics() };
    try {
      await this.query('select 1', [], { timeoutMs: 5_000, ...options });
      return { status: 'pass', latencyMs: performance.now() - started, details };
    } catch (error) {
      return { status: 'fail', output: describeError(error), latencyMs: performance.now() - started, details };
    }
  }

  metrics(): PostgresMetrics {
    return {
      primary: this.#engine.primary.metrics(),
      replicas: this.#engine.replicas.map((pool) => pool.metrics()),
      statements: this.#statements,
      failures: this.#failures,
      retries: this.#retries,
      running: this.#lifecycle.running,
    };
  }

  /** Refuses new calls, lets running ones finish until the deadline, stops the rest, then disconnects. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, (remainingMs) => this.#engine.close(remainingMs));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(statement: Statement, options: QueryOptions): Promise<DriverResult> {
    assertPooled(statement.shape);
    this.#assertNotNested();
    this.#statements += 1;
    const { operation, text } = statement.shape;
    const attributes = statement.fixed ? { 'db.query.text': text } : {};
    return await this.#call(operation, options, this.#span(operation, attributes), (scope) => {
      const work = (pool: ConnectionPool): Promise<DriverResult> =>
        pool.use(scope, (session) => session.execute(statement, scope));
      return options.replica ? this.#engine.onReplica(scope, work) : work(this.#engine.primary);
    });
  }

  async #call<T>(
    subject: string,
    { signal, timeoutMs }: CallOptions,
    span: SpanRequest,
    work: (scope: CallScope) => Promise<T>,
  ): Promise<T> {
    const started = performance.now();
    let failed = false;
    try {
      return await this.#telemetry.span(span, async () => {
        const given = { ...(signal ? { signal } : {}), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
        // Making a database in this process takes long the first time, which is no statement's fault.
        if (!this.#engine.ready) await this.#lifecycle.call(`start of ${this.name}`, given, () => this.#engine.start());
        const limited = { timeoutMs: this.#defaultMs, ...given };
        return await this.#lifecycle.call(`${subject} on ${this.name}`, limited, work);
      });
    } catch (error) {
      failed = true;
      this.#failures += 1;
      throw error;
    } finally {
      this.#telemetry.duration('db.client.operation.duration', performance.now() - started, {
        'db.system.name': 'postgresql',
        'db.operation.name': subject,
        ...(failed ? { 'error.type': 'failed' } : {}),
      });
    }
  }

  /** OpenTelemetry semantic conventions for databases, stable since 1.33. */
  #span(operation: string, attributes: Record<string, string>): SpanRequest {
    return {
      name: operation,
      kind: spanKind.client,
      attributes: {
        'db.system.name': 'postgresql',
        'db.operation.name': operation,
        ...this.#engine.attributes,
        ...attributes,
      },
    };
  }

  #assertNotNested(): void {
    if (this.capabilities.concurrentTransactions || !this.#inside.getStore()) return;
    throw new UnsupportedError(
      `${this.name} has one connection, which the transaction around this call has. Use what the transaction was given: tx.sql, tx.savepoint`,
    );
  }
}

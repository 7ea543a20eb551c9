import {
  type Awaitable,
  type CallOptions,
  type CloseOptions,
  ConfigurationError,
  detach,
  type Health,
  Lifecycle,
  type SpanRequest,
  Telemetry,
  UnsupportedError,
} from '../../core/index.js';
import { activeHealth, is } from '../../core/internal.js';
import type { DriverResult, PostgresPool } from '../../drivers/postgres/index.js';
import type { DatabaseCapabilities } from '../capabilities.js';
import type { DatabaseEngine, DatabaseRow, RowId } from '../database-engine.js';
import { compileFragment } from '../sql/compile.js';
import type { RowValues } from '../sql/json-row.js';
import { readQuery } from '../sql/read-query.js';
import type { SqlFragment } from '../sql/sql-fragment.js';
import type { Statement, StatementShape } from '../sql/statement.js';
import type { TableName } from '../sql/table-name.js';
import {
  type BulkInsertOptions,
  type BulkInsertResult,
  type BulkRows,
  bulkInsert,
  checkBulkOptions,
} from './bulk-insert.js';
import type { ConnectionPool, PoolMetrics } from './connection-pool.js';
import { DatabaseCalls } from './database-calls.js';
import { Engine } from './engine.js';
import {
  type ChannelHandler,
  type ChannelListenOptions,
  type ChannelSubscription,
  checkListening,
  Listener,
  type Notification,
} from './listener.js';
import { checkMigrations, migrate } from './migrate.js';
import type { MigrationResult, MigrationSource } from './migration.js';
import { createSchema, dropSchema } from './own-schema.js';
import { checkPostgresOptions, type PostgresDatabaseOptions } from './postgres-options.js';
import type { PostgresTransaction } from './postgres-transaction.js';
import { checkReadOptions, type LimitedRows, type ReadOptions, readLimited } from './read-limited.js';
import {
  checkRowStreamOptions,
  type RowStream,
  type RowStreamOptions,
  rowStream,
  streamBatches,
} from './row-stream.js';
import { RowsById } from './rows-by-id.js';
import { checkTransactionOptions, inTransaction, runTransaction, type TransactionOptions } from './run-transaction.js';
import {
  checkQueryOptions,
  type QueryOptions,
  rowsOf,
  type SqlRow,
  type SqlRows,
  type SqlTag,
  sqlTag,
} from './sql-tag.js';
import { assertPooled, assertReading } from './statement-rules.js';

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
export class PostgresDatabase implements DatabaseEngine {
  readonly name: string;
  /** Runs one statement on a connection of the pool. */
  readonly sql: SqlTag;
  readonly #engine: Engine;
  readonly #lifecycle: Lifecycle;
  readonly #calls: DatabaseCalls;
  readonly #schema: string | undefined;
  readonly #migrations: MigrationSource | undefined;
  readonly #rows: RowsById;
  readonly #listener: Listener;
  /** The spans of statements that may run, so that each text is looked at once. */
  readonly #spans: WeakMap<StatementShape, SpanRequest> = new WeakMap();

  /** @throws ConfigurationError */
  constructor(options: PostgresDatabaseOptions) {
    checkPostgresOptions(options);
    this.name = options.name ?? 'postgres';
    this.#engine = new Engine(options);
    this.#lifecycle = new Lifecycle(this.name);
    const telemetry = new Telemetry('database', options.telemetry);
    const { statementTimeoutMs = 30_000, acquireTimeoutMs = 5_000 } = options;
    this.#calls = new DatabaseCalls({
      name: this.name,
      engine: this.#engine,
      lifecycle: this.#lifecycle,
      telemetry,
      defaultMs: statementTimeoutMs === false ? Number.POSITIVE_INFINITY : statementTimeoutMs + acquireTimeoutMs,
    });
    if (options.migrations) checkMigrations(options.migrations);
    this.#migrations = options.migrations;
    this.#schema = options.schema;
    const run = (statement: Statement, settings: QueryOptions): Promise<DriverResult> => this.#run(statement, settings);
    this.sql = sqlTag(run);
    this.#rows = new RowsById(run);
    this.#listener = new Listener(() => this.#engine.openListener(), this.#engine.primary.target, telemetry.logger);
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
    third?: QueryOptions,
  ): Promise<SqlRows<SqlRow>> {
    const [statement, options] = readQuery(query, second, third);
    checkQueryOptions(options);
    return rowsOf(await this.#run(statement, options));
  }

  /**
   * Runs `fn` in a transaction: it commits when `fn` returns and rolls back when it throws. After a
   * serialization failure or a deadlock the whole of `fn` runs again, so keep effects on the outside out of it.
   * What `fn` awaits in this SDK is cancelled with the transaction.
   *
   * @throws what `fn` throws; SerializationFailureError or DeadlockError when the retries are used up; otherwise as {@link PostgresDatabase.query}
   */
  async transaction<T>(fn: (tx: PostgresTransaction) => Awaitable<T>, options: TransactionOptions = {}): Promise<T> {
    is.function(fn, 'transaction: what runs in it');
    checkTransactionOptions(options);
    this.#calls.assertNotNested();
    const inside = (tx: PostgresTransaction): Awaitable<T> => this.#calls.insideTransaction(() => fn(tx));
    return await this.#calls.run('transaction', options, this.#calls.span('transaction'), (scope) =>
      runTransaction(this.#engine.primary, inside, options, scope, this.#calls.transactionEvents),
    );
  }

  /**
   * The rows of one statement, fetched in batches while they are read, so that any number fits into memory.
   * Leaving the loop ends it. The connection is the stream's until then; `statementTimeoutMs` holds for each batch.
   *
   * @throws as {@link PostgresDatabase.query}, in the loop
   * @example for await (const order of db.stream<Order>(sql`select * from orders`)) handle(order);
   */
  stream<Row = SqlRow>(query: SqlFragment, options: RowStreamOptions = {}): RowStream<Row> {
    checkRowStreamOptions(options);
    const statement = compileFragment(query);
    assertPooled(statement.shape);
    return rowStream(() => this.#batches(statement, options));
  }

  /**
   * Reads for somebody who is not trusted: one statement in a read-only transaction that is rolled back, with
   * limits on rows, bytes and time. A write in it fails with DatabaseError of kind `'read-only'`. What the
   * database user may call and see is for the database to limit: give it a role of its own.
   *
   * @throws as {@link PostgresDatabase.query}, and UnsupportedError for anything but select, with, values, table, show and explain
   */
  read<Row = SqlRow>(query: SqlFragment, options?: ReadOptions): Promise<LimitedRows<Row>>;
  read<Row = SqlRow>(text: string, values?: readonly unknown[], options?: ReadOptions): Promise<LimitedRows<Row>>;
  async read(
    query: SqlFragment | string,
    second?: readonly unknown[] | ReadOptions,
    third?: ReadOptions,
  ): Promise<LimitedRows> {
    const [statement, options] = readQuery(query, second, third);
    checkReadOptions(options);
    assertReading(statement.shape);
    this.#calls.assertNotNested();
    this.#calls.countStatement();
    const settings = { readOnly: true, statementTimeoutMs: options.statementTimeoutMs ?? 10_000 };
    return await this.#calls.run('read', options, this.#calls.span('read'), (scope) => {
      const work = (pool: ConnectionPool): Promise<LimitedRows> =>
        pool.use(scope, (session) =>
          inTransaction(session, scope, settings, () => readLimited(session, scope, statement, options)),
        );
      return options.replica ? this.#engine.onReplica(scope, work) : work(this.#engine.primary);
    });
  }

  /**
   * Inserts many rows, all or none: by COPY on a server, as JSON in batches in PGlite and with `onConflict`.
   * Rows are objects with the same columns, at hand or coming; values are read by the types of the columns.
   *
   * @throws ValidationError for rows of different shapes and values that cannot be sent; as {@link PostgresDatabase.query}
   */
  async bulkInsert(table: TableName, rows: BulkRows, options: BulkInsertOptions = {}): Promise<BulkInsertResult> {
    checkBulkOptions(options);
    this.#calls.assertNotNested();
    this.#calls.countStatement();
    const { copy } = this.capabilities;
    return await this.#calls.run('bulk insert', options, this.#calls.span('insert'), (scope) =>
      this.#engine.primary.use(scope, (session) => bulkInsert(session, scope, table, rows, options, copy)),
    );
  }

  /**
   * Tells `handler` about every notification on a channel. It listens on a connection of its own that is made
   * again when it breaks; what is sent meanwhile is lost, which `onDisconnect` and `onReconnect` say. What a
   * handler throws is logged. A server lets one listen per connection, so all channels share it.
   *
   * @throws ConnectFailedError when listening cannot begin
   */
  async listen(
    channel: string,
    handler: (notification: Notification) => unknown,
    options: ChannelListenOptions & CallOptions = {},
  ): Promise<ChannelSubscription> {
    checkListening(channel, handler, options);
    const { signal: _, timeoutMs: __, ...events } = options;
    const entry: ChannelHandler = { ...events, handle: handler };
    let adding: Promise<() => Promise<void>> | undefined;
    try {
      const remove = await this.#calls.run('listen', options, this.#calls.span('listen'), () => {
        // The connection outlives the call, so the call's context must not cancel it.
        adding = detach(() => this.#listener.add(channel, entry));
        return adding;
      });
      const close = (): Promise<void> => remove();
      return { channel, close, [Symbol.asyncDispose]: close };
    } catch (error) {
      // A call that gave up must not leave a subscription behind.
      adding?.then(
        (remove) => remove(),
        () => undefined,
      );
      throw error;
    }
  }

  /** Sends a notification to everybody who listens to the channel. Inside of a transaction use `pg_notify`. */
  async notify(channel: string, payload = '', options: CallOptions = {}): Promise<void> {
    await this.query('select pg_notify($1, $2)', [channel, payload], options);
  }

  /**
   * Runs the migrations that did not run yet, in order, each in a transaction of its own. Processes that do so
   * at once take turns. `{ dir }` runs a folder of `node-pg-migrate` files.
   *
   * @param source @default the migrations of the constructor
   * @throws MigrationError when one fails, was changed after it ran, or stands before one that ran
   * @throws MissingDependencyError for a folder without `node-pg-migrate`
   */
  async migrate(
    source: MigrationSource | undefined = this.#migrations,
    options: CallOptions = {},
  ): Promise<MigrationResult> {
    if (source === undefined) {
      throw new ConfigurationError('migrate() without arguments runs the option migrations, which was not given', {
        field: 'migrations',
      });
    }
    checkMigrations(source);
    this.#calls.assertNotNested();
    const limits = { timeoutMs: Number.POSITIVE_INFINITY, ...options };
    return await this.#calls.run('migrate', limits, this.#calls.span('migrate'), (scope) =>
      this.#engine.primary.use(scope, async (session) => {
        if (this.#schema !== undefined) await createSchema(session, this.#schema, scope);
        return await migrate(session, source, scope);
      }),
    );
  }

  /**
   * Drops the schema of the option `schema` with all it holds, if `migrate` made it.
   *
   * @throws UnsupportedError without such a schema
   */
  async cleanup(options: CallOptions = {}): Promise<void> {
    const schema = this.#schema;
    if (schema === undefined) {
      throw new UnsupportedError('cleanup() drops a schema of its own and nothing else; give the option schema');
    }
    await this.#calls.run('cleanup', options, this.#calls.span('drop'), (scope) =>
      this.#engine.primary.use(scope, (session) => dropSchema(session, schema, scope)),
    );
  }

  /** Stores a row and gives it as it was stored, with what the database filled in. */
  create(table: TableName, row: RowValues, options: CallOptions = {}): Promise<DatabaseRow> {
    return this.#rows.create(table, row, options);
  }

  /** The row with this `id`, null when there is none. */
  findById(table: TableName, id: RowId, options: CallOptions = {}): Promise<DatabaseRow | null> {
    return this.#rows.findById(table, id, options);
  }

  /** Changes the named columns and gives the whole row. @throws NotFoundError when there is none */
  update(table: TableName, id: RowId, patch: RowValues, options: CallOptions = {}): Promise<DatabaseRow> {
    return this.#rows.update(table, id, patch, options);
  }

  /** True when a row went. */
  delete(table: TableName, id: RowId, options: CallOptions = {}): Promise<boolean> {
    return this.#rows.delete(table, id, options);
  }

  /** True when the primary answers within 5 seconds, or `timeoutMs`. Never throws. */
  async isConnected(options: CallOptions = {}): Promise<boolean> {
    return (await this.health(options)).status === 'pass';
  }

  /** Asks the primary a question. Never throws: a failure is an answer. */
  async health(options: CallOptions = {}): Promise<Health> {
    const details = { engine: this.#engine.kind, pool: this.#engine.primary.metrics() };
    const ask = async (limits: CallOptions): Promise<undefined> => {
      // A first start of a database in this process takes longer than a probe may.
      if (options.timeoutMs === undefined) await this.#calls.ready(options);
      await this.query('select 1', [], limits);
    };
    return await activeHealth(ask, options, { status: 'pass', details });
  }

  metrics(): PostgresMetrics {
    return {
      primary: this.#engine.primary.metrics(),
      replicas: this.#engine.replicas.map((pool) => pool.metrics()),
      ...this.#calls.counts,
      running: this.#lifecycle.running,
    };
  }

  /** Refuses new calls, lets running ones finish until the deadline, stops the rest, then disconnects. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, async (remainingMs) => {
      await Promise.all([this.#listener.close(), this.#engine.close(remainingMs)]);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #run(statement: Statement, options: QueryOptions): Promise<DriverResult> {
    const { shape } = statement;
    let span = this.#spans.get(shape);
    if (!span) {
      assertPooled(shape);
      span = this.#calls.span(shape.operation, statement.fixed ? { 'db.query.text': shape.text } : {});
      this.#spans.set(shape, span);
    }
    this.#calls.assertNotNested();
    this.#calls.countStatement();
    return this.#calls.run(shape.operation, options, span, (scope) =>
      options.replica
        ? this.#engine.onReplica(scope, (pool) => pool.use(scope, (session) => session.execute(statement, scope)))
        : this.#engine.primary.use(scope, (session) => session.execute(statement, scope)),
    );
  }

  async *#batches(statement: Statement, options: RowStreamOptions): AsyncGenerator<SqlRow[]> {
    this.#calls.assertNotNested();
    this.#calls.countStatement();
    await this.#calls.ready(options);
    const pool = options.replica ? await this.#engine.reachableReplica() : this.#engine.primary;
    yield* streamBatches(this.#lifecycle, pool, statement, options);
  }
}

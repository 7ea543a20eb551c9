import {
  type Awaitable,
  type CallOptions,
  type CloseOptions,
  ConfigurationError,
  type Health,
  UnsupportedError,
} from '../../core/index.js';
import { describeError, is } from '../../core/internal.js';
import type { MongoClientLike, MongoDocument } from '../../drivers/mongodb/index.js';
import type { DatabaseRow, RowId } from '../database-engine.js';
import type { DocumentEngine } from '../document-engine.js';
import type { MigrationResult } from '../postgres/migration.js';
import type { RowValues } from '../sql/json-row.js';
import { DocumentsById } from './documents-by-id.js';
import { guideOperation } from './guide-operation.js';
import { claimDatabase, dropClaimed, migrateMongo } from './migrate-mongo.js';
import { askCapabilities, type MongoCapabilities } from './mongo-capabilities.js';
import { MongoCollection } from './mongo-collection.js';
import type { MongoCollectionOptions } from './mongo-collection-options.js';
import { MongoConnection, type MongoTurn } from './mongo-connection.js';
import { checkMongoMigrations, type MongoMigration } from './mongo-migration.js';
import { checkMongoOptions, type MongoDatabaseOptions } from './mongo-options.js';
import { MongoTransaction } from './mongo-transaction.js';
import {
  checkMongoTransactionOptions,
  type MongoTransactionOptions,
  runMongoTransaction,
} from './run-mongo-transaction.js';
import { trustedDocument } from './trusted-document.js';

/** What a {@link MongoDatabase} has done. */
export interface MongoMetrics {
  readonly operations: number;
  readonly failures: number;
  /** Transactions that ran again after a conflict. */
  readonly retries: number;
  readonly running: number;
}

/**
 * One database of a MongoDB server, replica set or sharded cluster, by the package `mongodb` (7 or higher).
 *
 * Constructing opens nothing; the first call connects. An abort or a timeout rejects at once; reads stop on
 * the server too, a write that was sent may still take effect.
 *
 * @example
 * await using db = new MongoDatabase({ url: 'mongodb://127.0.0.1/shop' });
 * const orders = db.collection('orders', { schema: Order, objectIds: ['_id'] });
 * const open = await orders.find({ state: 'open', total: where.gt(100) }, { sort: { total: -1 }, limit: 20 });
 */
export class MongoDatabase implements DocumentEngine {
  readonly name: string;
  readonly #connection: MongoConnection;
  readonly #rows: DocumentsById;
  readonly #maxDocuments: number;
  readonly #migrations: readonly MongoMigration[] | undefined;
  readonly #ownDatabase: boolean;
  #capabilities: MongoCapabilities | undefined;
  #retries = 0;

  /** @throws ConfigurationError */
  constructor(options: MongoDatabaseOptions) {
    checkMongoOptions(options);
    this.#connection = new MongoConnection(options);
    this.name = this.#connection.name;
    this.#rows = new DocumentsById(this.#connection);
    this.#maxDocuments = options.maxDocuments ?? 10_000;
    this.#migrations = options.migrations;
    this.#ownDatabase = options.ownDatabase ?? false;
  }

  /** The driver's client, connected now if it was not. A `MongoClient` of `mongodb`. */
  async client(): Promise<MongoClientLike> {
    this.#connection.lifecycle.assertOpen();
    return await this.#connection.call('connect', undefined, {}, () => this.#connection.link.client());
  }

  /** The deployment and what it can do; asked once. */
  async capabilities(options: CallOptions = {}): Promise<MongoCapabilities> {
    this.#capabilities ??= await this.#connection.call('hello', undefined, options, askCapabilities);
    return this.#capabilities;
  }

  /**
   * A collection by its name, with a schema or with settings. Nothing is sent.
   *
   * @throws ValidationError for a name that cannot be
   */
  collection<T extends object = MongoDocument>(
    name: string,
    options: MongoCollectionOptions<T> | NonNullable<MongoCollectionOptions<T>['schema']> = {},
  ): MongoCollection<T> {
    const owner = { connection: this.#connection, maxDocuments: this.#maxDocuments };
    return new MongoCollection<T>(name, options, owner);
  }

  /**
   * Runs one command on the database, written by you in MongoDB's words, and gives its answer.
   *
   * @example await db.command({ collStats: 'orders' })
   */
  async command(command: object, options: CallOptions = {}): Promise<MongoDocument> {
    const written = trustedDocument(command, 'command');
    return await this.#connection.call(Object.keys(written)[0] ?? 'command', undefined, options, (call) =>
      call.database.command(written, { ...call.abortable }),
    );
  }

  /**
   * Runs `fn` in a transaction: it commits when `fn` returns and aborts when it throws. After a conflict the
   * whole of `fn` runs again, so keep effects on the outside out of it. What `fn` awaits in this SDK is
   * cancelled with the transaction; what belongs to it is done by the collections of `tx`.
   *
   * @throws UnsupportedError on a standalone server; what `fn` throws; SerializationFailureError when the retries are used up
   */
  async transaction<T>(fn: (tx: MongoTransaction) => Awaitable<T>, options: MongoTransactionOptions = {}): Promise<T> {
    is.function(fn, 'transaction: what runs in it');
    checkMongoTransactionOptions(options);
    const { retries: _, ...limits } = options;
    return await this.#connection.around('transaction', limits, async (scope) => {
      if (!(await this.capabilities()).transactions) {
        throw new UnsupportedError(
          `Transactions need a replica set or a sharded cluster; ${this.#connection.link.target} is a standalone server. A replica set of one member will do`,
        );
      }
      const run = (turn: MongoTurn): Awaitable<T> =>
        fn(new MongoTransaction(this.#connection, this.#maxDocuments, turn));
      return await runMongoTransaction(this.#connection, scope, options, run, (error, attempt) => {
        this.#retries += 1;
        this.#connection.telemetry.logger.debug({ error, attempt }, 'A transaction runs again');
      });
    });
  }

  /**
   * Runs the migrations that did not run yet, in order, under a lock that processes share.
   *
   * @param list @default the migrations of the constructor
   * @throws MigrationError when one fails, was changed after it ran, or stands before one that ran
   */
  async migrate(
    list: readonly MongoMigration[] | undefined = this.#migrations,
    options: CallOptions = {},
  ): Promise<MigrationResult> {
    const field = 'migrations';
    if (list === undefined) {
      throw new ConfigurationError('migrate() without arguments runs the option migrations, which was not given', {
        field,
      });
    }
    checkMongoMigrations(list, field);
    const tools = {
      collection: (name: string) => this.collection(name),
      command: (command: object) => this.command(command),
    };
    const limits = { timeoutMs: Number.POSITIVE_INFINITY, ...options };
    return await this.#connection.call('migrate', undefined, limits, async (call) => {
      if (this.#ownDatabase) await claimDatabase(call);
      return await migrateMongo(call, list, tools);
    });
  }

  /** Drops the database, if it is one of its own (`ownDatabase`) that `migrate` made. @throws UnsupportedError without the option */
  async cleanup(options: CallOptions = {}): Promise<void> {
    if (!this.#ownDatabase) {
      throw new UnsupportedError('cleanup() drops a database of its own and nothing else; give the option ownDatabase');
    }
    await this.#connection.call('cleanup', undefined, options, dropClaimed);
  }

  /** Stores a document and gives it with its `id`. Without one it gets an ObjectId, as a text. */
  create(collection: string, row: RowValues, options: CallOptions = {}): Promise<DatabaseRow> {
    return this.#rows.create(collection, row, options);
  }

  /** The document with this `id`, null when there is none. */
  findById(collection: string, id: RowId, options: CallOptions = {}): Promise<DatabaseRow | null> {
    return this.#rows.findById(collection, id, options);
  }

  /** Changes the named fields and gives the whole document. @throws NotFoundError when there is none */
  update(collection: string, id: RowId, patch: RowValues, options: CallOptions = {}): Promise<DatabaseRow> {
    return this.#rows.update(collection, id, patch, options);
  }

  /** True when a document went. */
  delete(collection: string, id: RowId, options: CallOptions = {}): Promise<boolean> {
    return this.#rows.delete(collection, id, options);
  }

  /** One of `find`, `findOne`, `insertOne`, `updateOne` (`{ filter, update }`) and `deleteOne`. */
  async operate(collection: string, operation: string, query: unknown): Promise<unknown> {
    return await guideOperation(this.collection(collection), operation, query);
  }

  /** True when the server answers within 5 seconds, or `timeoutMs`. Never throws. */
  async isConnected(options: CallOptions = {}): Promise<boolean> {
    return (await this.health(options)).status === 'pass';
  }

  /** Pings the server. Never throws: a failure is an answer. */
  async health(options: CallOptions = {}): Promise<Health> {
    const started = performance.now();
    const details = { engine: 'mongodb', database: this.#connection.link.databaseName };
    try {
      await this.command({ ping: 1 }, { timeoutMs: 5_000, ...options });
      return { status: 'pass', latencyMs: performance.now() - started, details };
    } catch (error) {
      return { status: 'fail', output: describeError(error), latencyMs: performance.now() - started, details };
    }
  }

  metrics(): MongoMetrics {
    const { operations, failures, lifecycle } = this.#connection;
    return { operations, failures, retries: this.#retries, running: lifecycle.running };
  }

  /** Refuses new calls, lets running ones finish until the deadline, stops the rest, then disconnects. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#connection.lifecycle.close(options, (remainingMs) => this.#connection.link.close(remainingMs));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

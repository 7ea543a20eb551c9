import { type Closeable, type CloseOptions, ConfigurationError } from '../core/index.js';
import type { DatabaseEngine, DatabaseRow, RowId } from './database-engine.js';
import { MongoDatabase } from './mongodb/mongo-database.js';
import { type DatabaseIntegrationOptions, openEngine } from './open-engine.js';
import { PostgresDatabase } from './postgres/postgres-database.js';
import { arrayLiteral } from './sql/array-literal.js';
import type { RowValues } from './sql/json-row.js';
import { jsonText } from './sql/sql.js';

/**
 * One door to SQL and documents. With a `url` it is the database that the URL names, and rows are created,
 * found, changed and deleted by `id` in the same words on every engine. Without, the guide's methods connect.
 * What only one engine can do is on its part: {@link DatabaseIntegration.postgres},
 * {@link DatabaseIntegration.mongo}.
 *
 * @example
 * await using db = new DatabaseIntegration({ url: 'memory:', migrations: [{ id: '001', up: 'create table notes (id int primary key, text text)' }] });
 * await db.migrate();
 * await db.create('notes', { id: 1, text: 'hello' });
 */
export class DatabaseIntegration implements Closeable {
  #main: DatabaseEngine | undefined;
  #postgres: PostgresDatabase | undefined;
  #mongo: MongoDatabase | undefined;

  /** @throws ConfigurationError */
  constructor(options?: DatabaseIntegrationOptions) {
    if (options === undefined) return;
    this.#main = openEngine(options);
    if (this.#main instanceof PostgresDatabase) this.#postgres = this.#main;
    if (this.#main instanceof MongoDatabase) this.#mongo = this.#main;
  }

  /** The PostgreSQL part. @throws ConfigurationError when there is none */
  get postgres(): PostgresDatabase {
    return this.#postgres ?? missing('PostgreSQL', 'initializePostgreSQL(url)');
  }

  /** The MongoDB part. @throws ConfigurationError when there is none */
  get mongo(): MongoDatabase {
    return this.#mongo ?? missing('MongoDB', 'initializeMongoDB(url, database)');
  }

  /** Connects and asks a question. Done again, it connects anew and closes what was there. */
  async initializePostgreSQL(connectionString: string): Promise<void> {
    const next = new PostgresDatabase({ url: connectionString });
    try {
      await next.query('select 1');
    } catch (error) {
      await next.close({ timeoutMs: 0 });
      throw error;
    }
    const previous = this.#postgres;
    this.#postgres = next;
    if (this.#main === undefined || this.#main === previous) this.#main = next;
    await previous?.close();
  }

  /** Connects and pings. Done again, it connects anew and closes what was there. */
  async initializeMongoDB(connectionString: string, dbName: string): Promise<void> {
    const next = new MongoDatabase({ url: connectionString, database: dbName });
    try {
      await next.command({ ping: 1 });
    } catch (error) {
      await next.close({ timeoutMs: 0 });
      throw error;
    }
    const previous = this.#mongo;
    this.#mongo = next;
    if (this.#main === undefined || this.#main === previous) this.#main = next;
    await previous?.close();
  }

  /**
   * Runs one statement with `$1`, `$2`, ... and gives its rows. As in `pg`, an array among the values is a
   * PostgreSQL array and a plain object is JSON.
   *
   * @throws as `PostgresDatabase.query`
   */
  async executePostgreSQLQuery(query: string, params: readonly unknown[] = []): Promise<DatabaseRow[]> {
    return await this.postgres.query(query, params.map(asParameter));
  }

  /**
   * Runs one operation on a collection: `find`, `findOne`, `insertOne`, `updateOne` (with `{ filter, update }`) or
   * `deleteOne`. Everything in `query` is data; conditions are made by `where`.
   *
   * @throws as the method of that name of `MongoCollection`
   */
  async executeMongoDBOperation(collection: string, operation: string, query: unknown): Promise<unknown> {
    return await this.mongo.operate(collection, operation, query);
  }

  /** Stores a row and gives it as it was stored, `id` included. */
  create(table: string, row: RowValues): Promise<DatabaseRow> {
    return this.#engine().create(table, row);
  }

  /** The row with this `id`, null when there is none. */
  findById(table: string, id: RowId): Promise<DatabaseRow | null> {
    return this.#engine().findById(table, id);
  }

  /** Changes the named columns and gives the whole row. @throws NotFoundError when there is none */
  update(table: string, id: RowId, patch: RowValues): Promise<DatabaseRow> {
    return this.#engine().update(table, id, patch);
  }

  /** True when a row went. */
  delete(table: string, id: RowId): Promise<boolean> {
    return this.#engine().delete(table, id);
  }

  /** True when the database answers. Never throws. */
  async isConnected(): Promise<boolean> {
    return this.#main === undefined ? false : await this.#main.isConnected();
  }

  /** Runs the migrations of the constructor that did not run yet. */
  async migrate(): Promise<void> {
    await this.#engine().migrate();
  }

  /** Drops the namespace that `migrate` made (the option `schema`), with all it holds, and nothing else. */
  async cleanup(): Promise<void> {
    await this.#engine().cleanup();
  }

  /** Closes every connection. All are closed, also when one fails. Idempotent. */
  async close(options: CloseOptions = {}): Promise<void> {
    const parts = new Set([this.#main, this.#postgres, this.#mongo]);
    const results = await Promise.allSettled([...parts].map((part) => part?.close(options)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #engine(): DatabaseEngine {
    return this.#main ?? missing('A database', 'new DatabaseIntegration({ url })');
  }
}

function asParameter(value: unknown): unknown {
  if (Array.isArray(value)) return arrayLiteral(value);
  const plain = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return plain ? jsonText(value) : value;
}

function missing(what: string, remedy: string): never {
  throw new ConfigurationError(`${what} is not set up; call ${remedy} first`);
}

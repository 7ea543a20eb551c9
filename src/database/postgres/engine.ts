import type { CallScope } from '../../core/index.js';
import {
  type DriverClient,
  type EmbeddedDatabase,
  openEmbedded,
  ownSender,
  type PostgresPool,
  typeParsers,
} from '../../drivers/postgres/index.js';
import type { DatabaseCapabilities } from '../capabilities.js';
import { ConnectionPool, type ConnectionPoolOptions, type OpenedPool } from './connection-pool.js';
import { isLost } from './failure.js';
import { embeddedListenConnection, type ListenConnection, pooledListenConnection } from './listen-connection.js';
import { adoptPool, describeAddress, openServerClient, openServerPool } from './open-server.js';
import type { PostgresDatabaseOptions } from './postgres-options.js';
import { type PostgresTarget, parsePostgresURL, type ServerAddress } from './postgres-url.js';

const server: DatabaseCapabilities = {
  concurrentTransactions: true,
  cancel: true,
  timeouts: true,
  copy: true,
  listen: 'any-process',
  replicas: true,
};

const embedded: DatabaseCapabilities = {
  concurrentTransactions: false,
  cancel: false,
  timeouts: false,
  copy: false,
  listen: 'this-process',
  replicas: false,
};

/** The pools behind a database, and what they can do. */
export class Engine {
  readonly kind: 'server' | 'memory' | 'file' | 'pool';
  readonly capabilities: DatabaseCapabilities;
  readonly primary: ConnectionPool;
  readonly replicas: readonly ConnectionPool[];
  /** What spans say about where statements go. */
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly #options: PostgresDatabaseOptions;
  #embedded: EmbeddedDatabase | undefined;
  #turn = 0;

  constructor(options: PostgresDatabaseOptions) {
    this.#options = options;
    const target = options.url === undefined ? undefined : parsePostgresURL(options.url, 'PostgresDatabase.url');
    this.kind = target?.engine ?? 'pool';
    const inProcess = target !== undefined && target.engine !== 'server';
    this.capabilities = inProcess ? embedded : server;
    const address = target?.engine === 'server' ? target.address : undefined;
    this.attributes = address ? spanAttributes(address) : {};
    this.primary = this.#pool(address ? `PostgreSQL at ${describeAddress(address)}` : `PostgreSQL (${this.kind})`, () =>
      this.#openPrimary(target),
    );
    this.replicas = (options.replicas ?? []).map((url, index) => this.#replica(url, index));
  }

  /** False while a database in this process has to be started first. A server is connected to when a connection is needed. */
  get ready(): boolean {
    return this.capabilities.concurrentTransactions || this.#embedded !== undefined;
  }

  /** Starts it. */
  async start(): Promise<void> {
    await this.primary.driver();
  }

  /** Runs `work` on the replicas in turn, and on the primary when none can be reached. */
  async onReplica<T>(scope: CallScope, work: (pool: ConnectionPool) => Promise<T>): Promise<T> {
    const first = this.#turn++;
    for (let index = 0; index < this.replicas.length; index++) {
      const pool = this.replicas[(first + index) % this.replicas.length];
      if (!pool) continue;
      try {
        return await work(pool);
      } catch (error) {
        // A read may be repeated: a replica that went away is no reason to fail.
        if (scope.cancelled || !isLost(error)) throw error;
      }
    }
    return await work(this.primary);
  }

  /** The next replica that gives a connection, else the primary. */
  async reachableReplica(): Promise<ConnectionPool> {
    const first = this.#turn++;
    for (let index = 0; index < this.replicas.length; index++) {
      const pool = this.replicas[(first + index) % this.replicas.length];
      if (pool && (await pool.reachable())) return pool;
    }
    return this.primary;
  }

  /** A connection to listen on, not connected yet: of its own, or taken out of the pool of the host. */
  async openListener(): Promise<ListenConnection> {
    const { url } = this.#options;
    const target = url === undefined ? undefined : parsePostgresURL(url, 'PostgresDatabase.url');
    if (target?.engine === 'server') return await openServerClient(target.address, this.#options);
    const pool = await this.primary.driver();
    return this.#embedded ? embeddedListenConnection(this.#embedded) : await pooledListenConnection(pool);
  }

  async close(remainingMs: number): Promise<void> {
    await Promise.all([this.primary, ...this.replicas].map((pool) => pool.close(remainingMs)));
  }

  async #openPrimary(target: PostgresTarget | undefined): Promise<OpenedPool> {
    const options = this.#options;
    if (options.pool) return await adoptPool(options.pool, options);
    if (target?.engine === 'server') return await openServerPool(target.address, options);
    const path = target?.engine === 'file' ? target.path : undefined;
    const { extensions = [], cachePath } = options;
    const types = await typeParsers(options.int8 ?? 'number');
    const database = await openEmbedded({ path, extensions, cachePath, types });
    this.#embedded = database;
    if (options.schema !== undefined) await useSchema(database.pool, options.schema);
    return { pool: database.pool, types, adopted: false, send: await ownSender(), release: () => database.close() };
  }

  #replica(url: string | URL, index: number): ConnectionPool {
    const field = `PostgresDatabase.replicas[${index}]`;
    const target = parsePostgresURL(url, field) as PostgresTarget & { readonly engine: 'server' };
    return this.#pool(`the replica at ${describeAddress(target.address)}`, () =>
      openServerPool(target.address, this.#options),
    );
  }

  #pool(target: string, open: ConnectionPoolOptions['open']): ConnectionPool {
    const {
      acquireTimeoutMs = 5_000,
      connectTimeoutMs = 10_000,
      maxWaiting = 1_000,
      preparedStatements = 100,
    } = this.#options;
    const { cancel, concurrentTransactions } = this.capabilities;
    return new ConnectionPool({
      target,
      acquireTimeoutMs,
      connectTimeoutMs,
      maxWaiting,
      preparedStatements: cancel ? preparedStatements : 0,
      canCancel: cancel,
      irreplaceable: !concurrentTransactions,
      open,
    });
  }
}

/** The one session of a database in this process lasts as long as it does. */
async function useSchema(pool: PostgresPool, schema: string): Promise<void> {
  const client = (await pool.connect()) as DriverClient;
  const text = `set search_path = ${schema}, public`;
  await new Promise<void>((resolve, reject) => {
    client.query({ text, values: [] }, (error) => (error ? reject(error) : resolve()));
  });
  client.release();
}

function spanAttributes({ host, port, database }: ServerAddress): Record<string, string | number> {
  return { 'server.address': host, 'server.port': port, ...(database ? { 'db.namespace': database } : {}) };
}

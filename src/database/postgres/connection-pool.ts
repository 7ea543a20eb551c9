import { type CallScope, ClosedError, openScope } from '../../core/index.js';
import { lazy } from '../../core/internal.js';
import type { DriverClient, PostgresPool, SendQuery, TypeParsers } from '../../drivers/postgres/index.js';
import { ConnectFailedError, PoolExhaustedError } from '../errors/index.js';
import { connectFailure } from './failure.js';
import { PreparedStatements } from './prepared-statements.js';
import { Session, type SessionContext } from './session.js';

/** A pool that is open, and what its sessions need. */
export interface OpenedPool {
  readonly pool: PostgresPool;
  readonly types: TypeParsers;
  /** True for a pool of the host, whose clients read types as the host told them. */
  readonly adopted: boolean;
  readonly send: SendQuery;
  /** Closes what was opened, by force when time runs out; nothing for a pool of the host. */
  release(remainingMs: number): Promise<void>;
}

/** What a {@link ConnectionPool} is made of. */
export interface ConnectionPoolOptions {
  /** The server as it reads in errors: `postgres at db.example:5432`. */
  readonly target: string;
  readonly acquireTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxWaiting: number;
  readonly preparedStatements: number;
  readonly canCancel: boolean;
  readonly irreplaceable: boolean;
  /** Called when a connection is first needed, again after it failed. */
  readonly open: () => Promise<OpenedPool>;
}

/** What a pool has done and holds. */
export interface PoolMetrics {
  readonly target: string;
  /** Connections that exist, being made included. */
  readonly total: number;
  readonly idle: number;
  readonly inUse: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
  readonly acquired: number;
  /** The time that all callers together waited for a connection, in milliseconds. */
  readonly waitedMs: number;
  readonly exhausted: number;
  readonly connectFailures: number;
  /** Connections that broke, or were given up. */
  readonly lost: number;
  /** Statements stopped on the server. */
  readonly stopped: number;
}

/** Gives out connections: bounded in number, in waiting time and in waiting callers. */
export class ConnectionPool {
  readonly target: string;
  readonly #options: ConnectionPoolOptions;
  readonly #open: () => Promise<OpenedPool>;
  readonly #prepared: PreparedStatements;
  readonly #known: WeakSet<DriverClient> = new WeakSet();
  #held = 0;
  readonly #counts = { acquired: 0, waitedMs: 0, exhausted: 0, connectFailures: 0, lost: 0, stopped: 0 };
  #opening: Promise<OpenedPool> | undefined;
  #opened: OpenedPool | undefined;
  #context: SessionContext | undefined;
  #closed = false;

  constructor(options: ConnectionPoolOptions) {
    this.target = options.target;
    this.#options = options;
    this.#prepared = new PreparedStatements(options.preparedStatements);
    this.#open = lazy(() => {
      this.#opening = this.#start();
      return this.#opening;
    });
  }

  /** The pool of the driver. */
  async driver(): Promise<PostgresPool> {
    return (await this.#open()).pool;
  }

  /** Runs `work` with a connection of its own. Settles when the connection is back. */
  async use<T>(scope: CallScope, work: (session: Session) => Promise<T>): Promise<T> {
    const opened = this.#opened ?? (await this.#open());
    const client = await this.#client(opened, scope);
    const session = new Session(client, this.#context ?? this.#contextOf(opened));
    this.#held += 1;
    try {
      return await work(session);
    } finally {
      const releasing = session.release();
      if (releasing) await releasing;
      this.#held -= 1;
      this.#counts.stopped += session.stops;
      if (session.broken) this.#counts.lost += 1;
    }
  }

  /** True when a connection can be had now. */
  async reachable(): Promise<boolean> {
    try {
      using scope = openScope(`look at ${this.target}`, {});
      await this.use(scope, async () => undefined);
      return true;
    } catch {
      return false;
    }
  }

  metrics(): PoolMetrics {
    const { totalCount = 0, idleCount = 0, waitingCount = 0 } = this.#opened?.pool ?? {};
    return {
      target: this.target,
      total: totalCount,
      idle: idleCount,
      inUse: this.#held,
      waiting: waitingCount,
      ...this.#counts,
    };
  }

  /** Ends all connections, those in use by force. */
  async close(remainingMs: number): Promise<void> {
    this.#closed = true;
    // What is being opened now is closed as soon as it is there.
    const opened = this.#opened ?? (await this.#opening?.catch(() => undefined));
    await opened?.release(remainingMs);
  }

  async #start(): Promise<OpenedPool> {
    const opened = await this.#options.open();
    // An idle connection that dies is taken out of the pool by itself; unheard, the event would end the process.
    opened.pool.on?.('error', () => {
      this.#counts.lost += 1;
    });
    this.#opened = opened;
    return opened;
  }

  #contextOf({ types, adopted, send }: OpenedPool): SessionContext {
    const { canCancel, irreplaceable } = this.#options;
    this.#context = { types, adopted, send, prepared: this.#prepared, canCancel, irreplaceable };
    return this.#context;
  }

  #client(opened: OpenedPool, scope: CallScope): Promise<DriverClient> {
    const { pool } = opened;
    if (this.#closed) return Promise.reject(new ClosedError(this.target));
    const { waitingCount, idleCount } = pool;
    if (waitingCount >= this.#options.maxWaiting) {
      return Promise.reject(this.#exhausted(pool, `${waitingCount} callers wait already`));
    }
    this.#counts.acquired += 1;
    // An idle connection is given out in this very turn of the event loop: there is no wait to end.
    if (idleCount > waitingCount) return new Promise((resolve, reject) => this.#connect(opened, resolve, reject));
    return this.#waitForClient(opened, scope);
  }

  #waitForClient(opened: OpenedPool, scope: CallScope): Promise<DriverClient> {
    const { pool } = opened;
    const { acquireTimeoutMs, connectTimeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      scope.throwIfCancelled();
      const started = performance.now();
      const { waitingCount } = pool;
      let wanted = true;
      const settle = (finish: () => void): void => {
        if (!wanted) return;
        wanted = false;
        stopListening();
        clearTimeout(timer);
        this.#counts.waitedMs += performance.now() - started;
        finish();
      };
      const stopListening = scope.onCancel((reason) => settle(() => reject(reason)));
      const given = (client: DriverClient): void => {
        // Nobody waits for it any more.
        if (!wanted) client.release();
        settle(() => resolve(client));
      };
      this.#connect(opened, given, (error) => settle(() => reject(error)));
      const queued = pool.waitingCount > waitingCount;
      const limitMs = queued ? acquireTimeoutMs : connectTimeoutMs;
      const timer = setTimeout(() => {
        settle(() => {
          reject(queued ? this.#exhausted(pool, `none was free within ${limitMs} ms`) : this.#silent(limitMs));
        });
      }, limitMs);
    });
  }

  /** By callback where the pool is ours, which spares two promises for each statement. */
  #connect(
    { pool, adopted }: OpenedPool,
    resolve: (client: DriverClient) => void,
    reject: (error: unknown) => void,
  ): void {
    if (adopted) {
      (pool.connect() as Promise<DriverClient>).then(
        (client) => resolve(this.#watched(client)),
        (error) => reject(this.#connectFailure(error, pool)),
      );
    } else {
      (pool as unknown as CallbackPool).connect((error, client) =>
        client ? resolve(this.#watched(client)) : reject(this.#connectFailure(error, pool)),
      );
    }
  }

  /** A connection that dies while it is in use says so twice; unheard, the event would end the process. */
  #watched(client: DriverClient): DriverClient {
    if (!this.#known.has(client)) {
      this.#known.add(client);
      client.on('error', () => undefined);
    }
    return client;
  }

  #exhausted(pool: PostgresPool, why: string): PoolExhaustedError {
    this.#counts.exhausted += 1;
    return new PoolExhaustedError(
      `All ${pool.totalCount} connections to ${this.target} are in use and ${why}; nothing was sent`,
    );
  }

  #silent(limitMs: number): ConnectFailedError {
    this.#counts.connectFailures += 1;
    return new ConnectFailedError(`Connecting to ${this.target} failed: no answer within ${limitMs} ms`);
  }

  #connectFailure(error: unknown, pool: PostgresPool): unknown {
    // The one sentence of pg that means a wait for a free connection.
    if (error instanceof Error && error.message === 'timeout exceeded when trying to connect') {
      return this.#exhausted(pool, 'none became free in time');
    }
    this.#counts.connectFailures += 1;
    return connectFailure(error, this.target);
  }
}

/** The other form of `connect` that `pg` has. */
interface CallbackPool {
  connect(done: (error: unknown, client: DriverClient | undefined) => void): void;
}

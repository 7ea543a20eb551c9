import {
  type CallOptions,
  CallScope,
  ConfigurationError,
  detach,
  Lifecycle,
  SaflaError,
  spanKind,
  Telemetry,
  ValidationError,
} from '../../core/index.js';
import { describeError } from '../../core/internal.js';
import {
  closeClient,
  connectFirst,
  type DriverClient,
  type DriverDatabase,
  type DriverSession,
  loadObjectId,
  type ObjectIdClass,
  openClient,
} from '../../drivers/mongodb/index.js';
import { hasLabel, isUnknownCommit, mongoFailure } from './failure.js';
import type { MongoDatabaseOptions } from './mongo-options.js';
import { type MongoTarget, parseMongoURL } from './mongo-url.js';

/** What an operation is done with. */
export interface MongoCall {
  readonly database: DriverDatabase;
  readonly scope: CallScope;
  readonly ObjectId: ObjectIdClass;
  /** The options every operation of the driver is given: session, server-side time limit, exact types. */
  readonly common: Readonly<Record<string, unknown>>;
  /** With the call's signal too, for operations that the driver can cut off. */
  readonly abortable: Readonly<Record<string, unknown>>;
}

/** A transaction that operations belong to. They take turns, as a session can carry one at a time. */
export interface MongoTurn {
  readonly session: DriverSession;
  readonly scope: CallScope;
  tail: Promise<unknown>;
  /** The first failure of an operation, after which the server has given the transaction up. */
  failure: unknown;
  ended: boolean;
}

/** The server is given this much longer than the caller, so that the caller is told by its own limit. */
const serverGraceMs = 250;

/** Of the time to close, what the driver may take to say goodbye. */
const goodbyeShare = 0.6;
const failedCloseMs = 1_000;

/** Types come exact: see `decodeDocument`. */
const exactTypes = { promoteBuffers: true, promoteLongs: true, promoteValues: true, useBigInt64: false };

/** The client of one database: opens it at first use, runs operations in scopes and spans, closes it. */
export class MongoConnection {
  readonly name: string;
  /** `host:port/database`, without credentials. */
  readonly target: string;
  readonly databaseName: string;
  readonly lifecycle: Lifecycle;
  readonly telemetry: Telemetry;
  readonly #options: MongoDatabaseOptions;
  readonly #url: MongoTarget | undefined;
  readonly #defaultMs: number;
  #client: DriverClient | undefined;
  /** Made and not connected yet. */
  #unconnected: Promise<DriverClient> | undefined;
  #opening: Promise<DriverClient> | undefined;
  #ObjectId: ObjectIdClass | undefined;
  operations = 0;
  failures = 0;

  constructor(options: MongoDatabaseOptions) {
    this.#options = options;
    this.name = options.name ?? 'mongodb';
    this.#url = options.client ? undefined : parseMongoURL(options.url, options.database, 'MongoDatabase');
    this.databaseName = this.#url?.database ?? options.database ?? '';
    this.target = this.#url ? `${this.#url.hosts}/${this.databaseName}` : this.databaseName;
    this.lifecycle = new Lifecycle(this.name);
    this.telemetry = new Telemetry('database', options.telemetry);
    this.#defaultMs =
      options.operationTimeoutMs === false ? Number.POSITIVE_INFINITY : (options.operationTimeoutMs ?? 30_000);
  }

  /** The driver's client, connected. */
  async client(): Promise<DriverClient> {
    if (this.#client) return this.#client;
    // One connect for all who wait; it must not end with the first of them.
    this.#opening ??= detach(() => this.#open()).finally(() => {
      this.#opening = undefined;
    });
    return await this.#opening;
  }

  /**
   * Runs one operation.
   *
   * @throws ConnectFailedError ConnectionLostError DatabaseError PoolExhaustedError TimeoutError, the signal's reason, ClosedError
   */
  call<T>(
    operation: string,
    collection: string | undefined,
    options: CallOptions,
    work: (call: MongoCall) => Promise<T>,
    turn?: MongoTurn,
  ): Promise<T> {
    const subject = collection === undefined ? operation : `${operation} on ${collection}`;
    return this.#observed(operation, collection, () =>
      turn
        ? this.#inTurn(subject, collection, options, work, turn)
        : this.lifecycle.call(`${subject} of ${this.name}`, this.#limits(options), (scope) =>
            this.#run(subject, collection, scope, work),
          ),
    );
  }

  /** Runs work of the host's that does operations by itself: what it throws is thrown as it is. */
  around<T>(operation: string, options: CallOptions, work: (scope: CallScope) => Promise<T>): Promise<T> {
    return this.#observed(operation, undefined, () =>
      this.lifecycle.call(`${operation} of ${this.name}`, this.#limits(options), work),
    );
  }

  /** Disconnects a client that is ours, also one that is still connecting. */
  async close(remainingMs: number): Promise<void> {
    const client = this.#client ?? (await this.#unconnected?.catch(() => undefined));
    this.#client = undefined;
    if (client && !this.#options.client) await closeClient(client, remainingMs * goodbyeShare);
  }

  async #observed<T>(operation: string, collection: string | undefined, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    let failure: string | undefined;
    this.operations += 1;
    try {
      return await this.telemetry.span(this.#span(operation, collection), work);
    } catch (error) {
      failure = SaflaError.is(error) ? error.code : 'OTHER';
      this.failures += 1;
      throw error;
    } finally {
      this.telemetry.duration('db.client.operation.duration', performance.now() - started, {
        'db.system.name': 'mongodb',
        'db.operation.name': operation,
        ...(failure === undefined ? {} : { 'error.type': failure }),
      });
    }
  }

  #limits({ signal, timeoutMs = this.#defaultMs }: CallOptions): CallOptions {
    return signal ? { signal, timeoutMs } : { timeoutMs };
  }

  async #inTurn<T>(
    subject: string,
    collection: string | undefined,
    options: CallOptions,
    work: (call: MongoCall) => Promise<T>,
    turn: MongoTurn,
  ): Promise<T> {
    if (turn.ended)
      throw new ConfigurationError(`${subject}: the transaction has ended; await everything inside of it`);
    using scope = new CallScope(`${subject} of ${this.name}`, { ...this.#limits(options), parents: [turn.scope] });
    const result = turn.tail.then(() => {
      scope.throwIfCancelled();
      return this.#run(subject, collection, scope, work, turn.session);
    });
    turn.tail = result.catch((error: unknown) => {
      if (!(error instanceof ValidationError)) turn.failure ??= error;
    });
    return await scope.run(() => result);
  }

  async #run<T>(
    subject: string,
    collection: string | undefined,
    scope: CallScope,
    work: (call: MongoCall) => Promise<T>,
    session?: DriverSession,
  ): Promise<T> {
    try {
      this.#ObjectId ??= await loadObjectId();
      const database = await this.#database();
      const limited = Number.isFinite(scope.remainingMs);
      const common = {
        ...exactTypes,
        ...(session ? { session } : {}),
        ...(limited ? { maxTimeMS: Math.ceil(scope.remainingMs) + serverGraceMs } : {}),
      };
      return await work({
        database,
        scope,
        ObjectId: this.#ObjectId,
        common,
        // The driver's errors are told apart by the scope, whose reason is the caller's.
        abortable: { ...common, signal: scope.signal },
      });
    } catch (error) {
      if (scope.cancelled) throw scope.reason;
      throw this.failure(error, subject, collection);
    }
  }

  /** A driver's failure as ours; that a transaction may run again stays known. */
  failure(error: unknown, subject: string, collection?: string): SaflaError {
    const failure = mongoFailure(error, { subject, collection, target: this.target });
    const labels = ['TransientTransactionError', 'UnknownTransactionCommitResult'].filter((label) =>
      hasLabel(error, label),
    );
    if (labels.length > 0 || isUnknownCommit(error)) {
      Object.defineProperty(failure, 'errorLabels', { value: labels, configurable: true });
    }
    return failure;
  }

  /** The database, to be used at once; it connects before anything is sent. */
  async #database(): Promise<DriverDatabase> {
    const { databaseName } = this;
    if (this.#client) return this.#client.db(databaseName);
    return connectFirst(await this.#make(), databaseName, () => this.client());
  }

  #make(): Promise<DriverClient> {
    this.#unconnected ??= this.#create().catch((error: unknown) => {
      this.#unconnected = undefined;
      throw error;
    });
    return this.#unconnected;
  }

  async #create(): Promise<DriverClient> {
    const { client } = this.#options;
    if (client) return client as DriverClient;
    const url = this.#url as MongoTarget;
    try {
      return await openClient(url.url, this.#settings(url));
    } catch (error) {
      if (SaflaError.is(error)) throw error;
      // The driver's words may hold parts of the URL.
      const reason = this.#withoutCredentials(describeError(error));
      throw new ConfigurationError(`MongoDatabase.url cannot be used: ${reason}`, { field: 'MongoDatabase.url' });
    }
  }

  async #open(): Promise<DriverClient> {
    const client = await this.#make();
    try {
      await client.connect();
      this.lifecycle.assertOpen();
    } catch (error) {
      // A client that failed cannot be connected again; the next call makes another.
      this.#unconnected = undefined;
      if (!this.#options.client) await closeClient(client, failedCloseMs);
      throw this.failure(error, `Connecting to ${this.target}`);
    }
    this.#client = client;
    return client;
  }

  /** What neither the options nor the URL say is ours to say. */
  #settings({ parameters }: MongoTarget): object {
    const { maxConnections, acquireTimeoutMs, connectTimeoutMs, operationTimeoutMs } = this.#options;
    const settings: Record<string, unknown> = { appName: '@safla/sdk' };
    const set = (name: string, given: number | undefined, fallback: number): void => {
      if (given !== undefined) settings[name] = given === Number.POSITIVE_INFINITY ? 0 : Math.ceil(given);
      else if (!parameters.has(name.toLowerCase())) settings[name] = fallback;
    };
    if (parameters.has('appname')) delete settings.appName;
    set('maxPoolSize', maxConnections, 10);
    set('waitQueueTimeoutMS', acquireTimeoutMs, 5_000);
    set('serverSelectionTimeoutMS', connectTimeoutMs, 5_000);
    set('connectTimeoutMS', connectTimeoutMs, 5_000);
    // A server that stops answering must not keep a connection for ever.
    if (operationTimeoutMs !== false) set('socketTimeoutMS', undefined, Math.max(this.#defaultMs * 2, 60_000));
    return settings;
  }

  #withoutCredentials(text: string): string {
    const [, credentials = ''] = /:\/\/([^@/?]*)@/.exec(this.#url?.url ?? '') ?? [];
    const parts = credentials.split(':').flatMap((part) => [part, tryDecode(part)]);
    return parts.filter((part) => part.length > 2).reduce((out, part) => out.replaceAll(part, '[redacted]'), text);
  }

  /** OpenTelemetry semantic conventions for MongoDB. */
  #span(operation: string, collection: string | undefined): Parameters<Telemetry['span']>[0] {
    return {
      name: collection === undefined ? operation : `${operation} ${collection}`,
      kind: spanKind.client,
      attributes: {
        'db.system.name': 'mongodb',
        'db.namespace': this.databaseName,
        'db.operation.name': operation,
        ...(collection === undefined ? {} : { 'db.collection.name': collection }),
        ...(this.#url ? { 'server.address': this.#url.host } : {}),
        ...(this.#url?.port === undefined ? {} : { 'server.port': this.#url.port }),
      },
    };
  }
}

function tryDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

import {
  type CallOptions,
  CallScope,
  ConfigurationError,
  Lifecycle,
  SaflaError,
  type SpanRequest,
  spanKind,
  Telemetry,
  ValidationError,
} from '../../core/index.js';
import {
  type DriverDatabase,
  type DriverSession,
  loadObjectId,
  type ObjectIdClass,
} from '../../drivers/mongodb/index.js';
import { mongoFailure } from './failure.js';
import { MongoLink } from './mongo-link.js';
import { defaultOperationMs, type MongoDatabaseOptions } from './mongo-options.js';

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

/** Types come exact: see `decodeDocument`. */
const exactTypes = { promoteBuffers: true, promoteLongs: true, promoteValues: true, useBigInt64: false };

/** Runs the operations of one database in scopes and spans. */
export class MongoConnection {
  readonly name: string;
  readonly link: MongoLink;
  readonly lifecycle: Lifecycle;
  readonly telemetry: Telemetry;
  readonly #defaultMs: number;
  #ObjectId: ObjectIdClass | undefined;
  operations = 0;
  failures = 0;

  constructor(options: MongoDatabaseOptions) {
    const { name = 'mongodb', operationTimeoutMs = defaultOperationMs } = options;
    this.name = name;
    this.lifecycle = new Lifecycle(name);
    this.link = new MongoLink(options, this.lifecycle);
    this.telemetry = new Telemetry('database', options.telemetry);
    this.#defaultMs = operationTimeoutMs === false ? Number.POSITIVE_INFINITY : operationTimeoutMs;
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
      const database = await this.link.database();
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
      throw mongoFailure(error, { subject, collection, target: this.link.target });
    }
  }

  /** OpenTelemetry semantic conventions for MongoDB. */
  #span(operation: string, collection: string | undefined): SpanRequest {
    const { databaseName, address } = this.link;
    return {
      name: collection === undefined ? operation : `${operation} ${collection}`,
      kind: spanKind.client,
      attributes: {
        'db.system.name': 'mongodb',
        'db.namespace': databaseName,
        'db.operation.name': operation,
        ...(collection === undefined ? {} : { 'db.collection.name': collection }),
        ...(address ? { 'server.address': address.host } : {}),
        ...(address?.port === undefined ? {} : { 'server.port': address.port }),
      },
    };
  }
}

import type { CallScope } from '../../core/index.js';
import {
  type DriverClient,
  type DriverQuery,
  type DriverResult,
  requestCancel,
  type SendQuery,
  type TypeParsers,
} from '../../drivers/postgres/index.js';
import type { Statement, StatementShape } from '../sql/statement.js';
import { isConnectionFailure, sqlstateOf, statementFailure } from './failure.js';
import type { PreparedStatements } from './prepared-statements.js';

/** What a session needs of its pool. */
export interface SessionContext {
  readonly types: TypeParsers;
  /** True when the client reads types in its own way, so that each statement must say. */
  readonly adopted: boolean;
  readonly send: SendQuery;
  readonly prepared: PreparedStatements;
  /** False where nothing can be stopped: PGlite. */
  readonly canCancel: boolean;
  /** True when one connection is all there is: it is cleaned, never thrown away. */
  readonly irreplaceable: boolean;
}

/** How long a stopped statement may take to end before its connection is given up. */
const stopMs = 5_000;
/** A request that overtook its statement stops nothing, so it is sent again. */
const repeatMs = 200;

/**
 * One connection while one caller has it. A statement that is cancelled is stopped on the server, and
 * the connection is given back only when the server has answered both, so that a late cancellation
 * cannot hit the next caller.
 */
export class Session {
  readonly client: DriverClient;
  readonly types: TypeParsers;
  readonly #context: SessionContext;
  #broken = false;
  #open = false;
  #stopping: Promise<void> | undefined;
  #stops = 0;

  constructor(client: DriverClient, context: SessionContext) {
    this.client = client;
    this.types = context.types;
    this.#context = context;
  }

  /** True once the connection failed. */
  get broken(): boolean {
    return this.#broken;
  }

  /** How many statements were stopped on the server. */
  get stops(): number {
    return this.#stops;
  }

  /** Sends one statement. Rejects when the server has answered, also when `scope` ended before. */
  execute(statement: Statement, scope: CallScope): Promise<DriverResult> {
    const { shape, values, fixed } = statement;
    const name = fixed ? this.#context.prepared.nameOf(this.client, shape.text) : undefined;
    const query: DriverQuery = this.#context.adopted
      ? { text: shape.text, values, name, queryMode: 'extended', types: this.types }
      : { text: shape.text, values, name, queryMode: 'extended' };
    return this.send(query, scope, shape);
  }

  /** Sends a text of several statements, without values. What it returns is thrown away. */
  async script(statement: Statement, scope: CallScope): Promise<void> {
    await this.send({ text: statement.shape.text, values: [] }, scope, statement.shape);
  }

  /** The state of the connection after its last statement: `I` outside of a transaction. */
  get status(): string {
    return this.client.getTransactionStatus?.() ?? (this.#open ? 'T' : 'I');
  }

  /** Sends what the driver takes. One promise and no more: this is the way of every statement. */
  send(query: DriverQuery, scope: CallScope, shape: StatementShape | undefined): Promise<DriverResult> {
    if (this.#stopping) return this.#stopping.then(() => this.#send(query, scope, shape));
    return this.#send(query, scope, shape);
  }

  /** Waits for other work on this connection, which is stopped on the server when `scope` ends. */
  async supervise<T>(scope: CallScope, work: () => Promise<T>): Promise<T> {
    if (this.#stopping) await this.#stopping;
    scope.throwIfCancelled();
    const running = work();
    const off = scope.onCancel(() => this.stop(running));
    try {
      return await running;
    } catch (error) {
      this.noteFailure(error);
      throw error;
    } finally {
      off();
    }
  }

  /** Says that a transaction is open, or over. */
  markOpen(open: boolean): void {
    this.#open = open;
  }

  /** Gives the connection back, or ends it when it cannot carry another caller's work. A promise where that takes time. */
  release(): Promise<void> | undefined {
    // A statement that left a transaction open must not give it to the next caller.
    if (this.#stopping || this.#broken || this.#open || this.status !== 'I') return this.#cleanUp();
    this.client.release();
    return undefined;
  }

  async #cleanUp(): Promise<void> {
    await this.#stopping;
    if (!this.#broken && !this.#open && this.status === 'I') return this.client.release();
    if (!this.#context.irreplaceable) return this.client.release(true);
    await new Promise<void>((resolve) => this.client.query(rollback, () => resolve()));
    this.client.release();
  }

  #send(query: DriverQuery, scope: CallScope, shape: StatementShape | undefined): Promise<DriverResult> {
    return new Promise((resolve, reject) => {
      scope.throwIfCancelled();
      let answered: (() => void) | undefined;
      const off = scope.onCancel(() => {
        this.stop(
          new Promise<void>((done) => {
            answered = done;
          }),
        );
      });
      this.#context.send(this.client, query, (error, result) => {
        off();
        answered?.();
        if (error) this.#refused(error, query, scope, shape).then(resolve, reject);
        // Where nothing can be stopped, a statement may end after the call that asked for it.
        else if (scope.cancelled) reject(scope.reason);
        else resolve(result);
      });
    });
  }

  /** What a statement failed with; or its answer, where only its preparation was out of date. */
  async #refused(
    error: Error,
    query: DriverQuery,
    scope: CallScope,
    shape: StatementShape | undefined,
  ): Promise<DriverResult> {
    this.noteFailure(error);
    if (scope.cancelled) throw scope.reason;
    if (query.name !== undefined) {
      this.#context.prepared.forget(this.client, query.text);
      if (!this.#open && isStale(error)) return await this.send({ ...query, name: undefined }, scope, shape);
    }
    throw statementFailure(error, shape);
  }

  /** A server does not notice that nobody reads any more while it works, so it is told to stop. */
  noteFailure(error: unknown): void {
    if (!isConnectionFailure(error)) return;
    this.#broken = true;
    if (this.#context.canCancel && sqlstateOf(error) === undefined) void requestCancel(this.client, stopMs);
  }

  /** Stops on the server what runs until `ended` settles. */
  stop(ended: Promise<unknown>): void {
    if (!this.#context.canCancel) return;
    this.#stops += 1;
    this.#stopping = this.#cancel(ended);
  }

  async #cancel(ended: Promise<unknown>): Promise<void> {
    const until = performance.now() + stopMs;
    do {
      await requestCancel(this.client, stopMs);
      if (await settles(ended, repeatMs)) return;
    } while (performance.now() < until);
    this.#broken = true;
    this.client.connection?.stream.destroy();
  }
}

async function settles(promise: Promise<unknown>, withinMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, withinMs, false);
  });
  try {
    const settled = promise.then(
      () => true,
      () => true,
    );
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A prepared statement whose table has changed, or that the server has forgotten; it ran nothing. */
function isStale(error: unknown): boolean {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return code === '26000' || (code === '0A000' && String(message).includes('cached plan'));
}

const rollback: DriverQuery = { text: 'rollback', values: [], queryMode: 'extended' };

import type { CallScope } from '../../core/index.js';
import {
  type DriverClient,
  type DriverQuery,
  type DriverResult,
  requestCancel,
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
    const query: DriverQuery = { text: shape.text, values, name, queryMode: 'extended' };
    return this.send(this.#context.adopted ? { ...query, types: this.types } : query, scope, shape);
  }

  /** Sends a text of several statements, without values. What it returns is thrown away. */
  async script(statement: Statement, scope: CallScope): Promise<void> {
    await this.send({ text: statement.shape.text, values: [] }, scope, statement.shape);
  }

  /** The state of the connection after its last statement: `I` outside of a transaction. */
  get status(): string {
    return this.client.getTransactionStatus?.() ?? (this.#open ? 'T' : 'I');
  }

  /** Sends what the driver takes. */
  async send(query: DriverQuery, scope: CallScope, shape: StatementShape | undefined): Promise<DriverResult> {
    try {
      const result = await this.supervise(scope, () => this.#query(query));
      // Where nothing can be stopped, a statement may end after the call that asked for it.
      scope.throwIfCancelled();
      return result;
    } catch (error) {
      if (scope.cancelled) throw scope.reason;
      if (query.name !== undefined) this.#context.prepared.forget(this.client, query.text);
      if (query.name !== undefined && !this.#open && isStale(error)) {
        return await this.send({ ...query, name: undefined }, scope, shape);
      }
      throw statementFailure(error, shape);
    }
  }

  /** Waits for work on this connection, which is stopped on the server when `scope` ends. */
  async supervise<T>(scope: CallScope, work: () => Promise<T>): Promise<T> {
    if (this.#stopping) await this.#stopping;
    scope.throwIfCancelled();
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const off = scope.onCancel(() => {
      this.#stopping = this.#stop(ended);
    });
    try {
      return await work();
    } catch (error) {
      if (isConnectionFailure(error)) this.#lost(error);
      throw error;
    } finally {
      off();
      end();
    }
  }

  /** Says that a transaction is open, or over. */
  markOpen(open: boolean): void {
    this.#open = open;
  }

  /** Gives the connection back, or ends it when it cannot carry another caller's work. */
  async release(): Promise<void> {
    if (this.#stopping) await this.#stopping;
    // A statement that left a transaction open must not give it to the next caller.
    if (!this.#broken && !this.#open && this.status === 'I') return this.client.release();
    if (this.#context.irreplaceable) {
      await new Promise<void>((resolve) => this.client.query(rollback, () => resolve()));
      return this.client.release();
    }
    this.client.release(true);
  }

  #query(query: DriverQuery): Promise<DriverResult> {
    return new Promise((resolve, reject) => {
      this.client.query(query, (error, result) => (error ? reject(error) : resolve(result)));
    });
  }

  /** A server does not notice that nobody reads any more while it works, so it is told to stop. */
  #lost(error: unknown): void {
    this.#broken = true;
    const told = sqlstateOf(error) !== undefined;
    if (this.#context.canCancel && !told) void requestCancel(this.client, stopMs);
  }

  async #stop(ended: Promise<void>): Promise<void> {
    if (!this.#context.canCancel) return;
    this.#stops += 1;
    const until = performance.now() + stopMs;
    do {
      await requestCancel(this.client, stopMs);
      if (await settles(ended, repeatMs)) return;
    } while (performance.now() < until);
    this.#broken = true;
    this.client.connection?.stream.destroy();
  }
}

async function settles(promise: Promise<void>, withinMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, withinMs, false);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
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

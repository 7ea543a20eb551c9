import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type CallOptions,
  type CallScope,
  type Lifecycle,
  SaflaError,
  type SpanRequest,
  spanKind,
  type Telemetry,
  UnsupportedError,
} from '../../core/index.js';
import type { Engine } from './engine.js';
import type { TransactionEvents } from './run-transaction.js';

/** The parts of a database that its calls go through. */
export interface DatabaseCallParts {
  readonly name: string;
  readonly engine: Engine;
  readonly lifecycle: Lifecycle;
  readonly telemetry: Telemetry;
  /** Longest time of a call that says nothing, in milliseconds. */
  readonly defaultMs: number;
}

/** What all calls of one database have in common: its engine is started, their time is limited, they are measured and counted. */
export class DatabaseCalls {
  readonly #parts: DatabaseCallParts;
  /** Set where a transaction of this database runs. */
  readonly #inside: AsyncLocalStorage<true> = new AsyncLocalStorage();
  #statements = 0;
  #failures = 0;
  #retries = 0;

  constructor(parts: DatabaseCallParts) {
    this.#parts = parts;
  }

  get counts(): { readonly statements: number; readonly failures: number; readonly retries: number } {
    return { statements: this.#statements, failures: this.#failures, retries: this.#retries };
  }

  /** What a transaction tells. */
  get transactionEvents(): TransactionEvents {
    return {
      onRetry: (error, attempt) => {
        this.#retries += 1;
        this.#parts.telemetry.logger.debug({ error, attempt }, 'A transaction runs again');
      },
      onStatement: () => this.countStatement(),
    };
  }

  countStatement(): void {
    this.#statements += 1;
  }

  /** Runs the function of a transaction, in which calls of the database itself may have no connection. */
  insideTransaction<T>(work: () => T): T {
    return this.#inside.run(true, work);
  }

  /** @throws UnsupportedError inside of a transaction that has the only connection */
  assertNotNested(): void {
    const { name, engine } = this.#parts;
    if (engine.capabilities.concurrentTransactions || !this.#inside.getStore()) return;
    throw new UnsupportedError(
      `${name} has one connection, which the transaction around this call has. Use what the transaction was given: tx.sql, tx.savepoint`,
    );
  }

  /** Making a database in this process takes long the first time, which is no statement's fault. */
  async ready(options: CallOptions): Promise<void> {
    const { name, engine, lifecycle } = this.#parts;
    if (!engine.ready) await lifecycle.call(`start of ${name}`, options, () => engine.start());
  }

  async run<T>(
    subject: string,
    options: CallOptions,
    span: SpanRequest,
    work: (scope: CallScope) => Promise<T>,
  ): Promise<T> {
    const { name, engine, lifecycle, telemetry, defaultMs } = this.#parts;
    try {
      if (!engine.ready) await this.ready(options);
      const { signal, timeoutMs = defaultMs } = options;
      const limits = signal ? { signal, timeoutMs } : { timeoutMs };
      const told = `${subject} on ${name}`;
      // Nobody listens to most statements: then telling costs nothing.
      if (!telemetry.listening) return await lifecycle.call(told, limits, work);
      return await this.#measured(subject, () => telemetry.span(span, () => lifecycle.call(told, limits, work)));
    } catch (error) {
      this.#failures += 1;
      throw error;
    }
  }

  /** OpenTelemetry semantic conventions for databases, stable since 1.33. */
  span(operation: string, attributes: Readonly<Record<string, string>> = {}): SpanRequest {
    return {
      name: operation,
      kind: spanKind.client,
      attributes: {
        'db.system.name': 'postgresql',
        'db.operation.name': operation,
        ...this.#parts.engine.attributes,
        ...attributes,
      },
    };
  }

  async #measured<T>(subject: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const attributes: Record<string, string> = { 'db.system.name': 'postgresql', 'db.operation.name': subject };
    try {
      return await work();
    } catch (error) {
      attributes['error.type'] = SaflaError.is(error) ? error.code : 'OTHER';
      throw error;
    } finally {
      this.#parts.telemetry.duration('db.client.operation.duration', performance.now() - started, attributes);
    }
  }
}

import type { CallOptions, CallScope, Lifecycle } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import { openCursor } from '../../drivers/postgres/index.js';
import type { Statement } from '../sql/statement.js';
import type { ConnectionPool } from './connection-pool.js';
import { statementFailure } from './failure.js';
import type { Session } from './session.js';
import type { SqlRow } from './sql-tag.js';

/** Settings of one stream. */
export interface RowStreamOptions extends CallOptions {
  /** Rows fetched at a time, all of which are in memory. @default 500 */
  readonly batchSize?: number;
  /** Reads from a replica, or from the primary when none answers. @default false */
  readonly replica?: boolean;
}

/** @throws ConfigurationError */
export function checkRowStreamOptions(options: RowStreamOptions): void {
  checkOptions('stream', options, {
    batchSize: is.count,
    replica: is.flag,
    signal: is.anything,
    timeoutMs: is.anything,
  });
}

interface Lease {
  readonly session: Session;
  readonly scope: CallScope;
}

/** The rows of one statement, fetched while they are read. Each loop runs the statement anew. */
export interface RowStream<Row> extends AsyncIterable<Row> {
  /** The rows in the arrays they arrive in: for millions of rows, where a step of the loop per row would cost more than the row. */
  batches(): AsyncIterable<readonly Row[]>;
}

/** A stream over whatever fetches batches. */
export function rowStream<Row>(fetch: () => AsyncGenerator<readonly SqlRow[], void, undefined>): RowStream<Row> {
  return {
    batches: () => ({ [Symbol.asyncIterator]: fetch }) as AsyncIterable<readonly Row[]>,
    [Symbol.asyncIterator]: () => new RowIterator(fetch()) as AsyncIterator<Row>,
  };
}

/** Rows out of batches. A row at hand costs one settled promise; chains of generators would cost several. */
class RowIterator implements AsyncIterableIterator<SqlRow> {
  readonly #batches: AsyncGenerator<readonly SqlRow[], void, undefined>;
  #rows: readonly SqlRow[] = [];
  #next = 0;
  #refilling: Promise<unknown> = Promise.resolve();

  constructor(batches: AsyncGenerator<readonly SqlRow[], void, undefined>) {
    this.#batches = batches;
  }

  next(): Promise<IteratorResult<SqlRow, undefined>> {
    const row = this.#rows[this.#next];
    if (row !== undefined) {
      this.#next += 1;
      return Promise.resolve({ value: row, done: false });
    }
    const refilled = this.#refilling.then(() => this.#refill());
    this.#refilling = refilled.catch(() => undefined);
    return refilled;
  }

  async return(): Promise<IteratorResult<SqlRow, undefined>> {
    this.#rows = [];
    await this.#batches.return();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #refill(): Promise<IteratorResult<SqlRow, undefined>> {
    // Another call that waited may have fetched already.
    if (this.#next >= this.#rows.length) {
      const { value, done } = await this.#batches.next();
      if (done) return { value: undefined, done: true };
      this.#rows = value;
      this.#next = 0;
    }
    const row = this.#rows[this.#next++];
    return row === undefined ? { value: undefined, done: true } : { value: row, done: false };
  }
}

/** The batches of one statement. The connection is taken at the first and given back after the last, or on return. */
export async function* streamBatches(
  lifecycle: Lifecycle,
  pool: ConnectionPool,
  statement: Statement,
  options: RowStreamOptions,
): AsyncGenerator<readonly SqlRow[], void, undefined> {
  const { batchSize = 500 } = options;
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let failed: (error: unknown) => void = () => undefined;
  const calls = { signal: options.signal, timeoutMs: options.timeoutMs };
  let call: Promise<void> = Promise.resolve();
  const lease = await new Promise<Lease>((resolve, reject) => {
    failed = reject;
    call = lifecycle.call('stream', withoutUndefined(calls), (scope) =>
      pool.use(scope, (session) => {
        resolve({ session, scope });
        return finished;
      }),
    );
    call.catch(failed);
  });
  try {
    yield* fetchBatches(lease, statement, batchSize);
  } finally {
    finish();
    // What the call rejects with was thrown by a read already.
    await call.catch(() => undefined);
  }
}

async function* fetchBatches(
  { session, scope }: Lease,
  statement: Statement,
  batchSize: number,
): AsyncGenerator<readonly SqlRow[]> {
  const { shape, values } = statement;
  const cursor = await openCursor(session.client, { text: shape.text, values, types: session.types });
  let reading: Promise<readonly SqlRow[]> | undefined;
  let refuse: ((reason: unknown) => void) | undefined;
  let over = false;
  // One listener for all batches: what is attached to a scope per batch would keep the batches until a full collection.
  const off = scope.onCancel((reason) => {
    if (reading) session.stop(reading.catch(() => undefined));
    refuse?.(reason);
  });
  const read = (): Promise<readonly SqlRow[]> =>
    new Promise((resolve, reject) => {
      refuse = reject;
      reading = cursor.read(batchSize);
      reading.then(resolve, (error: unknown) => {
        over = true;
        session.noteFailure(error);
        reject(error);
      });
    });
  try {
    while (!over) {
      scope.throwIfCancelled();
      const batch = await read();
      reading = undefined;
      over = batch.length === 0;
      if (!over) yield batch;
    }
  } catch (error) {
    if (scope.cancelled) throw scope.reason;
    throw statementFailure(error, shape);
  } finally {
    off();
    // The connection is the cursor's until the server has answered the last read.
    await reading?.catch(() => undefined);
    if (!over && !session.broken) await cursor.close();
  }
}

function withoutUndefined(options: {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
}): CallOptions {
  return {
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  };
}

import type { CallOptions, CallScope, Lifecycle } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import { openCursor } from '../../drivers/postgres/index.js';
import type { Statement } from '../sql/statement.js';
import type { ConnectionPool } from './connection-pool.js';
import { statementFailure } from './failure.js';
import type { Session } from './session.js';
import type { SqlRow } from './sql-tag.js';

/** Settings of one stream. */
export interface StreamOptions extends CallOptions {
  /** Rows fetched at a time, all of which are in memory. @default 500 */
  readonly batchSize?: number;
  /** Reads from a replica, or from the primary when none answers. @default false */
  readonly replica?: boolean;
}

/** @throws ConfigurationError */
export function checkStreamOptions(options: StreamOptions): void {
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

/**
 * The rows of one statement, fetched as they are asked for. The connection is taken at the first row and
 * given back at the last one, or when the loop is left.
 */
export async function* streamRows(
  lifecycle: Lifecycle,
  pool: ConnectionPool,
  statement: Statement,
  options: StreamOptions,
): AsyncGenerator<SqlRow, void, undefined> {
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
    yield* fetchRows(lease, statement, batchSize);
  } finally {
    finish();
    // What the call rejects with was thrown by a read already.
    await call.catch(() => undefined);
  }
}

async function* fetchRows({ session, scope }: Lease, statement: Statement, batchSize: number): AsyncGenerator<SqlRow> {
  const { shape, values } = statement;
  const query = { text: shape.text, values, types: session.types, queryMode: 'extended' as const };
  const cursor = await openCursor(session.client, query);
  let reading: Promise<unknown> | undefined;
  let over = false;
  const read = async (): Promise<SqlRow[]> => {
    try {
      const rows = await session.supervise(scope, () => cursor.read(batchSize));
      over = rows.length === 0;
      return rows;
    } catch (error) {
      over = true;
      throw error;
    }
  };
  try {
    while (!over) {
      scope.throwIfCancelled();
      const rows = read();
      reading = rows.catch(() => undefined);
      yield* await scope.run(() => rows);
    }
  } catch (error) {
    if (scope.cancelled) throw scope.reason;
    throw statementFailure(error, shape);
  } finally {
    // The connection is the cursor's until the server has answered the last read.
    await reading;
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

import { randomUUID } from 'node:crypto';
import { type Awaitable, type CallOptions, CallScope } from '../../core/index.js';
import { checkOptions, correlationIdHere, enterScope, is } from '../../core/internal.js';
import { fullJitter } from '../../resilience/backoff.js';
import { DatabaseError } from '../errors/index.js';
import { compileText } from '../sql/compile.js';
import type { ConnectionPool } from './connection-pool.js';
import { isRetryable } from './failure.js';
import { PostgresTransaction } from './postgres-transaction.js';
import type { Session } from './session.js';

/** Settings of one transaction. */
export interface TransactionOptions extends CallOptions {
  /** @default the server's, `'read committed'` unless it was configured */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
  /** Refuses writes, and may run on a replica with `replica`. @default false */
  readonly readOnly?: boolean;
  /**
   * How often the whole function is run again after a serialization failure (40001) or a deadlock (40P01),
   * after a random pause that grows to one second. 0 for a function that must run once only. @default 10
   */
  readonly retries?: number;
  /** Longest time of each statement in it, in milliseconds. @default the database's */
  readonly statementTimeoutMs?: number;
  /** Runs it on a replica, or on the primary when none answers; needs `readOnly`. @default false */
  readonly replica?: boolean;
}

/** Told when a transaction is about to run again, and when a statement of one is sent. */
export interface TransactionEvents {
  readonly onRetry: (error: unknown, attempt: number) => void;
  readonly onStatement: () => void;
}

const longestPauseMs = 1_000;
const firstPauseMs = 10;
/** The most a rollback may take before its connection is given up. */
const rollbackMs = 5_000;

/** @throws ConfigurationError */
export function checkTransactionOptions(options: TransactionOptions): void {
  checkOptions('transaction', options, {
    isolation: is.oneOf('read committed', 'repeatable read', 'serializable'),
    readOnly: is.flag,
    retries: is.countOrZero,
    statementTimeoutMs: is.milliseconds,
    replica: is.flag,
    signal: is.anything,
    timeoutMs: is.anything,
  });
}

/** Runs `fn` in a transaction, again when the database could not order it among others. */
export async function runTransaction<T>(
  pool: ConnectionPool,
  fn: (tx: PostgresTransaction) => Awaitable<T>,
  options: TransactionOptions,
  scope: CallScope,
  events: TransactionEvents,
): Promise<T> {
  const retries = options.retries ?? 10;
  for (let attempt = 1; ; attempt++) {
    try {
      return await pool.use(scope, (session) => inTransaction(session, scope, options, fn, events.onStatement));
    } catch (error) {
      if (scope.cancelled) throw scope.reason;
      if (!isRetryable(error) || attempt > retries) throw error;
      events.onRetry(error, attempt);
      await scope.sleep(fullJitter(attempt, longestPauseMs, { baseDelayMs: firstPauseMs }));
    }
  }
}

/** Runs `fn` once in a transaction on a connection that is at rest. */
export async function inTransaction<T>(
  session: Session,
  scope: CallScope,
  options: TransactionOptions,
  fn: (tx: PostgresTransaction) => Awaitable<T>,
  sent: () => void = () => undefined,
): Promise<T> {
  const send = (text: string, by: CallScope = scope) => session.execute(compileText(text, []), by);
  const tx = new PostgresTransaction({
    session,
    scope,
    readOnly: options.readOnly ?? false,
    tail: Promise.resolve(),
    savepoints: 0,
    sent,
  });
  session.markOpen(true);
  try {
    await send(beginText(options));
    if (options.statementTimeoutMs !== undefined) {
      await send(`set local statement_timeout = ${Math.ceil(options.statementTimeoutMs)}`);
    }
    const value = await enterScope(scope, correlationIdHere() ?? randomUUID(), async () => fn(tx));
    await tx.settle();
    scope.throwIfCancelled();
    const { command } = await send('commit');
    session.markOpen(false);
    if (command === 'COMMIT') return value;
    throw new DatabaseError('The transaction was rolled back by the server although it was committed', {
      kind: 'transaction',
    });
  } catch (error) {
    const failure = await tx.settle().then(
      () => error,
      (first: unknown) => (isRetryable(first) ? first : error),
    );
    await rollback(session, send);
    throw failure;
  }
}

async function rollback(session: Session, send: (text: string, by: CallScope) => Promise<unknown>): Promise<void> {
  if (session.broken) return;
  using own = new CallScope('rollback', { timeoutMs: rollbackMs });
  try {
    await send('rollback', own);
    session.markOpen(false);
  } catch {
    // It stays marked as open, so the connection is ended, which rolls back too.
  }
}

function beginText({ isolation, readOnly }: TransactionOptions): string {
  return `begin${isolation ? ` isolation level ${isolation}` : ''}${readOnly ? ' read only' : ''}`;
}

import { randomUUID } from 'node:crypto';
import type { Awaitable, CallOptions, CallScope } from '../../core/index.js';
import { checkOptions, correlationIdHere, enterScope, is } from '../../core/internal.js';
import type { DriverSession } from '../../drivers/mongodb/index.js';
import { fullJitter } from '../../resilience/backoff.js';
import { ConnectionLostError } from '../errors/index.js';
import { hasLabel, isTransient, isUnknownCommit, mongoFailure } from './failure.js';
import type { MongoConnection, MongoTurn } from './mongo-connection.js';

/** Settings of a transaction. */
export interface MongoTransactionOptions extends CallOptions {
  /**
   * How often the whole function is run again after a conflict with another transaction, or after the
   * connection broke before the commit, after a random pause that grows to one second. 0 for a function that
   * must run once only. @default 10
   */
  readonly retries?: number;
}

const longestPauseMs = 1_000;
const firstPauseMs = 10;
const commitAttempts = 3;

/** @throws ConfigurationError */
export function checkMongoTransactionOptions(options: MongoTransactionOptions): void {
  checkOptions<MongoTransactionOptions>('transaction', options, {
    retries: is.countOrZero,
    signal: is.anything,
    timeoutMs: is.anything,
  });
}

/** Runs `fn` in a transaction of one session, again after what may pass: see "Transactions" in the driver specifications. */
export async function runMongoTransaction<T>(
  connection: MongoConnection,
  scope: CallScope,
  options: MongoTransactionOptions,
  fn: (turn: MongoTurn) => Awaitable<T>,
  onRetry: (error: unknown, attempt: number) => void,
): Promise<T> {
  const { retries = 10 } = options;
  const client = await connection.link.client();
  const session = client.startSession();
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await runOnce(connection, session, scope, fn);
      } catch (error) {
        if (scope.cancelled) throw scope.reason;
        if (!mayPass(error) || attempt > retries) throw error;
        onRetry(error, attempt);
        await scope.sleep(fullJitter(attempt, longestPauseMs, { baseDelayMs: firstPauseMs }));
      }
    }
  } finally {
    session.endSession().catch(() => undefined);
  }
}

async function runOnce<T>(
  connection: MongoConnection,
  session: DriverSession,
  scope: CallScope,
  fn: (turn: MongoTurn) => Awaitable<T>,
): Promise<T> {
  session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority' } });
  const turn: MongoTurn = { session, scope, tail: Promise.resolve(), failure: undefined, ended: false };
  let value: T;
  try {
    value = await scope.run(() => enterScope(scope, correlationIdHere() ?? randomUUID(), async () => fn(turn)));
    await turn.tail;
    // The server has given the transaction up already, whatever the function made of it.
    if (turn.failure !== undefined) throw turn.failure;
    scope.throwIfCancelled();
  } catch (error) {
    turn.ended = true;
    await turn.tail;
    await session.abortTransaction().catch(() => undefined);
    throw isTransient(turn.failure) ? turn.failure : error;
  }
  turn.ended = true;
  await commit(connection, session, scope);
  return value;
}

/** A commit may be asked for again: it takes effect once. */
async function commit(connection: MongoConnection, session: DriverSession, scope: CallScope): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await scope.run(() => session.commitTransaction());
      return;
    } catch (error) {
      if (scope.cancelled) throw scope.reason;
      if (isUnknownCommit(error) && attempt < commitAttempts) continue;
      throw mongoFailure(error, { subject: 'The commit', collection: undefined, target: connection.link.target });
    }
  }
}

/** Before the commit a broken connection means that nothing took effect. */
function mayPass(error: unknown): boolean {
  if (isUnknownCommit(error)) return false;
  return isTransient(error) || (error instanceof ConnectionLostError && hasLabel(error, 'TransientTransactionError'));
}

import { type Awaitable, type CallScope, openScope } from '../../core/index.js';
import { is } from '../../core/internal.js';
import type { DriverResult } from '../../drivers/postgres/index.js';
import { DatabaseError } from '../errors/index.js';
import { compileText } from '../sql/compile.js';
import { readQuery } from '../sql/read-query.js';
import type { SqlFragment } from '../sql/sql-fragment.js';
import type { Statement } from '../sql/statement.js';
import type { Session } from './session.js';
import {
  checkQueryOptions,
  type QueryOptions,
  rowsOf,
  type SqlRow,
  type SqlRows,
  type SqlTag,
  sqlTag,
} from './sql-tag.js';
import { assertInTransaction } from './statement-rules.js';

/** What a transaction and its savepoints share. */
export interface TransactionLine {
  readonly session: Session;
  readonly scope: CallScope;
  readonly readOnly: boolean;
  /** Statements run one after another: the connection has one line. */
  tail: Promise<unknown>;
  savepoints: number;
  /** Counts statements that were sent, for the owner's metrics. */
  readonly sent: () => void;
}

/**
 * One transaction, given to the function of `db.transaction`, or a savepoint in it. Statements run in the
 * order they are made, also those nobody waited for. It ends with the function: what is sent later is refused.
 */
export class PostgresTransaction {
  /** Runs one statement in this transaction. */
  readonly sql: SqlTag;
  readonly #line: TransactionLine;
  #over = false;
  #inner: PostgresTransaction | undefined;
  #failure: unknown;

  /** Made by `db.transaction`. */
  constructor(line: TransactionLine) {
    this.#line = line;
    this.sql = sqlTag((statement, options) => this.#run(statement, options));
  }

  /** Runs a fragment, or a text with `$1`, `$2`, ... */
  query<Row = SqlRow>(query: SqlFragment, options?: QueryOptions): Promise<SqlRows<Row>>;
  query<Row = SqlRow>(text: string, values?: readonly unknown[], options?: QueryOptions): Promise<SqlRows<Row>>;
  async query(
    query: SqlFragment | string,
    second?: readonly unknown[] | QueryOptions,
    third?: QueryOptions,
  ): Promise<SqlRows<SqlRow>> {
    const [statement, options] = readQuery(query, second, third);
    checkQueryOptions(options);
    return rowsOf(await this.#run(statement, options));
  }

  /**
   * Runs `fn` as a part that can fail alone: when it throws, what it did is undone and the transaction goes on.
   * While it runs, use what it is given; one savepoint is open at a time.
   */
  async savepoint<T>(fn: (tx: PostgresTransaction) => Awaitable<T>): Promise<T> {
    is.function(fn, 'savepoint: what runs in it');
    this.#assertUsable();
    const line = this.#line;
    const name = `safla_${++line.savepoints}`;
    const inner = new PostgresTransaction(line);
    this.#inner = inner;
    try {
      await this.#control(`savepoint ${name}`);
      const value = await fn(inner);
      await inner.settle();
      await this.#control(`release savepoint ${name}`);
      return value;
    } catch (error) {
      await inner.settle().catch(() => undefined);
      if (!line.session.broken && !line.scope.cancelled) {
        await this.#control(`rollback to savepoint ${name}`);
        await this.#control(`release savepoint ${name}`);
      }
      throw error;
    } finally {
      this.#inner = undefined;
    }
  }

  /**
   * Ends it: no more statements, those under way are waited for.
   *
   * @throws what a statement failed with, because then there is nothing to commit
   */
  async settle(): Promise<void> {
    this.#over = true;
    await this.#line.tail;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #run(statement: Statement, options: QueryOptions): Promise<DriverResult> {
    this.#assertUsable();
    const { session, scope, readOnly, sent } = this.#line;
    assertInTransaction(statement.shape, readOnly);
    sent();
    if (options.signal === undefined && options.timeoutMs === undefined) {
      return await this.#next(() => session.execute(statement, scope));
    }
    using own = openScope(statement.shape.operation, { ...options, parents: [scope] });
    return await own.run(() => this.#next(() => session.execute(statement, own)));
  }

  #control(text: string): Promise<DriverResult> {
    return this.#next(() => this.#line.session.execute(compileText(text, []), this.#line.scope));
  }

  #next(work: () => Promise<DriverResult>): Promise<DriverResult> {
    const line = this.#line;
    const result = line.tail.then(work);
    line.tail = result.catch((error: unknown) => {
      this.#failure ??= error;
    });
    return result;
  }

  #assertUsable(): void {
    if (this.#over) throw refused('is over: await every statement inside of its function');
    if (this.#inner) throw refused('has a savepoint open: use what the savepoint gave');
  }
}

function refused(problem: string): DatabaseError {
  return new DatabaseError(`The transaction ${problem}`, { kind: 'transaction' });
}

import { type CallOptions, NotFoundError, type StandardSchemaV1, validate } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import type { DriverResult } from '../../drivers/postgres/index.js';
import { DatabaseError } from '../errors/index.js';
import { compileTemplate } from '../sql/compile.js';
import { type SqlParts, sqlParts } from '../sql/sql.js';
import type { SqlValue } from '../sql/sql-fragment.js';
import type { Statement } from '../sql/statement.js';

/** A row where nobody said what it is. */
export type SqlRow = Record<string, unknown>;

/** Rows, and how many were read or changed. */
export type SqlRows<Row> = Row[] & {
  /** Rows that a `select` gave, or that an `insert`, `update` or `delete` touched; 0 for anything else. */
  readonly rowCount: number;
};

/** Settings of one statement. */
export interface QueryOptions extends CallOptions {
  /** Sends it to a replica, or to the primary when none answers. Replicas run behind. @default false */
  readonly replica?: boolean;
}

/**
 * A scope, or another object that is more than options, passes as it is.
 *
 * @throws ConfigurationError
 */
export function checkQueryOptions(options: QueryOptions | undefined): void {
  if (options === undefined || (Object.getPrototypeOf(options ?? {}) as unknown) !== Object.prototype) return;
  checkOptions<QueryOptions>('query', options, { replica: is.flag, signal: is.anything, timeoutMs: is.anything });
}

/**
 * Runs one statement: values go as parameters, by the extended protocol, and never become SQL.
 * `Row` is what you say it is; `as` checks it.
 */
export interface SqlTag extends SqlParts {
  <Row = SqlRow>(strings: TemplateStringsArray, ...values: readonly SqlValue[]): Promise<SqlRows<Row>>;
  /** The only row. @throws NotFoundError for none, DatabaseError for several */
  one<Row = SqlRow>(strings: TemplateStringsArray, ...values: readonly SqlValue[]): Promise<Row>;
  /** The only row, undefined for none. @throws DatabaseError for several */
  maybeOne<Row = SqlRow>(strings: TemplateStringsArray, ...values: readonly SqlValue[]): Promise<Row | undefined>;
  /** The tag with every row checked by a Standard Schema. @throws ValidationError with the row's index and path */
  as<S extends StandardSchemaV1>(schema: S): CheckedSqlTag<StandardSchemaV1.InferOutput<S>>;
  /** The tag with settings: ``db.sql.with({ timeoutMs: 500 })`select ...` ``. */
  with(options: QueryOptions): SqlTag;
}

/** A {@link SqlTag} whose rows are checked. */
export interface CheckedSqlTag<Row> {
  (strings: TemplateStringsArray, ...values: readonly SqlValue[]): Promise<SqlRows<Row>>;
  one(strings: TemplateStringsArray, ...values: readonly SqlValue[]): Promise<Row>;
  maybeOne(strings: TemplateStringsArray, ...values: readonly SqlValue[]): Promise<Row | undefined>;
}

/** Runs a statement that is ready. */
export type RunStatement = (statement: Statement, options: QueryOptions) => Promise<DriverResult>;

type Template = readonly [strings: TemplateStringsArray, ...values: SqlValue[]];

interface RunningTag {
  (...template: Template): Promise<SqlRows<SqlRow>>;
  readonly [settings]: { readonly run: RunStatement; readonly options: QueryOptions };
}

const settings: unique symbol = Symbol('settings');

/** What every tag has; shared, so that `with` makes one function and no more. */
const members = Object.assign(Object.create(Function.prototype) as object, sqlParts, {
  async one(this: RunningTag, ...template: Template) {
    return only(await this(...template));
  },
  async maybeOne(this: RunningTag, ...template: Template) {
    return atMostOne(await this(...template));
  },
  as(this: RunningTag, schema: StandardSchemaV1) {
    return checkedTag(this, schema);
  },
  with(this: RunningTag, more: QueryOptions) {
    const { run, options } = this[settings];
    checkQueryOptions(more);
    return sqlTag(run, { ...options, ...more });
  },
});

/** The tag over whatever runs statements: the pool, or one transaction. */
export function sqlTag(run: RunStatement, options: QueryOptions = {}): SqlTag {
  const tag = async (strings: TemplateStringsArray, ...values: readonly SqlValue[]): Promise<SqlRows<SqlRow>> =>
    rowsOf(await run(compileTemplate(strings, values), options));
  (tag as unknown as { [settings]: RunningTag[typeof settings] })[settings] = { run, options };
  return Object.setPrototypeOf(tag, members) as SqlTag;
}

/** The rows of an answer, in the driver's own array. */
export function rowsOf({ rows, rowCount }: DriverResult): SqlRows<SqlRow> {
  return Object.defineProperty(rows, 'rowCount', { value: rowCount ?? 0 }) as unknown as SqlRows<SqlRow>;
}

function checkedTag(rows: RunningTag, schema: StandardSchemaV1): CheckedSqlTag<unknown> {
  const checked = async (...template: Template): Promise<SqlRows<unknown>> => {
    const found = await rows(...template);
    const values = await Promise.all(found.map((row, index) => validate(schema, row, `row ${index + 1}`)));
    return Object.defineProperty(values, 'rowCount', { value: found.rowCount }) as unknown as SqlRows<unknown>;
  };
  return Object.assign(checked, {
    one: async (...template: Template) => only(await checked(...template)),
    maybeOne: async (...template: Template) => atMostOne(await checked(...template)),
  });
}

function only<Row>(rows: SqlRows<Row>): Row {
  if (rows.length === 0) throw new NotFoundError('sql.one: the statement gave no row; use maybeOne where that may be');
  return atMostOne(rows) as Row;
}

function atMostOne<Row>(rows: SqlRows<Row>): Row | undefined {
  if (rows.length < 2) return rows[0];
  throw new DatabaseError(`One row was asked for, the statement gave ${rows.length}`, { kind: 'other' });
}

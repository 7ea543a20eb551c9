import { type CallOptions, type CallScope, UnsupportedError, ValidationError } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import { copyIn, type LookupRow } from '../../drivers/postgres/index.js';
import { compileText } from '../sql/compile.js';
import { quoteIdentifier } from '../sql/identifier.js';
import { assertColumns, columnsOf, jsonRows, type RowValues } from '../sql/json-row.js';
import { type TableName, tableText } from '../sql/table-name.js';
import { type ColumnForm, columnForm, copyChunks } from './copy-format.js';
import { statementFailure } from './failure.js';
import { inTransaction } from './run-transaction.js';
import type { Session } from './session.js';

/** Rows to insert: all at hand, or coming. */
export type BulkRows = Iterable<RowValues> | AsyncIterable<RowValues>;

/** Settings of one bulk insert. */
export interface BulkInsertOptions extends CallOptions {
  /**
   * What happens to a row whose key exists: `'ignore'` leaves the old one, `{ target, update }` puts the new
   * values of `update` into it. @default the whole insert fails with UniqueViolationError
   */
  readonly onConflict?: 'ignore' | ConflictUpdate;
}

/** Columns that say which row is meant, and columns that get the new values. */
export interface ConflictUpdate {
  readonly target: readonly string[];
  /** @default all that are not in `target` */
  readonly update?: readonly string[];
}

/** What a bulk insert did. */
export interface BulkInsertResult {
  /** Rows inserted or updated. */
  readonly rowCount: number;
}

const batchRows = 1_000;

/** @throws ConfigurationError */
export function checkBulkOptions(options: BulkInsertOptions): void {
  checkOptions('bulkInsert', options, {
    onConflict: is.either(
      "'ignore' or { target, update }",
      is.oneOf('ignore'),
      is.options<ConflictUpdate>({ target: is.required(is.list), update: is.list }),
    ),
    signal: is.anything,
    timeoutMs: is.anything,
  });
}

/**
 * Inserts on a connection: by COPY where the engine has it and nothing is to be
 * done about conflicts, else as JSON in batches in one transaction.
 */
export async function bulkInsert(
  session: Session,
  scope: CallScope,
  table: TableName,
  rows: BulkRows,
  options: BulkInsertOptions,
  canCopy: boolean,
): Promise<BulkInsertResult> {
  const source = await peek(rows);
  if (!source) return { rowCount: 0 };
  const columns = columnsOf(source.first, 'rows');
  const target: Target = { name: tableText(table), columns, list: columns.map(quoteIdentifier).join(', ') };
  const rowCount =
    canCopy && options.onConflict === undefined
      ? await byCopy(session, scope, target, source.rows)
      : await inTransaction(session, scope, {}, () =>
          byJSON(session, scope, target, source.rows, conflictText(options.onConflict, columns)),
        );
  return { rowCount };
}

interface Target {
  readonly name: string;
  readonly columns: readonly string[];
  readonly list: string;
}

async function byCopy(session: Session, scope: CallScope, target: Target, rows: BulkRows): Promise<number> {
  const { shape } = compileText(`copy ${target.name} (${target.list}) from stdin`, []);
  let source: { readonly error: unknown } | undefined;
  const chunks = async function* (found: readonly LookupRow[]): AsyncGenerator<Buffer> {
    try {
      yield* copyChunks(rows, target.columns, columnForms(target, found));
    } catch (error) {
      source = { error };
      throw error;
    }
  };
  // What the rows' own source threw says nothing about the connection.
  const copy = async (): Promise<number> => {
    try {
      return await copyIn(session.client, { lookup: lookupText(target), copy: shape.text, chunks });
    } catch (error) {
      if (source) return 0;
      throw error;
    }
  };
  try {
    const rowCount = await session.supervise(scope, copy);
    if (source) throw (source as { readonly error: unknown }).error;
    return rowCount;
  } catch (error) {
    if (source) throw (source as { readonly error: unknown }).error;
    if (scope.cancelled) throw scope.reason;
    throw statementFailure(error, shape);
  }
}

/** One look at the catalog, because only the column says whether an array is json. */
function lookupText({ name }: Target): string {
  const literal = `E'${name.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
  return `select a.attname, t.typcategory, t.typname from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = ${literal}::regclass and a.attnum > 0 and not a.attisdropped`;
}

function columnForms({ columns }: Target, found: readonly LookupRow[]): ColumnForm[] {
  const forms = new Map(found.map(([column, category, type]) => [column, columnForm(String(category), String(type))]));
  return columns.map((column) => forms.get(column) ?? 'scalar');
}

async function byJSON(
  session: Session,
  scope: CallScope,
  target: Target,
  rows: BulkRows,
  conflict: string,
): Promise<number> {
  const text = `insert into ${target.name} (${target.list}) select ${target.list}
    from json_populate_recordset(null::${target.name}, $1::json)${conflict}`;
  let rowCount = 0;
  let index = 0;
  let batch: RowValues[] = [];
  const flush = async (): Promise<void> => {
    const result = await session.execute(compileText(text, [jsonRows(batch)]), scope);
    rowCount += result.rowCount ?? 0;
    batch = [];
  };
  for await (const row of rows) {
    assertColumns(row, target.columns, index++);
    batch.push(row);
    if (batch.length === batchRows) await flush();
  }
  if (batch.length > 0) await flush();
  return rowCount;
}

function conflictText(onConflict: BulkInsertOptions['onConflict'], columns: readonly string[]): string {
  if (onConflict === undefined) return '';
  if (onConflict === 'ignore') return ' on conflict do nothing';
  const { target, update = columns.filter((column) => !target.includes(column)) } = onConflict;
  if (target.length === 0) throw new ValidationError('onConflict.target', [{ path: [], message: 'names no column' }]);
  const keys = target.map(quoteIdentifier).join(', ');
  if (update.length === 0) return ` on conflict (${keys}) do nothing`;
  const sets = update.map((column) => `${quoteIdentifier(column)} = excluded.${quoteIdentifier(column)}`).join(', ');
  return ` on conflict (${keys}) do update set ${sets}`;
}

interface Peeked {
  readonly first: RowValues;
  readonly rows: BulkRows;
}

/** The first row, which names the columns, and all rows. Undefined for none. */
async function peek(rows: BulkRows): Promise<Peeked | undefined> {
  if (Array.isArray(rows)) return rows.length === 0 ? undefined : { first: rows[0] as RowValues, rows };
  if (typeof rows !== 'object' || rows === null || !(Symbol.iterator in rows || Symbol.asyncIterator in rows)) {
    throw new UnsupportedError('bulkInsert takes an array, an iterable or an async iterable of objects');
  }
  const iterator = Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]();
  const first = await iterator.next();
  if (first.done) return undefined;
  const all = async function* (): AsyncGenerator<RowValues> {
    try {
      yield first.value;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  };
  return { first: first.value, rows: all() };
}

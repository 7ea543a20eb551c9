import { ValidationError } from '../../core/index.js';
import { encodeParameter } from './parameters.js';
import { jsonText } from './sql.js';

/** A row to write: column names and values; arrays and objects go by the column's own type. */
export type RowValues = Readonly<Record<string, unknown>>;

/**
 * Rows as one JSON text that `json_populate_recordset` reads by the types of the table's columns, so that
 * an array becomes json in a jsonb column and an array in an array column.
 *
 * @throws ValidationError for values that neither JSON nor PostgreSQL can hold
 */
export function jsonRows(rows: readonly RowValues[]): string {
  return jsonText(rows.map((row, index) => jsonRow(row, index)));
}

/** @throws ValidationError when it is no object, or has no column */
export function columnsOf(row: unknown, subject: string): readonly string[] {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) refuse(subject, [], 'must be an object');
  const columns = Object.keys(row);
  if (columns.length === 0) refuse(subject, [], 'has no columns');
  return columns;
}

/** @throws ValidationError unless the row has exactly these columns */
export function assertColumns(row: RowValues, columns: readonly string[], index: number): void {
  const names = columnsOf(row, 'rows');
  if (names.length !== columns.length || !columns.every((column) => Object.hasOwn(row, column))) {
    refuse('rows', [index], 'has other columns than the first row');
  }
}

function jsonRow(row: RowValues, index: number): Record<string, unknown> {
  const out: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [column, value] of Object.entries(row)) {
    if (value === undefined) refuse('rows', [index, column], 'is undefined; use null where NULL is meant');
    out[column] = jsonValue(value, `row ${index + 1}, column ${column}`);
  }
  return out;
}

/** What JSON has no form for goes as the text that PostgreSQL reads for it. */
function jsonValue(value: unknown, where: string): unknown {
  if (Array.isArray(value)) return value.map((item) => jsonValue(item, where));
  if (typeof value === 'bigint' || value instanceof Date) return encodeParameter(value, where);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  if (typeof value === 'string') return encodeParameter(value, where);
  return value;
}

function refuse(subject: string, path: readonly PropertyKey[], message: string): never {
  throw new ValidationError(subject, [{ path, message }]);
}

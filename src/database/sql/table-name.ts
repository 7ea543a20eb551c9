import { ValidationError } from '../../core/index.js';
import { quoteIdentifier } from './identifier.js';
import { fragmentPieces, SqlFragment } from './sql-fragment.js';

/** A table: one name as it is, never split at dots, or `sql.id('schema', 'table')`. */
export type TableName = string | SqlFragment;

/** @throws ValidationError */
export function tableText(table: TableName): string {
  if (!(table instanceof SqlFragment)) return quoteIdentifier(table);
  if (fragmentPieces(table).every((piece) => 'text' in piece)) return table.text;
  throw new ValidationError('table', [
    { path: [], message: 'must be a name or sql.id(schema, table), without values' },
  ]);
}

import { ValidationError } from '../../core/index.js';
import { arrayLiteral } from '../sql/array-literal.js';
import { assertColumns, type RowValues } from '../sql/json-row.js';
import { encodeParameter } from '../sql/parameters.js';
import { jsonText } from '../sql/sql.js';

/** How the values of a column are written. */
export type ColumnForm = 'scalar' | 'json' | 'array' | 'json-array';

/** The column's form by `pg_type`: its category, and its name or its element's. */
export function columnForm(category: string, name: string): ColumnForm {
  const json = /^_?jsonb?$/.test(name);
  if (category === 'A') return json ? 'json-array' : 'array';
  return json ? 'json' : 'scalar';
}

const chunkCharacters = 65_536;

/**
 * Rows in COPY's text format (PostgreSQL documentation, COPY, "Text Format"), in chunks. It takes a row
 * when there is room for it, so a source can be endless.
 *
 * @throws ValidationError
 */
export async function* copyChunks(
  rows: Iterable<RowValues> | AsyncIterable<RowValues>,
  columns: readonly string[],
  forms: readonly ColumnForm[],
): AsyncGenerator<Buffer> {
  let text = '';
  let index = 0;
  const line = (row: RowValues): string => {
    if (!inOrder(row, columns)) assertColumns(row, columns, index);
    let out = '';
    for (let at = 0; at < columns.length; at++) {
      const column = columns[at] ?? '';
      const value = row[column];
      if (at > 0) out += '\t';
      // Plain numbers and texts, which most values are, take the shortest way.
      if (forms[at] !== 'scalar') out += field(value, forms[at] ?? 'scalar', index, column);
      else if (typeof value === 'number') out += value;
      else if (typeof value === 'string' && !special.test(value)) out += value;
      else out += field(value, 'scalar', index, column);
    }
    index += 1;
    return `${out}\n`;
  };
  if (Symbol.iterator in rows) {
    for (const row of rows) {
      text += line(row);
      if (text.length < chunkCharacters) continue;
      yield Buffer.from(text);
      text = '';
    }
  } else {
    for await (const row of rows) {
      text += line(row);
      if (text.length < chunkCharacters) continue;
      yield Buffer.from(text);
      text = '';
    }
  }
  if (text !== '') yield Buffer.from(text);
}

/** True when a row has the columns in the order of the first row, as nearly all have. */
function inOrder(row: RowValues, columns: readonly string[]): boolean {
  let at = 0;
  for (const column in row) if (column !== columns[at++]) return false;
  return at === columns.length;
}

/** What has to be escaped, or looked at closer. */
const special = /[\0\\\n\r\t\ud800-\udfff]/;
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function field(value: unknown, form: ColumnForm, index: number, column: string): string {
  if (value === null) return '\\N';
  const text = fieldText(value, form, index, column);
  return special.test(text) ? text.replace(/[\\\n\r\t]/g, (character) => escapes[character] ?? character) : text;
}

function fieldText(value: unknown, form: ColumnForm, index: number, column: string): string {
  const where = `row ${index + 1}, column ${column}`;
  if (form === 'json' && value !== undefined) return jsonText(value);
  if (Array.isArray(value)) {
    if (form === 'scalar') {
      throw new ValidationError(where, [{ path: [], message: 'is an array, which this column is not' }]);
    }
    return arrayLiteral(form === 'json-array' ? value.map((item) => (item === null ? null : jsonText(item))) : value);
  }
  const encoded = encodeParameter(value, where) ?? '';
  return typeof encoded === 'string' ? encoded : `\\x${Buffer.from(encoded).toString('hex')}`;
}

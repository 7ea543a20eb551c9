import { ValidationError } from '../../core/index.js';
import { encodeJSON } from '../../core/internal.js';
import { arrayLiteral } from './array-literal.js';
import { fragmentOf } from './compile.js';
import { quoteIdentifier } from './identifier.js';
import { encodeParameter } from './parameters.js';
import { fragmentPieces, SqlFragment, type SqlParameter, type SqlPiece, type SqlValue } from './sql-fragment.js';

/** The parts that statements are made of. */
export interface SqlParts {
  /** A quoted name, `sql.id('shop', 'orders')` for `"shop"."orders"`. @throws ValidationError for what cannot be a name */
  id(...path: readonly string[]): SqlFragment;
  /** A value for a `json` or `jsonb` column. @throws ValidationError for what JSON or PostgreSQL cannot hold */
  json(value: unknown): SqlFragment;
  /**
   * A PostgreSQL array, nested ones for more dimensions. `type` is its element type and is needed where
   * PostgreSQL cannot know it: `sql.array(ids, 'int8')`.
   */
  array(items: readonly SqlArrayItem[], type?: string): SqlFragment;
  /** `$1, $2, $3` for `in (...)`. @throws ValidationError for an empty list, which SQL has no form for */
  list(items: readonly SqlValue[]): SqlFragment;
  /** `("a", "b") values ($1, $2), ($3, $4)` from objects with the same keys. @throws ValidationError */
  values(rows: readonly Readonly<Record<string, SqlValue>>[]): SqlFragment;
  /** `"a" = $1, "b" = $2` for `update`. @throws ValidationError for an object without keys */
  set(patch: Readonly<Record<string, SqlValue>>): SqlFragment;
  /** Fragments with `separator` between them. @default a comma */
  join(fragments: readonly SqlFragment[], separator?: SqlFragment): SqlFragment;
}

/** An element of {@link SqlParts.array}. */
export type SqlArrayItem = SqlParameter | readonly SqlArrayItem[];

/** The tag and its parts. */
export interface SqlBuilder extends SqlParts {
  (strings: TemplateStringsArray, ...values: readonly SqlValue[]): SqlFragment;
}

/** More than the wire format can count (PostgreSQL documentation, "Message Formats": Bind, Int16). */
const mostParameters = 65_535;

const typeName = /^[a-z_][\w$]*(?:\.[a-z_][\w$]*)?(?: [a-z]+)*(?:\(\d+(?:, ?\d+)?\))?$/i;

export const sqlParts: SqlParts = {
  id: (...path) => new SqlFragment([{ text: checkedPath(path).map(quoteIdentifier).join('.') }]),
  json: (value) => new SqlFragment([{ value: jsonText(value) }]),
  array: (items, type) => {
    if (!Array.isArray(items)) throw invalid('sql.array', 'takes an array');
    const value: SqlPiece = { value: arrayLiteral(items) };
    if (type === undefined) return new SqlFragment([value]);
    if (!typeName.test(type)) throw invalid('sql.array', 'takes the name of a type, such as int8 or text');
    return new SqlFragment([value, { text: `::${type}[]` }]);
  },
  list: (items) => {
    if (items.length === 0) throw invalid('sql.list', 'is empty, which IN cannot be; use = any(...) with sql.array');
    return joined(items.map((item, index) => toPieces(item, `item ${index + 1}`)));
  },
  values: (rows) => {
    const columns = Object.keys(rows[0] ?? {});
    if (columns.length === 0) throw invalid('sql.values', 'takes at least one row with at least one column');
    if (columns.length * rows.length > mostParameters) {
      throw invalid(
        'sql.values',
        `has over ${mostParameters} values, more than one statement can carry; use bulkInsert`,
      );
    }
    const lines = rows.map((row, index) => rowPieces(row, columns, index));
    const names = columns.map(quoteIdentifier).join(', ');
    return new SqlFragment([{ text: `(${names}) values (` }, ...piecesBetween(lines, '), ('), { text: ')' }]);
  },
  set: (patch) => {
    const entries = Object.entries(patch);
    if (entries.length === 0) throw invalid('sql.set', 'takes at least one column');
    return joined(entries.map(([name, value]) => [{ text: `${quoteIdentifier(name)} = ` }, ...toPieces(value, name)]));
  },
  join: (fragments, separator) => {
    const between = separator === undefined ? ', ' : separator.text;
    if (separator && fragmentPieces(separator).some((piece) => 'value' in piece)) {
      throw invalid('sql.join', 'takes a separator without values');
    }
    return new SqlFragment(piecesBetween(fragments.map(piecesOfFragment), between));
  },
};

/**
 * Builds SQL: values become parameters and can never become SQL, and fragments stand inside fragments.
 * It sends nothing; `db.sql` is the tag that does.
 *
 * @example
 * const recent = sql`created_at > ${since}`;
 * const rows = await db.sql`select * from orders where ${recent} and sku in (${sql.list(skus)})`;
 */
export const sql: SqlBuilder = Object.assign(
  (strings: TemplateStringsArray, ...values: readonly SqlValue[]) => fragmentOf(strings, values),
  sqlParts,
);

/** JSON as a parameter. A NUL inside it is legal JSON that PostgreSQL cannot hold. */
export function jsonText(value: unknown): string {
  const text = encodeJSON(value, 'sql.json');
  if (/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i.test(text)) {
    throw invalid('sql.json', 'contains a NUL character or half of a surrogate pair, which PostgreSQL cannot hold');
  }
  return text;
}

function checkedPath(path: readonly string[]): readonly string[] {
  if (path.length === 0) throw invalid('sql.id', 'takes at least one name');
  return path;
}

function rowPieces(row: Readonly<Record<string, SqlValue>>, columns: readonly string[], index: number): SqlPiece[] {
  const names = Object.keys(row);
  if (names.length !== columns.length || !columns.every((column) => Object.hasOwn(row, column))) {
    throw new ValidationError('sql.values', [{ path: [index], message: 'has other columns than the first row' }]);
  }
  return piecesBetween(
    columns.map((column) => toPieces(row[column], `row ${index + 1}, column ${column}`)),
    ', ',
  );
}

function toPieces(value: unknown, where: string): readonly SqlPiece[] {
  return value instanceof SqlFragment ? fragmentPieces(value) : [{ value: encodeParameter(value, where) }];
}

function piecesOfFragment(fragment: unknown): readonly SqlPiece[] {
  if (fragment instanceof SqlFragment) return fragmentPieces(fragment);
  throw invalid('sql.join', 'takes fragments made by sql');
}

function joined(parts: readonly (readonly SqlPiece[])[]): SqlFragment {
  return new SqlFragment(piecesBetween(parts, ', '));
}

function piecesBetween(parts: readonly (readonly SqlPiece[])[], separator: string): SqlPiece[] {
  return parts.flatMap((pieces, index) => (index === 0 ? pieces : [{ text: separator }, ...pieces]));
}

function invalid(subject: string, message: string): ValidationError {
  return new ValidationError(subject, [{ path: [], message }]);
}

import { ConfigurationError } from '../../core/index.js';
import { encodeParameter } from './parameters.js';
import { fragmentPieces, SqlFragment, type SqlPiece } from './sql-fragment.js';
import { type Statement, StatementShape } from './statement.js';

/** The strings of a template are one object per place in the program, so they are the key. */
const templates: WeakMap<TemplateStringsArray, StatementShape> = new WeakMap();

/** A template with its values, ready to send. */
export function compileTemplate(strings: TemplateStringsArray, values: readonly unknown[]): Statement {
  if (values.some((value) => value instanceof SqlFragment)) return compileFragment(fragmentOf(strings, values));
  let shape = templates.get(strings);
  if (!shape) {
    assertTemplate(strings);
    shape = new StatementShape(strings.reduce((text, part, index) => `${text}$${index}${part}`));
    templates.set(strings, shape);
  }
  return { shape, values: values.map((value, index) => encodeParameter(value, `value ${index + 1}`)), fixed: true };
}

/** A fragment as a statement of its own. @throws ConfigurationError for anything else, such as the promise of a statement */
export function compileFragment(fragment: SqlFragment): Statement {
  if (!(fragment instanceof SqlFragment)) {
    throw new ConfigurationError(
      "A statement must be a text or made by the tag sql of '@safla/sdk/database': sql`select ...`, which sends nothing; db.sql`...` is sent at once",
      { field: 'query' },
    );
  }
  const values = fragmentPieces(fragment).flatMap((piece) => ('value' in piece ? [piece.value] : []));
  return { shape: new StatementShape(fragment.text), values, fixed: false };
}

/** A text with `$1`, `$2`, ... and its values. */
export function compileText(text: string, values: readonly unknown[]): Statement {
  const encoded = values.map((value, index) => encodeParameter(onlyValue(value), `value ${index + 1}`));
  return { shape: new StatementShape(text), values: encoded, fixed: false };
}

/** `sql.json(x)` and `sql.array(x)` are values of their own and can stand among the values of a text. */
function onlyValue(value: unknown): unknown {
  if (!(value instanceof SqlFragment)) return value;
  const [piece, ...more] = fragmentPieces(value);
  return piece && 'value' in piece && more.length === 0 ? piece.value : value;
}

/** The fragment that a template and its values make. */
export function fragmentOf(strings: TemplateStringsArray, values: readonly unknown[]): SqlFragment {
  assertTemplate(strings);
  const pieces: SqlPiece[] = [];
  strings.forEach((text, index) => {
    if (text !== '') pieces.push({ text });
    if (index >= values.length) return;
    const value = values[index];
    if (value instanceof SqlFragment) pieces.push(...fragmentPieces(value));
    else pieces.push({ value: encodeParameter(value, `value ${index + 1}`) });
  });
  return new SqlFragment(pieces);
}

/** `sql(text)` would make SQL of any text; only a template has `raw`. */
function assertTemplate(strings: unknown): void {
  if (Array.isArray(strings) && Array.isArray((strings as { raw?: unknown }).raw)) return;
  throw new ConfigurationError('sql is a tag: write sql`select ...`, or pass the text to query(text, values)', {
    field: 'sql',
  });
}

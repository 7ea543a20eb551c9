import { ValidationError } from '../core/index.js';

/** One value of a query parameter; `undefined` and `null` leave it out. */
export type QueryValue = string | number | bigint | boolean | Date | null | undefined;

/**
 * Parameters of a URL's query. An array or Set repeats its parameter (`tag=a&tag=b`), a Date is written
 * in ISO 8601. Properties of an object are sorted by name, since their order means nothing; entries of
 * a Map, a list of pairs and URLSearchParams keep theirs.
 */
export type Query =
  | Readonly<Record<string, QueryValue | readonly QueryValue[] | ReadonlySet<QueryValue>>>
  | Iterable<readonly [string, QueryValue | readonly QueryValue[]]>;

/**
 * Adds the parameters to `target`.
 *
 * @throws ValidationError for a value without a one way to write it, such as an object
 */
export function addQuery(target: URLSearchParams, query: Query): void {
  for (const [name, value] of entriesOf(query)) {
    const values = Array.isArray(value) || value instanceof Set ? [...value] : [value];
    for (const item of values as unknown[]) {
      if (item !== undefined && item !== null) target.append(name, textOf(item, name));
    }
  }
}

function entriesOf(query: unknown): Iterable<readonly [string, unknown]> {
  if (typeof query !== 'object' || query === null) throw refusal([], 'must be an object, a Map or URLSearchParams');
  if (Symbol.iterator in query) return query as Iterable<readonly [string, unknown]>;
  return Object.entries(query).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function textOf(value: unknown, name: string): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      if (Number.isFinite(value)) return String(value);
      break;
    case 'object':
      if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  }
  throw refusal([name], 'must be a text, finite number, bigint, boolean or valid date, or a list of them');
}

function refusal(path: readonly string[], message: string): ValidationError {
  return new ValidationError('query', [{ path, message }]);
}

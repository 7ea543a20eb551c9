import { ValidationError } from '../../core/index.js';
import type { EncodedValue } from './sql-fragment.js';

/**
 * A value in the form PostgreSQL reads. Nothing is guessed and nothing is changed: what has no single
 * meaning, or would arrive as something else, is refused.
 *
 * @param where The value as it reads in the error: `value 2`.
 * @throws ValidationError which never holds the value
 */
export function encodeParameter(value: unknown, where: string): EncodedValue {
  switch (typeof value) {
    case 'string':
      return checkedText(value, where);
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null) return null;
      if (value instanceof Uint8Array) return value;
      if (value instanceof Date) return encodeDate(value, where);
      return refuse(where, objectAdvice(value));
    case 'undefined':
      return refuse(where, 'is undefined; use null where NULL is meant');
    default:
      return refuse(where, `is a ${typeof value}, which SQL has no form for`);
  }
}

/** Texts without these, which are nearly all, need no closer look. */
const suspicious = /[\0\ud800-\udfff]/;

/** PostgreSQL has no NUL in text, and half a surrogate pair would arrive as U+FFFD. */
export function checkedText(text: string, where: string): string {
  if (!suspicious.test(text)) return text;
  if (text.includes('\0')) refuse(where, 'contains a NUL character, which PostgreSQL text cannot hold');
  if (/\p{Surrogate}/u.test(text)) refuse(where, 'contains half of a surrogate pair, which UTF-8 cannot hold');
  return text;
}

/** ISO 8601 in UTC, with years beyond 9999 and before 1 as PostgreSQL writes them. */
function encodeDate(date: Date, where: string): string {
  if (Number.isNaN(date.getTime())) refuse(where, 'is an invalid date');
  const iso = date.toISOString();
  const year = date.getUTCFullYear();
  if (year >= 1 && year <= 9999) return iso;
  const rest = iso.replace(/^[+-]?\d+/, '');
  return year > 9999 ? `${year}${rest}` : `${String(1 - year).padStart(4, '0')}${rest} BC`;
}

function objectAdvice(value: object): string {
  if (Array.isArray(value)) {
    return 'is an array; say which: sql.array(x) for a PostgreSQL array, sql.list(x) for IN, sql.json(x) for json';
  }
  if (typeof (value as { then?: unknown }).then === 'function') {
    return 'is a promise; await it, or use the exported sql for a part of a statement';
  }
  return 'is an object; use sql.json(x) for json and jsonb';
}

function refuse(where: string, problem: string): never {
  throw new ValidationError(where, [{ path: [], message: problem }]);
}

import type { TypeParsers } from './client.js';
import { loadDriver } from './driver.js';

/** How 64-bit integers arrive; see `PostgresDatabaseOptions.int8`. */
export type Int8Mode = 'number' | 'bigint';

type Parse = (text: string) => unknown;

const asText: Parse = (text) => text;

/** PostgreSQL's `pg_type.dat`: the types that are not read as `pg` would, each with its array type. */
const oid = {
  int8: [20, 1016],
  point: [600, 1017],
  circle: [718, 719],
  date: [1082, 1182],
  timestamp: [1114, 1115],
  interval: [1186, 1187],
  numeric: [1700, 1231],
} as const;

/** An array's text is the same for every element type that is separated by a comma. */
const textArray: number = 1009;

/**
 * How columns become values: exact, or as text. What has no exact form in JavaScript stays the text that
 * PostgreSQL wrote (`numeric`, `date`, `timestamp` without a zone, `interval`, geometry); the rest is as
 * in `pg`: `timestamptz` a Date, `json` and `jsonb` parsed, `bytea` a Buffer.
 */
export async function typeParsers(int8: Int8Mode): Promise<TypeParsers> {
  const { types } = await loadDriver();
  const parseTextArray = types.getTypeParser(textArray, 'text') as Parse;
  const own = new Map<number, Parse>();
  const readInt8 = int8 === 'bigint' ? BigInt : exactInteger;
  for (const [scalar, array] of Object.values(oid)) {
    const parse: Parse = scalar === oid.int8[0] ? readInt8 : asText;
    own.set(scalar, parse);
    own.set(array, (text) => eachElement(parseTextArray(text), parse));
  }
  return {
    getTypeParser(type, format) {
      return own.get(type) ?? (types.getTypeParser(type, format === 'binary' ? 'binary' : 'text') as Parse);
    },
  };
}

/** A number where a double holds the integer exactly, else a bigint: never a rounded value. */
function exactInteger(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function eachElement(value: unknown, parse: Parse): unknown {
  if (Array.isArray(value)) return value.map((item) => eachElement(item, parse));
  return value === null ? null : parse(value as string);
}

import {
  type FilterCondition,
  type FilterValue,
  isRecord,
  type MetadataFilter,
} from '../local/filter/metadata-filter.js';

/** The values of a statement; `add` gives the placeholder of one. */
export class Parameters {
  readonly values: unknown[] = [];

  add(value: unknown): string {
    return `$${this.values.push(value)}`;
  }
}

/**
 * A filter that was checked, as SQL over a `jsonb` column: the same items match as by the predicate.
 * Dates are the texts of ISO 8601 that JSON makes of them. Equality uses a GIN index of the column.
 */
export function filterSQL(filter: MetadataFilter, column: string, parameters: Parameters): string {
  const parts = Object.entries(filter).flatMap(([key, wanted]) => {
    if (wanted === undefined) return [];
    const inner = (part: unknown): string => filterSQL(part as MetadataFilter, column, parameters);
    if (key === '$not') return `not (${inner(wanted)})`;
    if (key === '$and') return joined((wanted as MetadataFilter[]).map(inner), 'and', 'true');
    if (key === '$or') return joined((wanted as MetadataFilter[]).map(inner), 'or', 'false');
    const condition = isRecord(wanted) ? (wanted as FilterCondition) : { $eq: wanted as FilterValue };
    return conditionSQL(key.split('.'), condition, column, parameters);
  });
  return joined(parts, 'and', 'true');
}

function conditionSQL(path: readonly string[], condition: FilterCondition, column: string, values: Parameters): string {
  const equal = (wanted: FilterValue): string => equalSQL(path, wanted, column, values);
  const anyOf = (all: readonly FilterValue[]): string => joined(all.map(equal), 'or', 'false');
  const parts = Object.entries(condition).map(([operator, operand]) => {
    switch (operator) {
      case '$eq':
        return equal(operand as FilterValue);
      case '$ne':
        return `not ${equal(operand as FilterValue)}`;
      case '$in':
        return anyOf(operand as readonly FilterValue[]);
      case '$nin':
        return `not ${anyOf(operand as readonly FilterValue[])}`;
      case '$exists':
        return `(${valueSQL(path, column, values)} is ${operand ? 'not ' : ''}null)`;
      default:
        return orderedSQL(path, comparisons[operator] as string, plain(operand as FilterValue), column, values);
    }
  });
  return joined(parts, 'and', 'true');
}

const comparisons: Readonly<Record<string, string>> = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' };

/** Containment: the value itself, or an array that has it. */
function equalSQL(path: readonly string[], wanted: FilterValue, column: string, values: Parameters): string {
  const value = plain(wanted);
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) return 'false';
  const nested = (leaf: unknown): string =>
    JSON.stringify(path.reduceRight<unknown>((inner, key) => Object.fromEntries([[key, inner]]), leaf));
  const contains = (leaf: unknown): string => `${column} @> ${values.add(nested(leaf))}::jsonb`;
  return `coalesce(${contains(value)} or ${contains([value])}, false)`;
}

/** Of the value or the elements of an array, those of the operand's type only. */
function orderedSQL(
  path: readonly string[],
  comparison: string,
  operand: string | number,
  column: string,
  values: Parameters,
): string {
  const value = valueSQL(path, column, values);
  const each = `jsonb_array_elements(case jsonb_typeof(${value}) when 'array' then ${value} else jsonb_build_array(${value}) end) as e(v)`;
  const text = `(e.v #>> '{}')`;
  const test =
    typeof operand === 'number'
      ? `jsonb_typeof(e.v) = 'number' and case jsonb_typeof(e.v) when 'number' then ${text}::numeric ${comparison} ${values.add(String(operand))}::numeric end`
      : `jsonb_typeof(e.v) = 'string' and ${text} collate "C" ${comparison} ${values.add(operand)}::text`;
  return `exists (select 1 from ${each} where ${test})`;
}

function valueSQL(path: readonly string[], column: string, values: Parameters): string {
  return path.reduce((object, key) => `${object} -> ${values.add(key)}::text`, column).replace(/^.* -> .*$/s, '($&)');
}

function plain(value: FilterValue): string | number {
  return (value instanceof Date ? value.toISOString() : value) as string | number;
}

function joined(parts: readonly string[], word: 'and' | 'or', none: string): string {
  return parts.length === 0 ? none : `(${parts.join(` ${word} `)})`;
}

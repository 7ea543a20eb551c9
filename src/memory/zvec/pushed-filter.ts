import {
  type FilterCondition,
  type FilterValue,
  isRecord,
  type MetadataFilter,
} from '../local/filter/metadata-filter.js';

/** The columns of metadata fields: the field's name and what its values are. */
export type FilterColumns = ReadonlyMap<string, { readonly column: string; readonly type: 'text' | 'number' }>;

/**
 * What of a filter zvec can apply while it searches, as its expression: no match is left out, others may
 * stay. Undefined when that is nothing.
 */
export function pushedFilter(filter: MetadataFilter, columns: FilterColumns): string | undefined {
  const parts = Object.entries(filter).flatMap(([key, wanted]) => {
    if (wanted === undefined || key === '$not') return [];
    const inner = (part: MetadataFilter): string | undefined => pushedFilter(part, columns);
    if (key === '$and') return (wanted as readonly MetadataFilter[]).flatMap((part) => inner(part) ?? []);
    if (key === '$or') {
      const any = (wanted as readonly MetadataFilter[]).map(inner);
      return any.length > 0 && any.every((part) => part !== undefined) ? `(${any.join(' or ')})` : [];
    }
    const field = columns.get(key);
    if (!field) return [];
    const condition = isRecord(wanted) ? (wanted as FilterCondition) : { $eq: wanted as FilterValue };
    return conditionParts(field.column, field.type, condition);
  });
  return parts.length === 0 ? undefined : `(${parts.join(' and ')})`;
}

const comparisons: Readonly<Record<string, string>> = { $eq: '=', $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' };

function conditionParts(column: string, type: 'text' | 'number', condition: FilterCondition): string[] {
  return Object.entries(condition).flatMap(([operator, operand]) => {
    if (operator === '$in') {
      const all = (operand as readonly FilterValue[]).map((value) => literal(value, type));
      return all.length > 0 && all.every((one) => one !== undefined)
        ? `(${all.map((one) => `${column} = ${one}`).join(' or ')})`
        : [];
    }
    const value = literal(operand as FilterValue, type);
    // Texts are ordered by the predicate: zvec's order of them is its own.
    const comparison = type === 'text' && operator !== '$eq' ? undefined : comparisons[operator];
    return comparison === undefined || value === undefined ? [] : `${column} ${comparison} ${value}`;
  });
}

/** Undefined for what cannot stand in an expression as it is. */
function literal(value: FilterValue, type: 'text' | 'number'): string | undefined {
  if (type === 'number') return typeof value === 'number' && Number.isFinite(value) ? decimal(value) : undefined;
  return typeof value === 'string' && /^[^'"\\\p{Cc}]*$/u.test(value) ? `'${value}'` : undefined;
}

/** Without an exponent where that is exact; undefined otherwise. */
function decimal(value: number): string | undefined {
  const text = String(value);
  return text.includes('e') ? undefined : text;
}

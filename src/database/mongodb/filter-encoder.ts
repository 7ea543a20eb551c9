import { Condition, type ConditionParts } from './condition.js';
import { DocumentEncoder, isPlain } from './document-encoder.js';
import { checkFieldPath, refuse } from './names.js';
import type { ObjectIds } from './object-ids.js';
import { trustedDocument } from './trusted-document.js';

type FieldCondition = Extract<ConditionParts, { on: 'field' }>;

/**
 * Writes a filter for the server. Operators come from `where` alone: in data, whoever it is from, a `$` is
 * refused, at any depth. So is `undefined`, which would match every document without the field.
 *
 * @throws ValidationError
 */
export function encodeFilter(
  filter: unknown,
  ids: ObjectIds,
  subject = 'filter',
  prefix = '',
): Record<string, unknown> {
  const parts = Condition.parts(filter);
  if (parts?.on === 'document') return documentCondition(parts, ids, subject, prefix);
  if (parts) refuse(subject, [], 'is a condition on a field; name the field: { field: where.gt(1) }');
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter) || !isPlain(filter)) {
    refuse(subject, [], 'must be an object of fields and values; {} means every document');
  }
  const out = Object.create(null) as Record<string, unknown>;
  for (const name of Object.keys(filter)) {
    checkFieldPath(name, subject);
    const field = prefix === '' ? name : `${prefix}.${name}`;
    out[name] = fieldValue((filter as Record<string, unknown>)[name], ids, subject, [name], field);
  }
  return out;
}

/** What a field is compared with. @throws ValidationError */
export function fieldValue(
  value: unknown,
  ids: ObjectIds,
  subject: string,
  path: readonly PropertyKey[],
  field: string,
): unknown {
  const parts = Condition.parts(value);
  if (parts?.on === 'document') refuse(subject, path, 'is a condition on documents; use it as the whole filter');
  if (parts) return fieldCondition(parts, ids, subject, path, withoutIndexes(field));
  return new DocumentEncoder(subject, ids).value(value, path, withoutIndexes(field));
}

function documentCondition(
  parts: Extract<ConditionParts, { on: 'document' }>,
  ids: ObjectIds,
  subject: string,
  prefix: string,
): Record<string, unknown> {
  if ('trusted' in parts) return trustedDocument(parts.trusted, subject);
  if (parts.filters.length === 0) refuse(subject, [parts.operator], 'has no filter');
  return { [parts.operator]: parts.filters.map((filter) => encodeFilter(filter, ids, subject, prefix)) };
}

function fieldCondition(
  parts: FieldCondition,
  ids: ObjectIds,
  subject: string,
  path: readonly PropertyKey[],
  field: string,
): Record<string, unknown> {
  if ('all' in parts) {
    const out: Record<string, unknown> = {};
    for (const condition of parts.all) {
      const inner = fieldValue(condition, ids, subject, path, field) as Record<string, unknown>;
      for (const [operator, value] of Object.entries(inner)) {
        if (operator in out) refuse(subject, path, `has two conditions of the kind ${operator}; use where.and`);
        out[operator] = value;
      }
    }
    return parts.negated ? { $not: out } : out;
  }
  if ('element' in parts) {
    const inner = Condition.parts(parts.element);
    const filter =
      inner?.on === 'field'
        ? fieldCondition(inner, ids, subject, path, field)
        : encodeFilter(parts.element, ids, subject, field);
    return { $elemMatch: filter };
  }
  return { [parts.operator]: operand(parts.operator, parts.value, ids, subject, path, field) };
}

function operand(
  operator: string,
  value: unknown,
  ids: ObjectIds,
  subject: string,
  path: readonly PropertyKey[],
  field: string,
): unknown {
  switch (operator) {
    case '$regex':
      return value instanceof RegExp ? value : refuse(subject, path, 'must be matched with a RegExp');
    case '$exists':
      return typeof value === 'boolean' ? value : refuse(subject, path, 'exists(true) or exists(false)');
    case '$size':
      return Number.isSafeInteger(value) ? value : refuse(subject, path, 'hasSize takes a whole number');
    case '$in':
    case '$nin':
    case '$all':
      if (!Array.isArray(value)) return refuse(subject, path, 'must be compared with an array of values');
      break;
  }
  return new DocumentEncoder(subject, ids).value(value, path, field);
}

/** `items.0.sku` belongs to the field `items.sku`. */
function withoutIndexes(field: string): string {
  return field.includes('.')
    ? field
        .split('.')
        .filter((part) => !/^(?:\d+|\$.*)$/.test(part))
        .join('.')
    : field;
}

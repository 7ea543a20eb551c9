import { hint } from '../../core/internal.js';
import { Condition } from './condition.js';
import { DocumentEncoder, isPlain } from './document-encoder.js';
import { fieldValue } from './filter-encoder.js';
import { checkFieldPath, refuse } from './names.js';
import type { ObjectIds } from './object-ids.js';
import { PushedValues } from './push.js';

const operators = [
  '$set',
  '$setOnInsert',
  '$unset',
  '$inc',
  '$mul',
  '$min',
  '$max',
  '$rename',
  '$currentDate',
  '$push',
  '$addToSet',
  '$pull',
  '$pullAll',
  '$pop',
];

const subject = 'update';

/** Writes an update for the server: known operators, fields, and data in which a `$` is refused. @throws ValidationError */
export function encodeUpdate(update: unknown, ids: ObjectIds): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [operator, fields] of entries(update, [])) {
    if (!operator.startsWith('$')) {
      refuse(subject, [operator], 'stands outside of an operator; write { $set: { ... } }, or use replaceOne');
    }
    if (!operators.includes(operator)) refuse(subject, [operator], `is no update operator${hint(operator, operators)}`);
    const written = Object.create(null) as Record<string, unknown>;
    for (const [field, value] of entries(fields, [operator])) {
      checkFieldPath(field, subject);
      written[field] = operand(operator, field, value, ids);
    }
    if (Object.keys(written).length === 0) refuse(subject, [operator], 'names no field');
    out[operator] = written;
  }
  if (Object.keys(out).length === 0) refuse(subject, [], 'has no operator; write { $set: { ... } }');
  return out;
}

function operand(operator: string, field: string, value: unknown, ids: ObjectIds): unknown {
  const path = [operator, field];
  const name = field
    .split('.')
    .filter((part) => !/^(?:\d+|\$.*)$/.test(part))
    .join('.');
  const encode = (data: unknown): unknown => new DocumentEncoder(subject, ids).value(data, path, name);
  const pushed = PushedValues.parts(value);
  if (pushed) {
    if (operator !== '$push' && operator !== '$addToSet') refuse(subject, path, 'push() is for $push and $addToSet');
    const { position, slice, sort } = pushed.options;
    const more = { $position: position, $slice: slice, $sort: sort };
    return {
      $each: encode(pushed.values),
      ...Object.fromEntries(Object.entries(more).filter(([, v]) => v !== undefined)),
    };
  }
  if (Condition.parts(value)) {
    if (operator !== '$pull') refuse(subject, path, 'conditions are for filters and $pull');
    return fieldValue(value, ids, subject, path, field);
  }
  if (operator === '$currentDate' && value !== true) refuse(subject, path, 'must be true');
  if (operator === '$rename') checkFieldPath(value, subject);
  return encode(value);
}

function entries(value: unknown, path: readonly PropertyKey[]): [string, unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && isPlain(value))
    return Object.entries(value);
  return refuse(subject, path, 'must be an object');
}

import { ValidationError } from '../../../core/index.js';

/** What a metadata value is compared with. */
export type FilterValue = string | number | boolean | null | Date;

/** Conditions on one field; all must hold. */
export interface FilterCondition {
  readonly $eq?: FilterValue;
  /** Also holds where the field is missing. */
  readonly $ne?: FilterValue;
  readonly $in?: readonly FilterValue[];
  /** Also holds where the field is missing. */
  readonly $nin?: readonly FilterValue[];
  /** Orders numbers, dates and strings (by code unit), each only among themselves. */
  readonly $gt?: FilterValue;
  readonly $gte?: FilterValue;
  readonly $lt?: FilterValue;
  readonly $lte?: FilterValue;
  readonly $exists?: boolean;
}

/**
 * Which metadata is wanted; all entries must hold. Keys are fields, with dots for nested ones; a plain
 * value means `$eq`. Where the metadata holds an array, a condition holds when it does for an element.
 *
 * @example { lang: 'en', 'author.age': { $gte: 18 }, $or: [{ tags: 'new' }, { stars: { $gt: 3 } }] }
 */
export interface MetadataFilter {
  readonly $and?: readonly MetadataFilter[];
  readonly $or?: readonly MetadataFilter[];
  readonly $not?: MetadataFilter;
  readonly [field: string]: FilterValue | FilterCondition | MetadataFilter | readonly MetadataFilter[] | undefined;
}

/** The predicate of a filter over the metadata of one item. */
export type MetadataTest = (metadata: Record<string, unknown> | undefined) => boolean;

type Test = (value: unknown) => boolean;
type Path = readonly PropertyKey[];

/** Far above what anybody writes, far below what the stack holds. */
const maxDepth = 64;

const operators: Record<string, (operand: unknown, path: Path) => Test> = {
  $eq: (operand, path) => some(equal(scalar(operand, path))),
  $ne: (operand, path) => not(some(equal(scalar(operand, path)))),
  $in: (operand, path) => anyOf(operand, path),
  $nin: (operand, path) => not(anyOf(operand, path)),
  $gt: (operand, path) => some(ordered(operand, path, (a, b) => a > b)),
  $gte: (operand, path) => some(ordered(operand, path, (a, b) => a >= b)),
  $lt: (operand, path) => some(ordered(operand, path, (a, b) => a < b)),
  $lte: (operand, path) => some(ordered(operand, path, (a, b) => a <= b)),
  $exists: (operand, path) => {
    if (typeof operand !== 'boolean') throw refuse(path, 'must be true or false');
    return (value) => (value !== undefined) === operand;
  },
};

/**
 * Makes the predicate of a filter.
 *
 * @throws ValidationError for an unknown operator, a value that cannot be compared, or a filter nested deeper than 64 keys
 */
export function compileFilter(filter: unknown, path: Path = []): MetadataTest {
  if (!isRecord(filter)) throw refuse(path, 'must be an object');
  if (path.length > maxDepth) throw refuse([], `is nested deeper than ${maxDepth} keys`);
  const tests = Object.entries(filter)
    .filter(([, wanted]) => wanted !== undefined)
    .map(([key, wanted]) => compileEntry(key, wanted, [...path, key]));
  return (metadata) => tests.every((test) => test(metadata));
}

function compileEntry(key: string, wanted: unknown, path: Path): MetadataTest {
  if (key === '$not') {
    const test = compileFilter(wanted, path);
    return (metadata) => !test(metadata);
  }
  if (key === '$and' || key === '$or') {
    const tests = list(wanted, path).map((part, index) => compileFilter(part, [...path, index]));
    if (key === '$and') return (metadata) => tests.every((test) => test(metadata));
    return (metadata) => tests.some((test) => test(metadata));
  }
  if (key.startsWith('$')) throw refuse(path, 'is not an operator between fields; known: $and, $or, $not');
  const test = compileCondition(wanted, path);
  const keys = key.split('.');
  return (metadata) => test(valueAt(metadata, keys));
}

function compileCondition(wanted: unknown, path: Path): Test {
  if (!isRecord(wanted)) return some(equal(scalar(wanted, path)));
  const tests = Object.entries(wanted).map(([name, operand]) => {
    const operator = Object.hasOwn(operators, name) ? operators[name] : undefined;
    if (!operator) throw refuse([...path, name], `is not an operator; known: ${Object.keys(operators).join(', ')}`);
    return operator(operand, [...path, name]);
  });
  return (value) => tests.every((test) => test(value));
}

/** The value of a nested field. */
export function valueAt(metadata: unknown, keys: readonly string[]): unknown {
  let value = metadata;
  for (const key of keys) value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

function some(test: Test): Test {
  return (value) => (Array.isArray(value) ? value.some(test) : test(value));
}

function not(test: Test): Test {
  return (value) => !test(value);
}

function anyOf(operand: unknown, path: Path): Test {
  const tests = list(operand, path).map((item, index) => equal(scalar(item, [...path, index])));
  return some((value) => tests.some((test) => test(value)));
}

function equal(wanted: FilterValue): Test {
  if (!(wanted instanceof Date)) return (value) => value === wanted;
  return (value) => value instanceof Date && value.getTime() === wanted.getTime();
}

/** Values of another type than the operand have no order with it. */
function ordered(operand: unknown, path: Path, compare: (a: number | string, b: number | string) => boolean): Test {
  const limit = scalar(operand, path);
  if (limit instanceof Date) return (value) => value instanceof Date && compare(value.getTime(), limit.getTime());
  if (typeof limit !== 'number' && typeof limit !== 'string') throw refuse(path, 'must be a number, text or date');
  return (value) => typeof value === typeof limit && compare(value as number | string, limit);
}

function scalar(value: unknown, path: Path): FilterValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && !Number.isNaN(value)) return value;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value;
  throw refuse(path, 'must be a text, number, boolean, date or null');
}

function list(value: unknown, path: Path): readonly unknown[] {
  if (!Array.isArray(value)) throw refuse(path, 'must be an array');
  return value;
}

/** An object whose keys are fields or operators. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function refuse(path: Path, message: string): ValidationError {
  return new ValidationError('filter', [{ path, message }]);
}

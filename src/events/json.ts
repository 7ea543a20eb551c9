import { ValidationError } from '../core/index.js';

/**
 * `JSON.stringify` that refuses what it would change or lose in silence: `undefined` where a value is
 * needed, functions, symbols, BigInt, NaN and infinities, Map and Set, cycles. Optional properties
 * that are `undefined` are left out, as JSON does. Objects with `toJSON` speak for themselves.
 *
 * @param subject What is encoded, as it reads in the error: `event on orders`.
 * @throws ValidationError with the path of the value
 */
export function encodeJson(value: unknown, subject: string): string {
  try {
    assertJson(value, [], new Set(), subject);
    const text: string | undefined = JSON.stringify(value);
    return text ?? refuse([], 'has a toJSON that gives undefined', subject);
  } catch (error) {
    if (error instanceof ValidationError) throw error;
    const message = error instanceof RangeError ? 'is nested too deep for JSON' : 'cannot be written as JSON';
    throw new ValidationError(subject, [{ path: [], message }], { cause: error });
  }
}

function assertJson(value: unknown, path: PropertyKey[], parents: Set<object>, subject: string): void {
  if (typeof value === 'object' && value !== null) {
    if (parents.has(value)) refuse(path, 'refers to itself', subject);
    if (value instanceof Map || value instanceof Set) refuse(path, 'is a Map or Set', subject);
    if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return;
    parents.add(value);
    if (Array.isArray(value)) assertItems(value, path, parents, subject);
    else assertProperties(value as Record<string, unknown>, path, parents, subject);
    parents.delete(value);
    return;
  }
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuse(path, `is ${value}`, subject);
    return;
  }
  refuse(path, `is ${value === undefined ? 'undefined' : `a ${typeof value}`}`, subject);
}

function assertItems(items: unknown[], path: PropertyKey[], parents: Set<object>, subject: string): void {
  for (let index = 0; index < items.length; index++) {
    path.push(index);
    assertJson(items[index], path, parents, subject);
    path.pop();
  }
}

function assertProperties(
  record: Record<string, unknown>,
  path: PropertyKey[],
  parents: Set<object>,
  subject: string,
): void {
  for (const key of Object.keys(record)) {
    const item = record[key];
    if (item === undefined) continue;
    path.push(key);
    assertJson(item, path, parents, subject);
    path.pop();
  }
}

function refuse(path: readonly PropertyKey[], what: string, subject: string): never {
  throw new ValidationError(subject, [{ path: [...path], message: `${what}, which JSON cannot carry` }]);
}

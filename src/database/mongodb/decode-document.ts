import type { ObjectIds } from './object-ids.js';

/** What the driver gives for 64-bit integers that a number would round, and for object ids. */
interface DriverValue {
  readonly _bsontype?: unknown;
  toBigInt?(): bigint;
  toHexString?(): string;
}

/**
 * A document as the host sees it: 64-bit integers exact (a bigint where a number would be rounded), declared
 * object ids as texts. The rest is as the driver gives it. Changes the document, which nobody else holds.
 */
export function decodeDocument<T>(document: T, ids: ObjectIds): T {
  return decode(document, ids, '') as T;
}

function decode(value: unknown, ids: ObjectIds, field: string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) value[index] = decode(value[index], ids, field);
    return value;
  }
  const driver = value as DriverValue;
  switch (driver._bsontype) {
    case undefined:
      break;
    case 'Long':
      return driver.toBigInt?.();
    case 'ObjectId':
      return ids.has(field) ? driver.toHexString?.() : value;
    default:
      return value;
  }
  if (value instanceof Date || ArrayBuffer.isView(value)) return value;
  const document = value as Record<string, unknown>;
  for (const name of Object.keys(document)) {
    const member = document[name];
    if (typeof member !== 'object' || member === null) continue;
    const decoded = decode(member, ids, field === '' ? name : `${field}.${name}`);
    if (decoded !== member) document[name] = decoded;
  }
  return document;
}

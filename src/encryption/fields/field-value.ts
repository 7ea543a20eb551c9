import { invalid } from '../bytes.js';
import { DecryptError } from '../decrypt-error.js';

/** An object with this key stands for a value that JSON does not have. */
const mark = '$';
const maxDepth = 100;

/**
 * JSON that keeps types: what JSON lacks stands as `{"$": kind, "v": value}`, and an object that has a
 * key `$` of its own as kind `object`.
 *
 * @throws ValidationError with the path of what cannot be kept: functions, symbols, class instances, cycles
 */
export function encodeFieldValue(value: unknown, path: string): string {
  return JSON.stringify(encode(value, path, 0));
}

/** @throws DecryptError when it is not what {@link encodeFieldValue} writes: it was sealed as something else */
export function decodeFieldValue(text: string): unknown {
  try {
    return decode(JSON.parse(text));
  } catch {
    throw new DecryptError('the field');
  }
}

function encode(value: unknown, path: string, depth: number): unknown {
  if (depth > maxDepth) throw invalid(path, `is nested deeper than ${maxDepth} levels, or in a cycle`);
  const inner = (member: unknown): unknown => encode(member, path, depth + 1);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : tagged('number', Object.is(value, -0) ? '-0' : String(value));
  }
  if (value === undefined) return tagged('undefined');
  if (typeof value === 'bigint') return tagged('bigint', String(value));
  if (typeof value !== 'object') throw invalid(path, `holds a ${typeof value}, which cannot be sealed`);
  if (value instanceof Date) return tagged('date', inner(value.getTime()));
  if (Buffer.isBuffer(value)) return tagged('buffer', value.toString('base64url'));
  if (Array.isArray(value)) return Array.from(value, inner);
  if (value instanceof Map)
    return tagged(
      'map',
      Array.from(value, ([key, member]) => [inner(key), inner(member)]),
    );
  if (value instanceof Set) return tagged('set', Array.from(value, inner));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Uint8Array.prototype)
    return tagged('bytes', Buffer.from(value as Uint8Array).toString('base64url'));
  if (prototype !== Object.prototype && prototype !== null) {
    throw invalid(path, 'holds an instance of a class, which would not be one when opened; seal a plain value');
  }
  const entries = Object.entries(value).map(([key, member]): [string, unknown] => [key, inner(member)]);
  const plain = Object.fromEntries(entries);
  return Object.hasOwn(value, mark) ? tagged('object', plain) : plain;
}

function tagged(kind: string, value?: unknown): unknown {
  return value === undefined ? { [mark]: kind } : { [mark]: kind, v: value };
}

function decode(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(decode);
  if (Object.hasOwn(value, mark)) return decodeTagged(value as { readonly [mark]: unknown; readonly v?: unknown });
  return members(value);
}

function decodeTagged({ [mark]: kind, v }: { readonly [mark]: unknown; readonly v?: unknown }): unknown {
  switch (kind) {
    case 'undefined':
      return undefined;
    case 'number':
      return Number(v);
    case 'bigint':
      return BigInt(v as string);
    case 'date':
      return new Date(decode(v) as number);
    case 'buffer':
      return Buffer.from(v as string, 'base64url');
    case 'bytes':
      return new Uint8Array(Buffer.from(v as string, 'base64url'));
    case 'map':
      return new Map((v as [unknown, unknown][]).map(([key, member]) => [decode(key), decode(member)]));
    case 'set':
      return new Set((v as unknown[]).map(decode));
    case 'object':
      return members(v as object);
    default:
      throw new DecryptError('the field');
  }
}

/** Defined, not assigned: a key `__proto__` is a key like any other. */
function members(value: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, decode(member)]));
}

import { checkFieldName, checkText, refuse } from './names.js';
import type { ObjectIds } from './object-ids.js';

/** MongoDB Manual, "MongoDB Limits": nesting, and the size of a document in bytes. */
const maxDepth = 100;
const maxBytes = 16 * 1024 * 1024;
const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

/**
 * Makes a copy of data that MongoDB stores exactly as it is, or refuses it: an operator, an `undefined`, a
 * cycle, a function or a number that does not fit would otherwise change its meaning or its shape on the way.
 * The caller's objects are never changed.
 */
export class DocumentEncoder {
  readonly #subject: string;
  readonly #ids: ObjectIds;
  readonly #above: object[] = [];
  /** What the data takes at the least; the server counts a little more. */
  #bytes = 0;

  constructor(subject: string, ids: ObjectIds) {
    this.#subject = subject;
    this.#ids = ids;
  }

  /** A whole document. @throws ValidationError */
  document(value: unknown): Record<string, unknown> {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !isPlain(value)) {
      refuse(this.#subject, [], 'must be an object');
    }
    return this.#object(value, [], '');
  }

  /**
   * One value.
   *
   * @param path where it stands, for messages
   * @param field the field it belongs to, names joined by dots, indexes left out
   * @throws ValidationError
   */
  value(value: unknown, path: readonly PropertyKey[], field: string): unknown {
    this.#count(8, path);
    switch (typeof value) {
      case 'string':
        checkText(value, this.#subject, path);
        this.#count(value.length, path);
        return this.#ids.has(field) ? this.#ids.parse(value, this.#subject, path) : value;
      case 'number':
      case 'boolean':
        return value;
      case 'bigint':
        if (value >= int64.min && value <= int64.max) return value;
        return refuse(this.#subject, path, 'is an integer of more than 64 bits; store it as a text or a Decimal128');
      case 'undefined':
        return refuse(this.#subject, path, 'is undefined; leave it out, or use null where null is meant');
      case 'object':
        return value === null ? null : this.#container(value, path, field);
      default:
        return refuse(this.#subject, path, `is a ${typeof value}, which cannot be stored`);
    }
  }

  #container(value: object, path: readonly PropertyKey[], field: string): unknown {
    if (Array.isArray(value)) {
      return this.#within(value, path, () =>
        Array.from(value as unknown[], (item, index) => this.value(item, [...path, index], field)),
      );
    }
    if (value instanceof Date) {
      return Number.isNaN(value.getTime()) ? refuse(this.#subject, path, 'is an invalid date') : value;
    }
    if (value instanceof Uint8Array) {
      this.#count(value.byteLength, path);
      return value;
    }
    if (value instanceof RegExp || isDriverType(value)) return value;
    if (!isPlain(value)) {
      refuse(this.#subject, path, 'is of a type that cannot be stored; make it a plain object, an array or a text');
    }
    return this.#object(value, path, field);
  }

  #object(value: object, path: readonly PropertyKey[], field: string): Record<string, unknown> {
    return this.#within(value, path, () => {
      // Without a prototype, so that a field may be named __proto__.
      const out = Object.create(null) as Record<string, unknown>;
      for (const name of Object.keys(value)) {
        const at = [...path, name];
        checkFieldName(name, this.#subject, at);
        this.#count(name.length, path);
        const inner = field === '' ? name : `${field}.${name}`;
        out[name] = this.value((value as Record<string, unknown>)[name], at, inner);
      }
      return out;
    });
  }

  #within<T>(value: object, path: readonly PropertyKey[], work: () => T): T {
    if (this.#above.includes(value)) refuse(this.#subject, path, 'contains itself');
    if (this.#above.length >= maxDepth) refuse(this.#subject, path.slice(0, 3), 'is nested deeper than 100 levels');
    this.#above.push(value);
    const out = work();
    this.#above.pop();
    return out;
  }

  #count(bytes: number, path: readonly PropertyKey[]): void {
    this.#bytes += bytes;
    if (this.#bytes > maxBytes)
      refuse(this.#subject, path.slice(0, 3), 'makes it larger than 16 MiB; keep files elsewhere');
  }
}

/** Objects of literals and of classes, not the built-ins that keep their content elsewhere. */
export function isPlain(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Object]';
}

/** An ObjectId, Decimal128, ... of the driver. JSON cannot make one: the mark is on its class. */
export function isDriverType(value: object): boolean {
  return '_bsontype' in value && !Object.hasOwn(value, '_bsontype') && typeof value._bsontype === 'string';
}

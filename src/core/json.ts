import { ValidationError } from './errors/validation-error.js';

/** Built-ins, by their tag, that JSON would turn into `{}` or into an object of indexes. */
const opaque =
  /^(?:(?:Weak)?(?:Map|Set)|WeakRef|RegExp|Error|DOMException|Promise|(?:Shared)?ArrayBuffer|DataView|\w+\d+(?:Clamped)?Array|URLSearchParams|FormData|Headers|Blob|File|ReadableStream|(?:Async)?Generator|\w+ Iterator)$/;

/**
 * `JSON.stringify` that refuses what it would change or lose in silence: `undefined` where a value is
 * needed, functions, symbols, BigInt, NaN and infinities, invalid dates, cycles, and built-ins that hold
 * their content elsewhere (Map, Set, RegExp, Error, Promise, bytes, forms). Properties that are
 * `undefined` are left out, as JSON does. What a `toJSON` gives is encoded in its object's place.
 *
 * @param subject What is encoded, as it reads in the error: `event on orders`.
 * @throws ValidationError with the path of the value, never the value
 */
export function encodeJSON(value: unknown, subject: string): string {
  try {
    // First, since it ends on cycles.
    const text = JSON.stringify(value);
    if (isPlain(value)) return text;
  } catch {
    // Told below, with its place.
  }
  try {
    new Inspection(subject).value(value, '');
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof ValidationError) throw error;
    const message = error instanceof RangeError ? 'is nested too deep for JSON' : 'cannot be written as JSON';
    throw new ValidationError(subject, [{ path: [], message }], { cause: error });
  }
}

/** True for what JSON carries as it is: the inspection would cost as much again as writing the text. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return !('toJSON' in value) && allPlain(value);
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  // Unlike `Object.keys` this makes no list; what stands on a prototype only leads to the inspection.
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key];
    if (member !== undefined && !isPlain(member)) return false;
  }
  return true;
}

/** Holes count as undefined, unlike for `every`. */
function allPlain(values: readonly unknown[]): boolean {
  for (let index = 0; index < values.length; index++) if (!isPlain(values[index])) return false;
  return true;
}

class Inspection {
  readonly #subject: string;
  readonly #path: PropertyKey[] = [];
  readonly #parents: Set<object> = new Set();

  constructor(subject: string) {
    this.#subject = subject;
  }

  value(given: unknown, key: string): void {
    const value = this.#formOf(given, key);
    if (typeof value === 'object' && value !== null) {
      if (this.#parents.has(value)) this.#refuse('refers to itself');
      this.#parents.add(value);
      this.#members(value);
      this.#parents.delete(value);
    } else if (typeof value === 'number') {
      if (!Number.isFinite(value)) this.#refuse(`is ${value}`);
    } else if (typeof value !== 'string' && typeof value !== 'boolean' && value !== null) {
      this.#refuse(`is ${value === undefined ? 'undefined' : `a ${typeof value}`}`);
    }
  }

  /** What JSON takes in the place of a value. It asks once, so a form may be the object itself. */
  #formOf(value: unknown, key: string): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof Date && Number.isNaN(value.getTime())) this.#refuse('is an invalid date');
    const { toJSON } = value as { toJSON?: unknown };
    return typeof toJSON === 'function' ? toJSON.call(value, key) : value;
  }

  #members(value: object): void {
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) this.#member(value[index], index);
      return;
    }
    const kind = kindOf(value);
    if (opaque.test(kind)) this.#refuse(`is a ${kind}`);
    for (const key of Object.keys(value)) {
      const item = (value as Record<string, unknown>)[key];
      if (item !== undefined) this.#member(item, key);
    }
  }

  #member(value: unknown, key: string | number): void {
    this.#path.push(key);
    this.value(value, String(key));
    this.#path.pop();
  }

  #refuse(what: string): never {
    const message = `${what}, which JSON cannot carry`;
    throw new ValidationError(this.#subject, [{ path: [...this.#path], message }]);
  }
}

/** By its tag, which also built-ins of another realm have. */
function kindOf(value: object): string {
  return value instanceof Error ? 'Error' : Object.prototype.toString.call(value).slice('[object '.length, -1);
}

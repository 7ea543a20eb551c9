import type { FilterValue } from './metadata-filter.js';

/** What can stand in an index. */
type Key = string | number | boolean | null;

/** Which values of a field are wanted: all between two bounds of one type. */
export interface Range {
  readonly least?: number | string | Date;
  readonly most?: number | string | Date;
}

/** With more new keys than this, sorting all at once costs less than placing each. */
const placedOneByOne = 64;

/** The rows of each value of one metadata field. Dates and other values are kept apart. */
export class FieldIndex {
  readonly #plain: SortedPostings<Key> = new SortedPostings();
  readonly #dates: SortedPostings<number> = new SortedPostings();
  #severalValues = false;

  /** Whether a row ever had an array here: then it can stand under several values. */
  get severalValues(): boolean {
    return this.#severalValues;
  }

  add(row: number, value: unknown): void {
    for (const one of this.#valuesOf(value)) this.#change(one, (postings, key) => postings.add(key, row));
  }

  remove(row: number, value: unknown): void {
    for (const one of this.#valuesOf(value)) this.#change(one, (postings, key) => postings.remove(key, row));
  }

  /** The rows whose value, or an element of it, equals `value`. */
  equal(value: FilterValue): readonly ReadonlySet<number>[] {
    const rows = value instanceof Date ? this.#dates.get(value.getTime()) : this.#plain.get(value);
    return rows ? [rows] : [];
  }

  /** The rows with a value in the range, ends included. */
  between({ least, most }: Range): readonly ReadonlySet<number>[] {
    const bound = least ?? most;
    if (bound instanceof Date) return this.#dates.between(timeOf(least), timeOf(most), isNumber);
    const isSame = typeof bound === 'number' ? isNumber : isText;
    return this.#plain.between(least as Key | undefined, most as Key | undefined, isSame);
  }

  #valuesOf(value: unknown): readonly unknown[] {
    if (!Array.isArray(value)) return [value];
    this.#severalValues = true;
    return value;
  }

  #change(value: unknown, change: (postings: SortedPostings<Key>, key: Key) => void): void {
    if (value instanceof Date) change(this.#dates as SortedPostings<Key>, value.getTime());
    else if (isKey(value)) change(this.#plain, value);
  }
}

/** Rows by key, and the keys in order. */
class SortedPostings<K extends Key> {
  readonly #rows: Map<K, Set<number>> = new Map();
  /** May hold keys that have no rows any more. */
  #sorted: K[] = [];
  #unsorted: K[] = [];

  get(key: Key): ReadonlySet<number> | undefined {
    return this.#rows.get(key as K);
  }

  add(key: K, row: number): void {
    const rows = this.#rows.get(key);
    if (rows) rows.add(row);
    else {
      this.#rows.set(key, new Set([row]));
      this.#unsorted.push(key);
    }
  }

  remove(key: K, row: number): void {
    const rows = this.#rows.get(key);
    rows?.delete(row);
    if (rows?.size === 0) this.#rows.delete(key);
  }

  between(least: K | undefined, most: K | undefined, wanted: (key: Key) => boolean): ReadonlySet<number>[] {
    this.#sort();
    const found: ReadonlySet<number>[] = [];
    const from = least === undefined ? 0 : this.#place(least);
    for (let at = from; at < this.#sorted.length; at++) {
      const key = this.#sorted[at] as K;
      if (!wanted(key)) {
        // Keys of one type stand together: after the wanted ones come none any more.
        if (found.length > 0 || least !== undefined) break;
        continue;
      }
      if (most !== undefined && order(key, most) > 0) break;
      const rows = this.#rows.get(key);
      if (rows) found.push(rows);
    }
    return found;
  }

  #sort(): void {
    if (this.#unsorted.length === 0) return;
    if (this.#unsorted.length > placedOneByOne) {
      const keys = new Set([...this.#sorted, ...this.#unsorted]);
      this.#sorted = [...keys].filter((key) => this.#rows.has(key)).sort(order);
    } else {
      for (const key of this.#unsorted) {
        const place = this.#place(key);
        if (this.#sorted[place] !== key) this.#sorted.splice(place, 0, key);
      }
    }
    this.#unsorted = [];
  }

  /** Where `key` stands or would stand. */
  #place(key: K): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (order(this.#sorted[middle] as K, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const ranks: Readonly<Record<string, number>> = { boolean: 0, object: 1, number: 2, string: 3 };

/** By type, then as the filter's operators order. */
function order(a: Key, b: Key): number {
  const types = (ranks[typeof a] ?? 0) - (ranks[typeof b] ?? 0);
  if (types !== 0 || a === b || a === null || b === null) return types;
  return a < b ? -1 : 1;
}

function isKey(value: unknown): value is Key {
  if (typeof value === 'number') return !Number.isNaN(value);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}

function isNumber(key: Key): boolean {
  return typeof key === 'number';
}

function isText(key: Key): boolean {
  return typeof key === 'string';
}

function timeOf(value: number | string | Date | undefined): number | undefined {
  return value instanceof Date ? value.getTime() : undefined;
}

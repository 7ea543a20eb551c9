import { ValidationError } from '../core/index.js';
import { requireOneOf } from './checks.js';
import { at } from './numeric.js';
import { checkNumber, type ParsedNumber, parseNumber } from './parse-number.js';

/** A value with the moment it was taken at. */
export interface TimePoint {
  /** Moments that can be compared (numbers, dates, ISO 8601 texts) must rise; other labels are not looked at. */
  readonly time: string | number | Date;
  /** `null` where it was not taken. */
  readonly value: number | null;
}

/**
 * A series as it may be handed to any function of this module: numbers, points, or text holding a
 * JSON array of either, or decimal numbers separated by commas or line ends.
 */
export type SeriesInput = string | readonly (number | null | undefined)[] | readonly TimePoint[];

/** How a series is read, by every function of this module. */
export interface SeriesOptions {
  /**
   * What becomes of values that are missing (`null`, `undefined`, `NaN`, an empty item of a text):
   * `refuse` names the first one in an error; `omit` closes the gap, which is right for figures that do not
   * look at the order; `interpolate` puts the straight line between the neighbours into it, the nearest
   * value at the ends. A note says how many there were. @default 'refuse'
   */
  readonly missing?: 'refuse' | 'omit' | 'interpolate';
  /** What becomes of points that are not in the order of time. Equal times are always refused. @default 'refuse' */
  readonly unsorted?: 'refuse' | 'sort';
}

export const seriesOptionNames: readonly string[] = ['missing', 'unsorted'];

/** A series with what was done to read it. */
export interface ReadSeries {
  readonly values: number[];
  readonly notes: readonly string[];
}

/**
 * Reads a series of equally spaced values. Blank lines are skipped; an empty item between two commas
 * is a missing value.
 *
 * @throws ValidationError for an empty series, at the first element that is not a finite number, and at
 * the first time that does not come after the one before: the message and `issues[0].path` give its
 * position, counted from 1 (with the line where the text has several).
 *
 * @example
 * parseSeries('[1, 2.5, 3]');            // [1, 2.5, 3]
 * parseSeries('1, 2.5\n3');              // [1, 2.5, 3]
 * parseSeries('1,,3', { missing: 'interpolate' }); // [1, 2, 3]
 * parseSeries([{ time: '2024-01', value: 7 }]); // [7]
 */
export function parseSeries(input: SeriesInput, options: SeriesOptions = {}): number[] {
  return readSeries(input, options).values;
}

/** {@link parseSeries} with notes on missing values. */
export function readSeries(input: SeriesInput, options: SeriesOptions = {}): ReadSeries {
  const { missing = 'refuse', unsorted = 'refuse' } = options;
  requireOneOf('series', 'missing', missing, ['refuse', 'omit', 'interpolate']);
  requireOneOf('series', 'unsorted', unsorted, ['refuse', 'sort']);
  const isGap = missing === 'refuse' ? (): boolean => false : isMissing;
  const values = typeof input === 'string' ? fromText(input, isGap, unsorted) : fromList(input, isGap, unsorted);
  const gaps = values.reduce((count, value) => (Number.isNaN(value) ? count + 1 : count), 0);
  if (values.length === gaps) throw invalid([], 'expected at least one number, found none');
  if (gaps === 0) return { values, notes: [] };
  const found = `${gaps} of ${values.length} values ${gaps === 1 ? 'is' : 'are'} missing`;
  if (missing === 'omit') {
    return { values: values.filter((value) => !Number.isNaN(value)), notes: [`${found}: left out.`] };
  }
  interpolate(values);
  return { values, notes: [`${found}: filled by straight lines between their neighbours.`] };
}

type IsGap = (item: unknown) => boolean;

function isMissing(item: unknown): boolean {
  return item === null || item === undefined || Number.isNaN(item) || (typeof item === 'string' && item.trim() === '');
}

function fromText(text: string, isGap: IsGap, unsorted: 'refuse' | 'sort'): number[] {
  const body = text.replace(/^\uFEFF/, '').trim();
  if (!body.startsWith('[')) return fromSeparated(body, isGap);
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (cause) {
    throw invalid([], 'starts like a JSON array but is not valid JSON', cause);
  }
  return fromList(parsed, isGap, unsorted);
}

function fromSeparated(text: string, isGap: IsGap): number[] {
  const lines = text.split(/\r\n|\n|\r/);
  const values: number[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    for (const item of line.split(',')) {
      const position = (): string => `item ${values.length + 1}${lines.length > 1 ? ` (line ${index + 1})` : ''}`;
      values.push(isGap(item) ? Number.NaN : required(position, parseNumber(item)));
    }
  }
  return values;
}

function fromList(list: unknown, isGap: IsGap, unsorted: 'refuse' | 'sort'): number[] {
  if (!Array.isArray(list) && !(list instanceof Float64Array)) {
    throw invalid([], 'expected an array or text of numbers');
  }
  const items = inOrder(list as readonly unknown[], unsorted);
  return Array.from(items, (item: unknown, index) => {
    const value = unwrapped(item);
    return isGap(value) ? Number.NaN : required(() => `item ${index + 1}`, checkNumber(value));
  });
}

function unwrapped(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'value' in item ? item.value : item;
}

/** The points in the order of their times. Lists without times that can be compared stay as they are. */
function inOrder(list: readonly unknown[], unsorted: 'refuse' | 'sort'): readonly unknown[] {
  if (typeof list[0] !== 'object') return list;
  const moments = list.map(momentOf);
  if (moments.some(Number.isNaN)) return list;
  let order = moments.map((_, index) => index);
  if (unsorted === 'sort') order = order.sort((a, b) => at(moments, a) - at(moments, b));
  for (let k = 1; k < order.length; k++) {
    const step = at(moments, order[k] ?? 0) - at(moments, order[k - 1] ?? 0);
    if (step > 0) continue;
    throw invalid(
      [`item ${(order[k] ?? 0) + 1}`],
      step === 0
        ? `expected one value for each time, found a second one (after item ${(order[k - 1] ?? 0) + 1})`
        : "expected a time after the one before; { unsorted: 'sort' } puts them in order",
    );
  }
  return order.map((index) => list[index]);
}

/** Milliseconds or the number given; NaN for labels that cannot be compared. */
function momentOf(item: unknown): number {
  const time: unknown = typeof item === 'object' && item !== null && 'time' in item ? item.time : undefined;
  if (typeof time === 'number') return time;
  if (time instanceof Date) return time.getTime();
  return typeof time === 'string' && /^\d{4}-\d\d/.test(time) ? Date.parse(time) : Number.NaN;
}

/** Fills the runs of NaN in place. At least one value is a number. */
function interpolate(values: number[]): void {
  for (let from = -1, i = 0; i <= values.length; i++) {
    if (i < values.length && Number.isNaN(values[i])) continue;
    const left = values[from];
    const right = values[i];
    for (let k = from + 1; k < i; k++) {
      const share = (k - from) / (i - from);
      values[k] = left === undefined || right === undefined ? (left ?? right ?? 0) : left * (1 - share) + right * share;
    }
    from = i;
  }
}

function required(position: () => string, parsed: ParsedNumber): number {
  if ('value' in parsed) return parsed.value;
  throw invalid([position()], `expected a finite number, found ${parsed.problem}`);
}

function invalid(path: readonly string[], message: string, cause?: unknown): ValidationError {
  return new ValidationError('series', [{ path, message }], { cause });
}

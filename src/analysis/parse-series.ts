import { ValidationError } from '../core/index.js';
import { checkNumber, type ParsedNumber, parseNumber } from './parse-number.js';

/** A value with the moment it was taken at. Points are used in the order given; `time` is not sorted by. */
export interface TimePoint {
  readonly time: string | number | Date;
  readonly value: number;
}

/**
 * A series as it may be handed to any function of this module: numbers, points, or text holding a
 * JSON array of either, or decimal numbers separated by commas or line ends.
 */
export type SeriesInput = string | readonly number[] | readonly TimePoint[];

/**
 * Reads a series of equally spaced values. Blank lines are skipped; an empty item between two commas
 * is not.
 *
 * @throws ValidationError for an empty series, and at the first element that is not a finite number:
 * the message and `issues[0].path` give its position, counted from 1 (with the line where the text
 * has several).
 *
 * @example
 * parseSeries('[1, 2.5, 3]');            // [1, 2.5, 3]
 * parseSeries('1, 2.5\n3');              // [1, 2.5, 3]
 * parseSeries([{ time: '2024-01', value: 7 }]); // [7]
 */
export function parseSeries(input: SeriesInput): number[] {
  const values = typeof input === 'string' ? fromText(input) : fromList(input);
  if (values.length === 0) throw invalid([], 'expected at least one number, found none');
  return values;
}

function fromText(text: string): number[] {
  const body = text.replace(/^\uFEFF/, '').trim();
  if (!body.startsWith('[')) return fromSeparated(body);
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (cause) {
    throw invalid([], 'starts like a JSON array but is not valid JSON', cause);
  }
  return fromList(parsed as readonly unknown[]);
}

function fromSeparated(text: string): number[] {
  const lines = text.split(/\r\n|\n|\r/);
  const values: number[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    for (const item of line.split(',')) {
      const position = `item ${values.length + 1}${lines.length > 1 ? ` (line ${index + 1})` : ''}`;
      values.push(required(position, parseNumber(item)));
    }
  }
  return values;
}

function fromList(list: unknown): number[] {
  if (!Array.isArray(list)) throw invalid([], 'expected an array or text of numbers');
  return Array.from(list, (item: unknown, index) => required(`item ${index + 1}`, checkNumber(unwrapped(item))));
}

function unwrapped(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'value' in item ? item.value : item;
}

function required(position: string, parsed: ParsedNumber): number {
  if ('value' in parsed) return parsed.value;
  throw invalid([position], `expected a finite number, found ${parsed.problem}`);
}

function invalid(path: readonly string[], message: string, cause?: unknown): ValidationError {
  return new ValidationError('series', [{ path, message }], { cause });
}

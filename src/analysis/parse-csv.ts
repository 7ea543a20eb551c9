import { ValidationError, type ValidationIssue } from '../core/index.js';
import { parseNumber } from './parse-number.js';

/** A series read from a file of `date,value` lines. */
export interface CSVSeries {
  /** The first column as written, one entry per value. */
  readonly time: string[];
  readonly values: number[];
  /** The header of the value column; `value` for a file without header. */
  readonly name: string;
}

/** Settings of {@link parseCSV}. */
export interface CSVOptions {
  /** What error messages call the text. @default 'input' */
  readonly file?: string;
}

/** So that a wrong kind of file does not make an error as large as itself. */
const maxIssues = 100;

/**
 * Reads `date,value` lines (RFC 4180): an optional header, quoted fields, LF or CRLF, a byte order
 * mark, blank lines. The first line is a header when its second field is not a number. A quoted field
 * may not span lines.
 *
 * @throws ValidationError with one issue for each malformed line (the first 100), whose message holds
 * `file:line` and what was expected; and for a file without any value.
 *
 * @example parseCSV('month,passengers\n1949-01,112\n', { file: 'air.csv' }); // { time: ['1949-01'], values: [112], name: 'passengers' }
 */
export function parseCSV(text: string, { file = 'input' }: CSVOptions = {}): CSVSeries {
  const time: string[] = [];
  const values: number[] = [];
  const issues: ValidationIssue[] = [];
  let name: string | undefined;
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    if (line.trim() === '') continue;
    const row = readRow(line);
    const isFirst = name === undefined;
    name ??= 'value';
    if ('value' in row) {
      time.push(row.time);
      values.push(row.value);
    } else if (isFirst && row.header !== undefined) {
      name = row.header;
    } else if (issues.length < maxIssues) {
      issues.push({ path: [`${file}:${index + 1}`], message: row.problem });
    }
  }
  if (issues.length === 0 && values.length === 0) {
    issues.push({ path: [`${file}:1`], message: 'expected lines of date,value, found none' });
  }
  if (issues.length > 0) throw new ValidationError('CSV series', issues);
  return { time, values, name: name ?? 'value' };
}

type Row = { readonly time: string; readonly value: number } | { readonly problem: string; readonly header?: string };

function readRow(line: string): Row {
  const fields = splitFields(line);
  if (!fields) return { problem: 'expected every quoted field to be closed on its line and followed by a comma' };
  const [time = '', value = ''] = fields;
  if (fields.length !== 2) return { problem: `expected 2 fields, date,value, found ${fields.length}` };
  const parsed = parseNumber(value);
  if ('problem' in parsed) {
    const header = value.trim() === '' || looksNumeric(value) ? undefined : value.trim();
    return {
      problem: `expected a finite number in the second field, found ${parsed.problem}`,
      ...(header === undefined ? {} : { header }),
    };
  }
  return time.trim() === ''
    ? { problem: 'expected a date in the first field, found nothing' }
    : { time: time.trim(), value: parsed.value };
}

/** A first line holding `1.2.3`, `1 000` or `NaN` is a mistake, not a header. */
function looksNumeric(text: string): boolean {
  return /^\s*(?:[+-]?[.\d]|[+-]?(?:nan|inf|infinity|na|null)\s*$)/i.test(text);
}

/** The fields of one line, or nothing when its quotes do not close. */
function splitFields(line: string): string[] | undefined {
  const fields: string[] = [];
  const field = /\s*"((?:[^"]|"")*)"\s*(,|$)|([^",]*)(,|$)/y;
  for (;;) {
    const match = field.exec(line);
    if (!match) return undefined;
    fields.push(match[1]?.replaceAll('""', '"') ?? match[3] ?? '');
    if ((match[2] ?? match[4]) === '') return fields;
  }
}

import { ValidationError } from '../core/index.js';
import { analyzeStatistics, type Statistics, type StatisticsOptions } from './analyze-statistics.js';
import { requireKnown, requireOneOf } from './checks.js';
import { type CorrelationMethod, correlate, type TableColumn } from './correlation.js';

/** Settings of {@link analyzeTable}. */
export interface TableOptions extends Pick<StatisticsOptions, 'confidence' | 'outlierMethod'> {
  /** @default 'pearson' */
  readonly correlation?: CorrelationMethod;
}

/** A square of figures for each pair of columns. */
export interface CorrelationMatrix {
  readonly method: CorrelationMethod;
  readonly names: readonly string[];
  /** By row and column of `names`; `null` where it is not defined. */
  readonly coefficients: readonly (readonly (number | null)[])[];
  /** Two-sided, each pair on its own: among many pairs some are small by chance. */
  readonly p: readonly (readonly (number | null)[])[];
}

/** What {@link analyzeTable} found. */
export interface TableAnalysis {
  readonly rows: number;
  /** By column; `null` for one without any value. Missing values are left out, as its notes say. */
  readonly columns: Readonly<Record<string, Statistics | null>>;
  readonly correlations: CorrelationMatrix;
  readonly notes: readonly string[];
}

/**
 * Describes the columns of a table and how they go together. Missing values (`null`, `undefined`, `NaN`)
 * are left out, of a pair of columns row by row.
 *
 * @throws ValidationError for no columns, columns of different length, or values that are not numbers.
 *
 * @example
 * const { columns, correlations } = analyzeTable({ price: [3, 4, null, 6], sold: [40, 31, 25, 12] });
 */
export function analyzeTable(table: Readonly<Record<string, TableColumn>>, options: TableOptions = {}): TableAnalysis {
  requireKnown('analyzeTable', options, ['confidence', 'outlierMethod', 'correlation']);
  const { correlation: method = 'pearson', ...statistics } = options;
  requireOneOf('analyzeTable', 'correlation', method, ['pearson', 'spearman', 'kendall']);
  const names = Object.keys(table);
  const rows = requireColumns(table, names);
  const columnOf = (name: string): TableColumn => table[name] ?? [];
  const pairs = names.map((a) => names.map((b) => correlate(columnOf(a), columnOf(b), { method })));
  const columns = names.map((name) => [name, describe(columnOf(name), statistics)] as const);
  return {
    rows,
    columns: Object.fromEntries(columns),
    correlations: {
      method,
      names,
      coefficients: pairs.map((row) => row.map(({ coefficient }) => coefficient)),
      p: pairs.map((row) => row.map(({ p }) => p)),
    },
    notes: columns.flatMap(([name, found]) => (found ? [] : [`${name} has no values.`])),
  };
}

function requireColumns(table: Readonly<Record<string, TableColumn>>, names: readonly string[]): number {
  const rows = table[names[0] ?? '']?.length;
  const odd = names.find((name) => !Array.isArray(table[name]) || table[name].length !== rows);
  if (rows !== undefined && rows > 0 && odd === undefined) return rows;
  throw new ValidationError('analyzeTable', [
    odd === undefined
      ? { path: [], message: 'expected at least one column with at least one row' }
      : { path: [odd], message: `expected an array of ${rows ?? 'some'} values like the first column` },
  ]);
}

function describe(column: TableColumn, options: StatisticsOptions): Statistics | null {
  const empty = column.every((value) => value === null || value === undefined || Number.isNaN(value));
  return empty ? null : analyzeStatistics(column, { ...options, missing: 'omit' });
}

import { requireKnown } from './checks.js';
import { at, quantileOfSorted, sorted } from './numeric.js';
import { readSeries, type SeriesInput, type SeriesOptions, seriesOptionNames } from './parse-series.js';
import { clampToDouble } from './scale.js';

/** With so few distinct values each gets its own count. */
const mostDistinct = 12;
const mostBins = 50;
const roundSteps: readonly number[] = [1, 2, 2.5, 5, 10];
/** Narrower bins would have subnormal edges, wider ones edges beyond the largest double. */
const smallestWidth = 1e-300;
const widest = 1e307;

/** A stretch of values and how many fall into it. */
export interface HistogramBin {
  readonly from: number;
  /** Not counted in, but for the last bin. */
  readonly to: number;
  readonly count: number;
}

/** What {@link histogram} found. */
export interface Histogram {
  readonly n: number;
  readonly bins: readonly HistogramBin[];
  readonly method: string;
  readonly notes: readonly string[];
}

/**
 * Counts values in bins of equal width by the rule of Freedman and Diaconis, Zeitschrift für
 * Wahrscheinlichkeitstheorie 57 (1981) 453, with at most 50 bins and edges on round numbers. Equal values
 * make one bin.
 *
 * @throws ValidationError for an input that is not a series.
 *
 * @example
 * const { bins } = histogram(latencies); // [{ from: 0, to: 5, count: 12 }, ...]
 */
export function histogram(series: SeriesInput, options: SeriesOptions = {}): Histogram {
  requireKnown('histogram', options, seriesOptionNames);
  const { values, notes } = readSeries(series, options);
  const ordered = sorted(values);
  const [low, high] = [at(ordered, 0), at(ordered, ordered.length - 1)];
  const bins = low === high ? [{ from: low, to: high, count: values.length }] : binsOf(ordered).bins;
  const finite = ({ from, to, count }: HistogramBin): HistogramBin => ({
    from: clampToDouble(from),
    to: clampToDouble(to),
    count,
  });
  return { n: values.length, bins: bins.map(finite), method: 'Freedman and Diaconis 1981, on round edges', notes };
}

/**
 * A frequency table in ascending order: counts of the values where at most 12 differ, else of bins
 * `[from, to)` (the last one closed) by the rule of Freedman and Diaconis, Zeitschrift für
 * Wahrscheinlichkeitstheorie 57 (1981) 453, with at most 50 bins and edges on round numbers. Integer-like
 * keys come first in any JavaScript object: rely on the keys, not on their order.
 */
export function frequencyTable(values: readonly number[]): Record<string, number> {
  const ordered = sorted(values);
  const counts = countDistinct(ordered);
  return counts ?? countBins(ordered);
}

function countDistinct(ordered: Float64Array): Record<string, number> | undefined {
  const counts = new Map<number, number>();
  for (const value of ordered) {
    counts.set(value, (counts.get(value) ?? 0) + 1);
    if (counts.size > mostDistinct) return undefined;
  }
  return Object.fromEntries(counts);
}

function countBins(ordered: Float64Array): Record<string, number> {
  const { bins, width } = binsOf(ordered);
  const counts: Record<string, number> = {};
  for (const [i, { from, to, count }] of bins.entries()) {
    const key = `[${label(from, width)}, ${label(to, width)}${i === bins.length - 1 ? ']' : ')'}`;
    counts[key] = (counts[key] ?? 0) + count;
  }
  return counts;
}

function binsOf(ordered: Float64Array): { bins: HistogramBin[]; width: number } {
  const n = ordered.length;
  const high = at(ordered, n - 1);
  const width = binWidth(ordered);
  const start = Math.max(-Number.MAX_VALUE, Math.floor(at(ordered, 0) / width) * width);
  const count = Math.max(1, Math.ceil((high / 2 - start / 2) / (width / 2)));
  const bins: HistogramBin[] = [];
  for (let bin = 0, i = 0; bin < count; bin++) {
    const first = i;
    const last = bin === count - 1;
    while (i < n && (last || at(ordered, i) < start + (bin + 1) * width)) i++;
    const to = last ? Math.max(high, start + count * width) : start + (bin + 1) * width;
    bins.push({ from: start + bin * width, to, count: i - first });
  }
  return { bins, width };
}

/** The rule's width, brought down to a round number but not to more than 50 bins. */
function binWidth(ordered: Float64Array): number {
  const n = ordered.length;
  // Of halves, so that the difference of the extremes cannot overflow.
  const range = at(ordered, n - 1) / 2 - at(ordered, 0) / 2;
  const spread = quantileOfSorted(ordered, 0.75) / 2 - quantileOfSorted(ordered, 0.25) / 2;
  const rule = Math.min(widest, spread > 0 ? (4 / Math.cbrt(n)) * spread : (2 / (Math.log2(n) + 1)) * range);
  const least = Math.max((2 / mostBins) * range, smallestWidth);
  if (rule <= least) return roundUp(least);
  const down = roundDown(rule);
  return down > least ? down : roundUp(least);
}

function roundDown(size: number): number {
  const power = 10 ** Math.floor(Math.log10(size));
  return power * (roundSteps.findLast((step) => step * power <= size) ?? 1);
}

function roundUp(size: number): number {
  const power = 10 ** Math.floor(Math.log10(size));
  return power * (roundSteps.find((step) => step * power >= size) ?? 10);
}

/** An edge without the dust of binary fractions. */
function label(edge: number, width: number): string {
  if (!Number.isFinite(edge)) return String(Math.sign(edge) * Number.MAX_VALUE);
  const clean = Number(edge.toPrecision(12));
  return String(Math.abs(clean - edge) <= width / 1000 ? clean : edge);
}

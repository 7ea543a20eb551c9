import { at, quantileOfSorted, sorted } from './numeric.js';

/** With so few distinct values each gets its own count. */
const mostDistinct = 12;
const mostBins = 50;
const roundSteps: readonly number[] = [1, 2, 2.5, 5, 10];
/** Narrower bins would have subnormal edges, wider ones edges beyond the largest double. */
const smallestWidth = 1e-300;
const widest = 1e307;

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
  const n = ordered.length;
  const high = at(ordered, n - 1);
  const width = binWidth(ordered);
  const start = Math.max(-Number.MAX_VALUE, Math.floor(at(ordered, 0) / width) * width);
  const bins = Math.max(1, Math.ceil((high / 2 - start / 2) / (width / 2)));
  const counts: Record<string, number> = {};
  for (let bin = 0, i = 0; bin < bins; bin++) {
    const from = i;
    const last = bin === bins - 1;
    while (i < n && (last || at(ordered, i) < start + (bin + 1) * width)) i++;
    const to = last ? Math.max(high, start + bins * width) : start + (bin + 1) * width;
    const key = `[${label(start + bin * width, width)}, ${label(to, width)}${last ? ']' : ')'}`;
    counts[key] = (counts[key] ?? 0) + i - from;
  }
  return counts;
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

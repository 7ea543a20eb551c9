import { at, largestMagnitude } from './numeric.js';

/** A series in units of a power of two, in which squares and sums neither overflow nor vanish. */
export interface ScaledSeries {
  readonly values: readonly number[];
  /** Multiply a result that is linear in the values by this. 1 for ordinary series. */
  readonly unit: number;
}

const ordinary = 2 ** 250;
/** Units stay this far inside the range of exponents, so that their reciprocals are doubles too. */
const largestExponent = 1000;

/**
 * Brings a series near 1 when its largest value is so large or so small that squares would leave the
 * range of a double (beyond about 1e±75). Scaling by a power of two changes no digit.
 */
export function scaled(values: readonly number[]): ScaledSeries {
  const largest = largestMagnitude(values);
  if (largest === 0 || (largest < ordinary && largest > 1 / ordinary)) return { values, unit: 1 };
  const exponent = Math.floor(Math.log2(largest));
  const unit = 2 ** Math.max(-largestExponent, Math.min(largestExponent, exponent));
  return { values: values.map((value) => value / unit), unit };
}

/** A result in the caller's unit; `null` when no double can hold it. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** A result in the caller's unit, held at the largest double when it would pass it. */
export function clampToDouble(value: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}

/** The unscaled counterpart of a list of results. */
export function inUnits(values: ArrayLike<number>, unit: number): number[] {
  return Array.from({ length: values.length }, (_, index) => clampToDouble(at(values, index) * unit));
}

/** The element at an index the caller knows to exist; 0 keeps typed arithmetic free of `undefined`. */
export function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? 0;
}

/** A sorted copy. Typed arrays sort numerically and several times faster. */
export function sorted(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values).sort();
}

/**
 * Quantile `0 <= p <= 1` of values in ascending order, at least one: type 7 of Hyndman and Fan, The
 * American Statistician 50 (1996) 361, which is the default of R and NumPy. Does not overflow.
 */
export function quantileOfSorted(values: ArrayLike<number>, p: number): number {
  const position = (values.length - 1) * p;
  const below = Math.floor(position);
  const share = position - below;
  const low = at(values, below);
  if (share === 0) return low;
  const high = at(values, below + 1);
  const span = high - low;
  return Number.isFinite(span) ? low + share * span : low * (1 - share) + high * share;
}

/** The median of values in ascending order. */
export function medianOfSorted(values: ArrayLike<number>): number {
  return quantileOfSorted(values, 0.5);
}

/** The median of at least one value, in any order. */
export function medianOf(values: ArrayLike<number>): number {
  return medianOfSorted(sorted(values));
}

/** Arithmetic mean in one pass; enough for residuals. Input series go through the compensated mean. */
export function plainMean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += at(values, i);
  return values.length === 0 ? 0 : sum / values.length;
}

/** Sum of squared deviations from the mean, or from a centre given. */
export function squaredDeviations(values: ArrayLike<number>, mean: number = plainMean(values)): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (at(values, i) - mean) ** 2;
  return sum;
}

/** True when all values are equal. */
export function isConstant(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}

/** Largest absolute value, 0 for none. */
export function largestMagnitude(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(at(values, i)));
  return largest;
}

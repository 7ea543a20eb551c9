import { autocorrelation } from '../autocorrelation.js';
import { at } from '../numeric.js';

/** Quantile of the one-sided test at 90 % that the competition benchmarks use on both sides. */
const critical = 1.6448536269514722;

/**
 * Whether the autocorrelation at the seasonal lag is beyond what lower lags explain (Bartlett's standard
 * error, 90 %): the test by which the M3 and M4 competitions decide to adjust a series. Needs three seasons.
 */
export function isSeasonal(values: ArrayLike<number>, period: number): boolean {
  const n = values.length;
  if (period < 2 || n < 3 * period) return false;
  const r = autocorrelation(values, period);
  let sum = 0;
  for (let lag = 1; lag < period; lag++) sum += at(r, lag) ** 2;
  return Math.abs(at(r, period)) > critical * Math.sqrt((1 + 2 * sum) / n);
}

/**
 * The seasonal component of each phase by classical decomposition: means of the values beside (or over)
 * the centred moving average, made to sum to 0 (or to average 1). With fewer than two full seasons of
 * averages a phase that has none is neutral.
 */
export function classicalSeason(
  values: ArrayLike<number>,
  period: number,
  model: 'additive' | 'multiplicative',
): Float64Array {
  const n = values.length;
  const half = period >> 1;
  const even = period % 2 === 0;
  const sums = new Float64Array(period);
  const counts = new Float64Array(period);
  let window = 0;
  for (let i = 0; i < Math.min(n, 2 * half + 1); i++) window += at(values, i);
  for (let t = half; t + half < n; t++) {
    if (t > half) window += at(values, t + half) - at(values, t - half - 1);
    const trend = (even ? window - (at(values, t - half) + at(values, t + half)) / 2 : window) / period;
    const phase = t % period;
    sums[phase] = at(sums, phase) + (model === 'additive' ? at(values, t) - trend : at(values, t) / trend);
    counts[phase] = at(counts, phase) + 1;
  }
  const neutral = model === 'additive' ? 0 : 1;
  const season = sums.map((sum, phase) => (at(counts, phase) > 0 ? sum / at(counts, phase) : neutral));
  const centre = season.reduce((sum, part) => sum + part, 0) / period;
  return season.map((part) => (model === 'additive' ? part - centre : part / centre));
}

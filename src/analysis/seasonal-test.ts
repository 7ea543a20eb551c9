import { logIncompleteBeta } from './distributions/incomplete-beta.js';
import { at, largestMagnitude } from './numeric.js';

/** How well a series is told by one mean for each phase of a period, beside a straight line. */
export interface SeasonalTest {
  /** ln p of the F test that the means of the phases differ: 0 for no sign of it, far below for a clear one. */
  readonly logP: number;
  /** Schwarz's criterion on the unbiased variance, to compare periods: lower is better, and each phase more has its price. */
  readonly bic: number;
}

/** Unexplained shares below this are rounding. */
const roundingShare = 1e-20;

/**
 * Analysis of covariance on the phases of a period. Both fits, with phases and with the line alone, are
 * made after taking out the second-order autoregression of the residuals (in the manner of Cochrane
 * and Orcutt, JASA 44 (1949) 32), or random walks would pass for seasons.
 *
 * @param values At least three full periods: with fewer, the phases absorb what they should be judged by.
 */
export function seasonalTest(values: ArrayLike<number>, period: number): SeasonalTest {
  // A level far from 0 would cost the sums their digits.
  const risen = Float64Array.from(values, (value) => value - at(values, 0));
  const noise = roundingOf(values, risen);
  const whitened = prewhitened(risen, autoregression(phaseResiduals(risen, period, noise)));
  const n = whitened.length;
  const line = sumOfSquares(phaseResiduals(whitened, 1, noise));
  const df = n - period - 1;
  if (line === 0 || df < 1) return { logP: 0, bic: Number.POSITIVE_INFINITY };
  const share = Math.max(roundingShare, Math.min(1, sumOfSquares(phaseResiduals(whitened, period, noise)) / line));
  return {
    // The upper tail of F(d1, d2) is I_x(d2/2, d1/2) at x = SSE(phases)/SSE(line).
    logP: logIncompleteBeta(share, 1 - share, df / 2, (period - 1) / 2),
    bic: n * Math.log((share * line) / df) + period * Math.log(n),
  };
}

/** Residuals up to this size can be rounding alone: of the values themselves, and of sums over them. */
function roundingOf(values: ArrayLike<number>, risen: Float64Array): number {
  return 4 * Number.EPSILON * (largestMagnitude(values) + Math.sqrt(values.length) * largestMagnitude(risen));
}

/**
 * What remains of a series beside one common slope and a mean for each phase; period 1 is a plain line.
 * What is not beyond `noise` is 0: the rounding of a straight line has beats of its own.
 */
function phaseResiduals(values: ArrayLike<number>, period: number, noise: number): Float64Array {
  const n = values.length;
  const means = new Float64Array(period);
  const middles = new Float64Array(period);
  for (let phase = 0; phase < period; phase++) {
    const count = Math.ceil((n - phase) / period);
    let sum = 0;
    for (let i = phase; i < n; i += period) sum += at(values, i);
    means[phase] = sum / count;
    middles[phase] = phase + ((count - 1) * period) / 2;
  }
  const residuals = new Float64Array(n);
  let cross = 0;
  let square = 0;
  for (let i = 0, phase = 0; i < n; i++, phase = phase + 1 === period ? 0 : phase + 1) {
    const time = i - at(middles, phase);
    const residual = at(values, i) - at(means, phase);
    residuals[i] = residual;
    cross += time * residual;
    square += time * time;
  }
  const slope = square > 0 ? cross / square : 0;
  for (let i = 0, phase = 0; i < n; i++, phase = phase + 1 === period ? 0 : phase + 1) {
    const residual = at(residuals, i) - slope * (i - at(middles, phase));
    residuals[i] = Math.abs(residual) <= noise ? 0 : residual;
  }
  return residuals;
}

/** Coefficients of the last and the last but one value, by least squares; 0 where they are not determined. */
function autoregression(residuals: Float64Array): [first: number, second: number] {
  let a = 0;
  let b = 0;
  let c = 0;
  let u = 0;
  let v = 0;
  for (let i = 2; i < residuals.length; i++) {
    const now = at(residuals, i);
    const last = at(residuals, i - 1);
    const before = at(residuals, i - 2);
    a += last * last;
    b += last * before;
    c += before * before;
    u += now * last;
    v += now * before;
  }
  const determinant = a * c - b * b;
  if (determinant > 1e-9 * a * c) return [(u * c - v * b) / determinant, (v * a - u * b) / determinant];
  return a > 0 ? [u / a, 0] : [0, 0];
}

function prewhitened(values: ArrayLike<number>, [first, second]: [number, number]): Float64Array {
  const whitened = new Float64Array(values.length - 2);
  for (let i = 0; i < whitened.length; i++) {
    whitened[i] = at(values, i + 2) - first * at(values, i + 1) - second * at(values, i);
  }
  return whitened;
}

function sumOfSquares(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += at(values, i) ** 2;
  return sum;
}

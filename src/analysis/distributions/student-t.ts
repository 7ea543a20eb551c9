import { ValidationError } from '../../core/index.js';
import { logBeta, logIncompleteBeta } from './incomplete-beta.js';
import { normal, standardNormal } from './normal.js';
import { type SymmetricDistribution, symmetricCdf, symmetricQuantile } from './symmetric-quantile.js';

/** Beyond this many degrees of freedom the continued fraction loses digits and the normal deviate has them all. */
const normalFrom = 10_000;

/** The distribution function of Student's t, and its inverse. */
export interface StudentT {
  /** P(T <= t). */
  cdf(t: number, degreesOfFreedom: number): number;
  /** The `t` with P(T <= t) = p; infinite for p = 0 and p = 1. @throws ValidationError unless 0 <= p <= 1. */
  quantile(p: number, degreesOfFreedom: number): number;
}

/**
 * Student's t distribution for any positive, also fractional or infinite, number of degrees of
 * freedom: the regularised incomplete beta function (Abramowitz and Stegun 26.7.1) up to 10,000, then
 * Hill's normal deviate (algorithm 395, Communications of the ACM 13 (1970) 617). About 12 digits, far
 * tails included, for `|t|` up to 1e150. Both functions throw `ValidationError` for impossible arguments.
 *
 * @example studentT.quantile(0.975, 143); // 1.976692
 */
export const studentT: StudentT = {
  cdf(t, degreesOfFreedom) {
    const distribution = withDegrees(degreesOfFreedom);
    if (Number.isNaN(t)) throw new ValidationError('studentT.cdf', [{ path: ['t'], message: 'expected a number' }]);
    return distribution ? symmetricCdf(t, distribution) : normal.cdf(t);
  },
  quantile(p, degreesOfFreedom) {
    const distribution = withDegrees(degreesOfFreedom);
    if (!(p >= 0 && p <= 1)) {
      throw new ValidationError('studentT.quantile', [{ path: ['p'], message: 'expected a probability, 0 to 1' }]);
    }
    return distribution ? symmetricQuantile(p, distribution) : normal.quantile(p);
  },
};

/** Nothing for infinite degrees of freedom, where the limit is the normal distribution. */
function withDegrees(df: number): SymmetricDistribution | undefined {
  if (!(df > 0)) {
    throw new ValidationError('studentT', [{ path: ['degreesOfFreedom'], message: 'expected a number above 0' }]);
  }
  if (df === Number.POSITIVE_INFINITY) return undefined;
  const logDensity = densityOf(df);
  if (df > normalFrom) {
    return {
      logDensity,
      fromCentre: (t) => standardNormal.fromCentre(normalDeviate(t, df)),
      logUpperTail: (t) => standardNormal.logUpperTail(normalDeviate(t, df)),
    };
  }
  const halves = (t: number): [x: number, y: number] => {
    const ratio = (t / Math.sqrt(df)) ** 2;
    return [1 / (1 + ratio), ratio === Number.POSITIVE_INFINITY ? 1 : ratio / (1 + ratio)];
  };
  return {
    logDensity,
    fromCentre: (t) => {
      const [x, y] = halves(t);
      return Math.exp(logIncompleteBeta(y, x, 0.5, df / 2)) / 2;
    },
    logUpperTail: (t) => {
      const [x, y] = halves(t);
      return logIncompleteBeta(x, y, df / 2, 0.5) - Math.LN2;
    },
  };
}

function densityOf(df: number): (t: number) => number {
  const logScale = -Math.log(df) / 2 - logBeta(0.5, df / 2);
  return (t) => logScale - ((df + 1) / 2) * Math.log1p((t / Math.sqrt(df)) ** 2);
}

/** The `z` whose normal tail equals the t tail of `t >= 0`; its error falls with the fourth power of `df`. */
function normalDeviate(t: number, df: number): number {
  const a = df - 0.5;
  const b = 48 * a * a;
  const y = a * Math.log1p((t * t) / df);
  const correction = (((-0.4 * y - 3.3) * y - 24) * y - 85.5) / (0.8 * y * y + 100 + b) + y + 3;
  return (correction / b + 1) * Math.sqrt(y);
}

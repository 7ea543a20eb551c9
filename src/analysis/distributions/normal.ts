import { type SymmetricDistribution, symmetricCdf, symmetricQuantile } from './symmetric-quantile.js';

const logRootTwoPi = 0.9189385332046727;
/** From here on the continued fraction converges faster than the series. */
const tailFrom = 3;

/** The parts of the standard normal distribution that {@link normal} is made of. */
export const standardNormal: SymmetricDistribution = {
  logDensity: (x) => -x * x * 0.5 - logRootTwoPi,
  fromCentre: (x) => (x < tailFrom ? centreSeries(x) : 0.5 - Math.exp(logTail(x))),
  logUpperTail: (x) => (x < tailFrom ? Math.log(0.5 - centreSeries(x)) : logTail(x)),
};

/** The standard normal distribution, good to 13 digits also far out in the tails. */
export const normal = {
  /** P(Z <= z). */
  cdf: (z: number): number => symmetricCdf(z, standardNormal),
  /** P(|Z| >= |z|): the p-value of a two-sided test. */
  twoSided: (z: number): number => Math.min(1, 2 * Math.exp(standardNormal.logUpperTail(Math.abs(z)))),
  /** The `z` with P(Z <= z) = p, for 0 <= p <= 1. */
  quantile: (p: number): number => symmetricQuantile(p, standardNormal),
} as const;

/** P(0 < Z < x) = φ(x) (x + x³/3 + x⁵/(3·5) + ...): Marsaglia, Journal of Statistical Software 11(4), 2004. */
function centreSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 3; term > sum * 1e-17; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return sum * Math.exp(standardNormal.logDensity(x));
}

/** ln of φ(x)/(x + 1/(x + 2/(x + 3/...))): Abramowitz and Stegun 26.2.14. */
function logTail(x: number): number {
  let fraction = x;
  for (let k = 200; k > 0; k--) fraction = x + k / fraction;
  return standardNormal.logDensity(x) - Math.log(fraction);
}

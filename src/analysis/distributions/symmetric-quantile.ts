/** What {@link symmetricQuantile} needs to know of a distribution symmetric about 0; all for `x >= 0`. */
export interface SymmetricDistribution {
  readonly logDensity: (x: number) => number;
  /** P(0 < X < x), exact for small `x`. */
  readonly fromCentre: (x: number) => number;
  /** ln P(X > x), exact for large `x`. */
  readonly logUpperTail: (x: number) => number;
}

/**
 * The quantile for `0 <= p <= 1`, infinite at the ends. Newton's method where it converges from one
 * side: on the distribution function near the centre (concave there), on the logarithm of the tail
 * over `ln x` farther out.
 */
export function symmetricQuantile(p: number, distribution: SymmetricDistribution): number {
  const tail = p < 0.5 ? p : 1 - p;
  if (tail === 0) return p < 0.5 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const x = tail > 0.25 ? nearCentre(Math.abs(p - 0.5), distribution) : inTail(Math.log(tail), distribution);
  return p < 0.5 ? -x : x;
}

/** The distribution function for any `x`, from its two halves. */
export function symmetricCdf(x: number, { fromCentre, logUpperTail }: SymmetricDistribution): number {
  if (Math.abs(x) < 1) return 0.5 + Math.sign(x) * fromCentre(Math.abs(x));
  const tail = Math.exp(logUpperTail(Math.abs(x)));
  return x < 0 ? tail : 1 - tail;
}

function nearCentre(share: number, { logDensity, fromCentre }: SymmetricDistribution): number {
  let x = 0;
  for (let step = 0; step < 64; step++) {
    const change = (share - fromCentre(x)) / Math.exp(logDensity(x));
    x += change;
    if (Math.abs(change) <= Number.EPSILON * x) break;
  }
  return x;
}

function inTail(logTail: number, { logDensity, logUpperTail }: SymmetricDistribution): number {
  let u = 0;
  for (let step = 0; step < 2_000; step++) {
    const x = Math.exp(u);
    const current = logUpperTail(x);
    const change = (current - logTail) * Math.exp(current - logDensity(x) - u);
    u += Math.max(-1, Math.min(1, change));
    if (Math.abs(change) <= Number.EPSILON) break;
  }
  return Math.exp(u);
}

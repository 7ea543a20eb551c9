const halfLogTwoPi = 0.9189385332046727;
const epsilon = 2 ** -53;
/** Below this the Stirling series is not exact to double precision. */
const stirlingFrom = 10;

/** The remainder of Stirling's formula, `ln Γ(x) - ((x - 1/2) ln x - x + ln √(2π))`, for `x >= 10` (DLMF 5.11.1). */
function stirlingRemainder(x: number): number {
  const z = 1 / (x * x);
  const series = 1 / 1260 - z * (1 / 1680 - z * (1 / 1188 - z * (691 / 360360 - z / 156)));
  return (1 / 12 - z * (1 / 360 - z * series)) / x;
}

/** `ln Γ(x)` for `x > 0`: the recurrence up to 10, then Stirling's series. */
function logGamma(x: number): number {
  let shifted = x;
  let product = 1;
  while (shifted < stirlingFrom) product *= shifted++;
  return (shifted - 0.5) * Math.log(shifted) - shifted + halfLogTwoPi + stirlingRemainder(shifted) - Math.log(product);
}

/**
 * `ln B(a, b)` for positive `a`, `b`. Large arguments take the form without cancelling `ln Γ` terms
 * (Didonato and Morris, ACM TOMS 18 (1992) 360, algorithm 708, section 9).
 */
export function logBeta(a: number, b: number): number {
  const p = Math.min(a, b);
  const q = Math.max(a, b);
  if (q < stirlingFrom) return logGamma(p) + logGamma(q) - logGamma(p + q);
  const share = Math.log1p(-p / (p + q));
  const tail = stirlingRemainder(q) - stirlingRemainder(p + q);
  if (p < stirlingFrom) return logGamma(p) + tail + p - p * Math.log(p + q) + (q - 0.5) * share;
  return halfLogTwoPi - Math.log(q) / 2 + stirlingRemainder(p) + tail + (p - 0.5) * Math.log(p / (p + q)) + q * share;
}

/**
 * The logarithm of the regularised incomplete beta function `I_x(a, b)`, so that far tails do not
 * underflow. `y` is `1 - x`: the caller knows it without the loss of subtracting.
 * Continued fraction DLMF 8.17.22 by the modified Lentz method; about 14 digits.
 */
export function logIncompleteBeta(x: number, y: number, a: number, b: number): number {
  if (x <= 0) return Number.NEGATIVE_INFINITY;
  if (y <= 0) return 0;
  return x * (a + b + 2) < a + 1 ? logByFraction(x, y, a, b) : Math.log1p(-Math.exp(logByFraction(y, x, b, a)));
}

function logByFraction(x: number, y: number, a: number, b: number): number {
  const logX = x > 0.5 ? Math.log1p(-y) : Math.log(x);
  const logY = y > 0.5 ? Math.log1p(-x) : Math.log(y);
  return a * logX + b * logY - Math.log(a) - logBeta(a, b) - Math.log(continuedFraction(x, a, b));
}

/** `1 + d1/(1 + d2/(1 + ...))` of DLMF 8.17.22. It converges in some `√max(a, b)` steps where it is called. */
function continuedFraction(x: number, a: number, b: number): number {
  let value = 1;
  let c = 1;
  let d = 0;
  for (let step = 1; step < 100_000; step++) {
    const m = step >> 1;
    const term =
      step % 2 === 0
        ? (m * (b - m) * x) / ((a + step - 1) * (a + step))
        : (-(a + m) * (a + b + m) * x) / ((a + step - 1) * (a + step));
    d = 1 / nonZero(1 + term * d);
    c = nonZero(1 + term / c);
    const factor = c * d;
    value *= factor;
    if (Math.abs(factor - 1) <= epsilon) break;
  }
  return value;
}

function nonZero(value: number): number {
  return value === 0 ? Number.MIN_VALUE * 2 ** 60 : value;
}

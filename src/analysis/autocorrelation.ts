import { fft, powerOfTwoFrom } from './fft.js';
import { at, isConstant, plainMean } from './numeric.js';

/** Up to this many lags for each doubling of the length, the direct sums are as fast as the transform. */
const directLagsPerDoubling = 20;

/**
 * Autocorrelations at the lags 0 to `maxLag` (at most n - 1), with the divisor n of all lags as in
 * Box and Jenkins, Time Series Analysis, 1976. Empty for equal values, where they are undefined.
 */
export function autocorrelation(values: ArrayLike<number>, maxLag: number): number[] {
  if (isConstant(values)) return [];
  const mean = plainMean(values);
  const centred = Float64Array.from(values, (value) => value - mean);
  const lags = Math.min(maxLag, values.length - 1);
  const direct = lags <= directLagsPerDoubling * Math.log2(centred.length);
  const products = direct ? directProducts(centred, lags) : fastProducts(centred, lags);
  return Array.from(products, (product) => product / at(products, 0));
}

function directProducts(centred: Float64Array, lags: number): Float64Array {
  return Float64Array.from({ length: lags + 1 }, (_, lag) => {
    let sum = 0;
    for (let i = lag; i < centred.length; i++) sum += at(centred, i) * at(centred, i - lag);
    return sum;
  });
}

/** By the Wiener-Khinchin theorem, padded with zeros so that the ends do not meet. */
function fastProducts(centred: Float64Array, lags: number): Float64Array {
  const size = powerOfTwoFrom(centred.length + lags);
  const real = new Float64Array(size);
  const imaginary = new Float64Array(size);
  real.set(centred);
  fft(real, imaginary);
  for (let i = 0; i < size; i++) {
    real[i] = at(real, i) ** 2 + at(imaginary, i) ** 2;
    imaginary[i] = 0;
  }
  fft(real, imaginary);
  return real.slice(0, lags + 1);
}

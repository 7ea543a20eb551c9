import { at } from './numeric.js';

/** The smallest power of two that is at least `n`. */
export function powerOfTwoFrom(n: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, n)));
}

/**
 * Discrete Fourier transform in place, of a length that is a power of two: the iterative radix-2
 * algorithm of Cooley and Tukey, Mathematics of Computation 19 (1965) 297.
 */
export function fft(real: Float64Array, imaginary: Float64Array): void {
  const n = real.length;
  reorder(real, imaginary);
  const cosines = Float64Array.from({ length: n / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / n));
  const sines = Float64Array.from({ length: n / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / n));
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    const stride = n / size;
    for (let start = 0; start < n; start += size) {
      for (let k = 0; k < half; k++) {
        const low = start + k;
        const high = low + half;
        const cosine = at(cosines, k * stride);
        const sine = at(sines, k * stride);
        const re = at(real, high) * cosine - at(imaginary, high) * sine;
        const im = at(real, high) * sine + at(imaginary, high) * cosine;
        real[high] = at(real, low) - re;
        imaginary[high] = at(imaginary, low) - im;
        real[low] = at(real, low) + re;
        imaginary[low] = at(imaginary, low) + im;
      }
    }
  }
}

/** Puts each element where the reversed bits of its index say. */
function reorder(real: Float64Array, imaginary: Float64Array): void {
  const n = real.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      swap(real, i, j);
      swap(imaginary, i, j);
    }
  }
}

function swap(values: Float64Array, i: number, j: number): void {
  const kept = at(values, i);
  values[i] = at(values, j);
  values[j] = kept;
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { autocorrelation } from '../../src/analysis/autocorrelation.js';
import { fft } from '../../src/analysis/fft.js';
import { seededRandom } from '../../src/analysis/random.js';
import { fixtures } from './support.js';

describe('autocorrelation', () => {
  it.each(fixtures)('agrees with acf of R on $name to 1e-9', ({ values, r }) => {
    const [zero, ...lags] = autocorrelation(values, 24);
    expect(zero).toBe(1);
    for (const [i, expected] of r.desc.acf.entries()) expect(lags[i]).toBeCloseTo(expected, 9);
  });

  it('is the same by transform as by direct sums', () => {
    const random = seededRandom(1);
    const values = Array.from({ length: 700 }, (_, i) => random() + Math.sin(i / 7));
    const direct = autocorrelation(values, 100);
    const transformed = autocorrelation(values, 699);
    for (const [lag, value] of direct.entries()) expect(transformed[lag]).toBeCloseTo(value, 12);
    expect(transformed).toHaveLength(700);
  });

  it('is undefined for equal values and stops at the length of the series', () => {
    expect(autocorrelation([3, 3, 3], 2)).toEqual([]);
    expect(autocorrelation([1, 2], 24)).toEqual([1, -0.5]);
  });
});

describe('fft', () => {
  it('is the discrete Fourier transform', () => {
    const signal = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(signal, signal, (re, im) => {
        const real = Float64Array.from(re);
        const imaginary = Float64Array.from(im);
        fft(real, imaginary);
        for (let k = 0; k < 16; k++) {
          let sum = 0;
          for (let t = 0; t < 16; t++) {
            const angle = (-2 * Math.PI * k * t) / 16;
            sum += (re[t] ?? 0) * Math.cos(angle) - (im[t] ?? 0) * Math.sin(angle);
          }
          expect(real[k]).toBeCloseTo(sum, 9);
        }
      }),
    );
  });
});

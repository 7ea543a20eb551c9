import { studentT } from '@safla/sdk/analysis';
import { ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normal } from '../../src/analysis/distributions/normal.js';
import { relativeError } from './support.js';

describe('studentT', () => {
  // By mpmath 1.3 with 30 digits, the last two by SciPy 1.17.
  it.each([
    [0.975, 1, 12.706204736174705],
    [0.975, 2, 4.302652729749464],
    [0.975, 143, 1.9766921979297984],
    [0.995, 9, 3.2498355415921263],
    [0.6, 5, 0.2671808657041451],
    [0.9, 2.5, 1.7302509288071766],
    [0.025, 30, -2.042272456301238],
    [0.975, 1e6, 1.959966356814107],
    [0.995, 20_000, 2.576075153017255],
  ])('gives the quantile %d for %d degrees of freedom to 12 digits', (p, df, expected) => {
    expect(relativeError(studentT.quantile(p, df), expected)).toBeLessThan(1e-12);
  });

  it.each([
    [-40, 10, 1.140428871542877e-12],
    [-2.5, 0.5, 0.2004852645266466],
    [1.3, 7, 0.8826160823038114],
    [-8, 143, 1.930053500945657e-13],
  ])('gives P(T <= %d) for %d degrees of freedom to 12 digits, also in the tail', (t, df, expected) => {
    expect(relativeError(studentT.cdf(t, df), expected)).toBeLessThan(1e-12);
  });

  it('agrees with the closed forms for 1 and 2 degrees of freedom', () => {
    fc.assert(
      fc.property(fc.double({ min: -50, max: 50, noNaN: true }), (t) => {
        expect(studentT.cdf(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, 12);
        expect(studentT.cdf(t, 2)).toBeCloseTo(0.5 + t / (2 * Math.sqrt(2 + t * t)), 12);
      }),
    );
  });

  it('finds its way back from a quantile, for any degrees of freedom', () => {
    const df = fc.oneof(
      fc.double({ min: 0.5, max: 1e7, noNaN: true }),
      fc.constantFrom(9_999, 10_001, Number.POSITIVE_INFINITY),
    );
    fc.assert(
      fc.property(df, fc.double({ min: 1e-12, max: 0.5, noNaN: true }), (degrees, p) => {
        expect(relativeError(studentT.cdf(studentT.quantile(p, degrees), degrees), p)).toBeLessThan(1e-10);
        expect(studentT.quantile(1 - p, degrees)).toBeCloseTo(-studentT.quantile(1 - (1 - p), degrees), 6);
      }),
      { numRuns: 300 },
    );
  });

  it('is infinite at the ends and 0 in the middle', () => {
    expect([0, 0.5, 1].map((p) => studentT.quantile(p, 4))).toEqual([
      Number.NEGATIVE_INFINITY,
      0,
      Number.POSITIVE_INFINITY,
    ]);
    expect([
      studentT.cdf(Number.NEGATIVE_INFINITY, 4),
      studentT.cdf(0, 4),
      studentT.cdf(Number.POSITIVE_INFINITY, 4),
    ]).toEqual([0, 0.5, 1]);
  });

  it('refuses what cannot be', () => {
    for (const call of [
      () => studentT.quantile(1.1, 3),
      () => studentT.quantile(Number.NaN, 3),
      () => studentT.quantile(0.5, 0),
      () => studentT.cdf(Number.NaN, 3),
      () => studentT.cdf(1, -1),
    ]) {
      expect(call).toThrow(ValidationError);
    }
  });
});

describe('normal', () => {
  // By mpmath 1.3: ncdf(-z) * 2 and the inverse.
  it('keeps its digits in the tails', () => {
    expect(relativeError(normal.twoSided(14.3816100255448), 6.75056676128413e-47)).toBeLessThan(1e-11);
    expect(relativeError(normal.quantile(0.975), 1.959963984540054)).toBeLessThan(1e-14);
    expect(relativeError(normal.quantile(1e-100), -21.27345356096532)).toBeLessThan(1e-13);
    expect(normal.cdf(1.959963984540054)).toBeCloseTo(0.975, 14);
  });
});

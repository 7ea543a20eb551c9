import { analyzeStatistics } from '@safla/sdk/analysis';
import { ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixtures, relativeError } from './support.js';

const alternating = (centre: number, low: number, high: number): number[] => [
  centre,
  ...Array.from({ length: 1_000 }, (_, i) => (i % 2 === 0 ? low : high)),
];

// Michelson's 100 measurements of the speed of light, 1879, in km/s above 299,000; NIST has them in Mm/s.
const michelson = `
  850 740 900 1070 930 850 950 980 980 880 1000 980 930 650 760 810 1000 1000 960 960
  960 940 960 940 880 800 850 880 900 840 830 790 810 880 880 830 800 790 760 800
  880 880 880 860 720 720 620 860 970 950 880 910 850 870 840 840 850 840 840 840
  890 810 810 820 800 770 760 740 750 760 910 920 890 860 880 720 840 850 850 780
  890 840 780 810 760 810 790 810 820 850 870 870 810 740 810 940 950 800 810 870`
  .trim()
  .split(/\s+/)
  .map((value) => (299_000 + Number(value)) / 1_000);

describe('analyzeStatistics against R 4.2.2', () => {
  it.each(fixtures)('agrees on $name to 1e-9', ({ values, r: { desc } }) => {
    const found = analyzeStatistics(values);
    const pairs: [number | null | undefined, number][] = [
      [found.n, desc.n],
      [found.mean, desc.mean],
      [found.standardDeviation, desc.sd],
      [found.median, desc.median],
      [found.min, desc.min],
      [found.max, desc.max],
      [found.quartiles[0], desc.q1],
      [found.quartiles[2], desc.q3],
      [found.medianAbsoluteDeviation, desc.mad_raw],
      [found.skewness, desc.skew_g1],
      [found.kurtosis, desc.kurt_g2],
      [found.confidenceInterval?.[0], desc.ci95[0]],
      [found.confidenceInterval?.[1], desc.ci95[1]],
    ];
    for (const [actual, expected] of pairs) expect(relativeError(actual ?? Number.NaN, expected)).toBeLessThan(1e-9);
    expect(found.outliers).toEqual([]);
  });
});

describe('analyzeStatistics against the certified values of NIST StRD', () => {
  // Digits right (log relative error), less half a digit: what double input allows for each set.
  it.each([
    ['NumAcc1', [10_000_001, 10_000_003, 10_000_002], 10_000_002, 1, 15],
    ['NumAcc2', alternating(1.2, 1.1, 1.3), 1.2, 0.1, 14],
    ['NumAcc3', alternating(1_000_000.2, 1_000_000.1, 1_000_000.3), 1_000_000.2, 0.1, 9],
    ['NumAcc4', alternating(10_000_000.2, 10_000_000.1, 10_000_000.3), 10_000_000.2, 0.1, 8],
    ['Michelso', michelson, 299.8524, 0.0790105478190518, 13],
  ])('%s', (_, values, mean, deviation, digits) => {
    const found = analyzeStatistics(values);
    expect(relativeError(found.mean, mean)).toBeLessThan(1e-14);
    expect(relativeError(found.standardDeviation ?? 0, deviation)).toBeLessThan(10 ** -digits);
  });
});

describe('analyzeStatistics', () => {
  it('has the keys that the analysis tool promises', () => {
    const { mean, median, standardDeviation, confidence, outliers, method } = analyzeStatistics('1,2,3,4');
    expect({ mean, median, confidence, outliers }).toEqual({ mean: 2.5, median: 2.5, confidence: 0.95, outliers: [] });
    expect(standardDeviation).toBeCloseTo(1.2909944487358056, 14);
    expect(method.quartiles).toContain('type 7');
  });

  it('finds outliers by the modified z-score of Iglewicz and Hoaglin, with their place', () => {
    const { outliers } = analyzeStatistics([2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3]);
    // Median 2.45, median absolute deviation 0.15.
    expect(outliers.map(({ index, value }) => [index, value])).toEqual([
      [8, 8.2],
      [9, 8.3],
    ]);
    expect(outliers[0]?.score).toBeCloseTo((0.6744897501960817 * (8.2 - 2.45)) / 0.15, 9);
  });

  it('sees one value that differs where most are equal', () => {
    expect(analyzeStatistics([5, 5, 5, 5, 5, 5, 5, 5, 9]).outliers).toMatchObject([{ index: 8, value: 9 }]);
  });

  it('widens the interval with the level', () => {
    const width = (confidence: number): number => {
      const [low, high] = analyzeStatistics([1, 2, 3, 4, 7], { confidence }).confidenceInterval ?? [0, 0];
      return high - low;
    };
    expect(width(0.99)).toBeGreaterThan(width(0.95));
    expect(width(0.5)).toBeGreaterThan(0);
  });

  it('says null and why where values are too few or equal', () => {
    expect(analyzeStatistics([5])).toMatchObject({
      mean: 5,
      standardDeviation: null,
      confidenceInterval: null,
      skewness: null,
    });
    expect(analyzeStatistics([5]).notes[0]).toContain('One value');
    expect(analyzeStatistics([5, 7])).toMatchObject({ skewness: null, kurtosis: null, quartiles: [5.5, 6, 6.5] });
    expect(analyzeStatistics([0.1, 0.1, 0.1])).toMatchObject({
      mean: 0.1,
      standardDeviation: 0,
      confidenceInterval: [0.1, 0.1],
      skewness: null,
    });
    expect(analyzeStatistics([0.1, 0.1, 0.1]).notes[0]).toContain('equal');
  });

  it('does not overflow near the largest double, nor vanish near the smallest', () => {
    const large = analyzeStatistics([1e308, 1.2e308, 1.4e308]);
    expect(relativeError(large.mean, 1.2e308)).toBeLessThan(1e-15);
    expect(relativeError(large.standardDeviation ?? 0, 2e307)).toBeLessThan(1e-14);
    const small = analyzeStatistics([1e-308, 2e-308, 3e-308]);
    expect(relativeError(small.standardDeviation ?? 0, 1e-308)).toBeLessThan(1e-14);
    const beyond = analyzeStatistics([Number.MAX_VALUE, -Number.MAX_VALUE]);
    expect(beyond).toMatchObject({ mean: 0, standardDeviation: null, confidenceInterval: null });
    expect(beyond.notes.at(-1)).toContain('beyond the largest double');
  });

  it('moves and stretches with its input', () => {
    const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 5, maxLength: 60 }), (values) => {
        const plain = analyzeStatistics(values);
        const moved = analyzeStatistics(values.map((x) => 4 * x + 1_000));
        const tolerance = 1e-6 * (1 + (plain.standardDeviation ?? 0));
        expect(Math.abs(moved.mean - (4 * plain.mean + 1_000))).toBeLessThan(tolerance);
        expect(Math.abs((moved.standardDeviation ?? 0) - 4 * (plain.standardDeviation ?? 0))).toBeLessThan(tolerance);
        expect(plain.min <= plain.quartiles[0] && plain.quartiles[0] <= plain.median).toBe(true);
        expect(plain.median <= plain.quartiles[2] && plain.quartiles[2] <= plain.max).toBe(true);
      }),
    );
  });

  it.each([0, 1, -1, 95, Number.NaN])('refuses a confidence of %d', (confidence) => {
    expect(() => analyzeStatistics([1, 2], { confidence })).toThrow(ValidationError);
  });
});

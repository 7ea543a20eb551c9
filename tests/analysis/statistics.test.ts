import { analyzePatterns, analyzeStatistics } from '@safla/sdk/analysis';
import { ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/analysis/random.js';
import { lew, lottery, mavro, michelson, piDigits } from './fixtures/nist.js';
import { fixtures, gaussian, relativeError } from './support.js';

const alternating = (centre: number, low: number, high: number): number[] => [
  centre,
  ...Array.from({ length: 1_000 }, (_, i) => (i % 2 === 0 ? low : high)),
];

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
      [found.normality?.statistic, desc.jarque_bera.JB],
      [found.normality?.p, desc.jarque_bera.p],
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
    ['Mavro', mavro, 2.001856, 0.000429123454003053, 12],
    ['Lew', lew, -177.435, 277.332168044316, 14],
    ['Lottery', lottery, 518.95871559633, 291.699727470969, 14],
    ['PiDigits', piDigits, 4.5348, 2.86733906028871, 14],
  ] as const)('%s', (_, values, mean, deviation, digits) => {
    const found = analyzeStatistics(values);
    expect(relativeError(found.mean, mean)).toBeLessThan(1e-14);
    expect(relativeError(found.standardDeviation ?? 0, deviation)).toBeLessThan(10 ** -digits);
  });

  it.each([
    ['PiDigits', piDigits, -0.00355099287237972, 12],
    ['Michelso', michelson, 0.535199668621283, 13],
    ['Mavro', mavro, 0.937989183438248, 12],
    ['Lew', lew, -0.307304800605679, 14],
    ['Lottery', lottery, -0.120948622967393, 14],
  ] as const)('%s: autocorrelation at lag 1', (_, values, expected, digits) => {
    const { autocorrelation } = analyzePatterns(values);
    expect(relativeError(autocorrelation[1] ?? Number.NaN, expected)).toBeLessThan(10 ** -digits);
  });

  it('takes the digits of pi as NIST has them: real pi differs in its 956th decimal', () => {
    expect(piDigits.slice(951, 961).join('')).toBe('1857730532'); // 1857780532 in pi
    expect(piDigits.reduce((sum, digit) => sum + digit, 0)).toBe(22_674); // 22,679 in pi
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

describe('outliers', () => {
  const random = seededRandom(21);
  const noise = gaussian(random);
  const sample = (): { values: number[]; planted: Set<number> } => {
    const planted = new Set<number>();
    while (planted.size < 60) planted.add(Math.floor(random() * 300));
    return {
      values: Array.from({ length: 300 }, (_, i) => noise() + (planted.has(i) ? (random() < 0.5 ? -8 : 8) : 0)),
      planted,
    };
  };

  it.each(['mad', 'esd'] as const)('%s: finds a fifth of planted ones, and hardly any other', (outlierMethod) => {
    let found = 0;
    let wrong = 0;
    for (let round = 0; round < 20; round++) {
      const { values, planted } = sample();
      for (const { index } of analyzeStatistics(values, { outlierMethod }).outliers) {
        if (planted.has(index)) found++;
        else wrong++;
      }
    }
    expect(found / (20 * 60)).toBeGreaterThan(0.95);
    expect(wrong / (20 * 240)).toBeLessThan(0.01);
  });

  it('iqr: are those beyond the fences of Tukey', () => {
    const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 20, -12];
    const { outliers, method } = analyzeStatistics(values, { outlierMethod: 'iqr' });
    expect(outliers.map(({ value }) => value)).toEqual([20, -12]);
    expect(outliers[0]?.score).toBeCloseTo((20 - 7.5) / 5, 12);
    expect(method.outliers).toContain('Tukey');
  });

  it("esd: are those of Rosner's example", () => {
    // Rosner 1983, as in the NIST handbook 1.3.5.17.3: three outliers among 54 values, at 5 %.
    const values = [
      -0.25, 0.68, 0.94, 1.15, 1.2, 1.26, 1.26, 1.34, 1.38, 1.43, 1.49, 1.49, 1.55, 1.56, 1.58, 1.65, 1.69, 1.7, 1.76,
      1.77, 1.81, 1.91, 1.94, 1.96, 1.99, 2.06, 2.09, 2.1, 2.14, 2.15, 2.23, 2.24, 2.26, 2.35, 2.37, 2.4, 2.47, 2.54,
      2.62, 2.64, 2.9, 2.92, 2.92, 2.93, 3.21, 3.26, 3.3, 3.59, 3.68, 4.3, 4.64, 5.34, 5.42, 6.01,
    ];
    const { outliers } = analyzeStatistics(values, { outlierMethod: 'esd' });
    expect(outliers.map(({ value }) => value)).toEqual([5.34, 5.42, 6.01]);
    expect(outliers[2]?.score).toBeCloseTo(3.118, 2);
  });

  it('does not call the rest outliers where most values are equal', () => {
    for (const outlierMethod of ['mad', 'iqr', 'esd'] as const) {
      expect(analyzeStatistics([4, 4, 4, 4, 4, 4], { outlierMethod }).outliers).toEqual([]);
    }
  });
});

describe('missing values and times', () => {
  it('are refused unless said otherwise, and then told', () => {
    expect(() => analyzeStatistics([1, null, 3])).toThrow(/item 2/);
    expect(analyzeStatistics([1, null, 3, Number.NaN], { missing: 'omit' })).toMatchObject({ n: 2, mean: 2 });
    const filled = analyzeStatistics('1,,,4', { missing: 'interpolate' });
    expect(filled).toMatchObject({ n: 4, mean: 2.5 });
    expect(filled.notes.join()).toContain('2 of 4 values are missing');
    expect(() => analyzeStatistics([null, undefined], { missing: 'omit' })).toThrow(/at least one number/);
  });

  it('must rise, or are sorted when asked', () => {
    const points = [
      { time: '2024-02', value: 2 },
      { time: '2024-01', value: 1 },
    ];
    expect(() => analyzeStatistics(points)).toThrow(/item 2.*after the one before/);
    expect(analyzeStatistics(points, { unsorted: 'sort' }).mean).toBe(1.5);
    const twice = [...points, { time: '2024-02', value: 3 }];
    expect(() => analyzeStatistics(twice, { unsorted: 'sort' })).toThrow(/second one/);
  });

  it('refuses an option it does not know, with the one meant', () => {
    expect(() => analyzeStatistics([1, 2], { confidnce: 0.9 } as object)).toThrow(/confidence/);
  });
});

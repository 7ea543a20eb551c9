import { analyzePatterns, histogram } from '@safla/sdk/analysis';
import { ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frequencyTable } from '../../src/analysis/histogram.js';
import { seededRandom } from '../../src/analysis/random.js';
import { runningMedian } from '../../src/analysis/running-median.js';
import { runsTest } from '../../src/analysis/runs-test.js';
import { takeApartRobustly } from '../../src/analysis/take-apart.js';
import { fixtures, gaussian } from './support.js';

describe('analyzePatterns', () => {
  it('names the trend, the season and the runs of the airline passengers', () => {
    const { patterns, period, correlations, autocorrelation } = analyzePatterns(fixtures[0]?.values ?? []);
    expect(patterns).toMatchObject([
      { type: 'trend', direction: 'increasing' },
      { type: 'seasonality', period: 12, model: 'multiplicative' },
      { type: 'runs', direction: 'clustered' },
    ]);
    expect(period).toBe(12);
    expect(correlations.find(({ lag }) => lag === 12)?.value).toBeCloseTo(0.760395042262556, 9);
    expect(autocorrelation).toHaveLength(25);
  });

  it('finds planted anomalies in trend and season, and where they stand', () => {
    for (const { values } of fixtures) {
      const spoiled = values.map((value, i) =>
        i === 70 ? value * 1.5 : i === values.length - 1 ? value * 0.6 : value,
      );
      const { anomalies } = analyzePatterns(spoiled);
      const indexes = anomalies.map(({ index }) => index);
      expect(indexes).toContain(70);
      expect(indexes).toContain(values.length - 1);
      expect(indexes.length).toBeLessThanOrEqual(4);
      const planted = anomalies.find(({ index }) => index === 70);
      expect(planted?.value).toBe(spoiled[70]);
      expect(Math.abs((planted?.expected ?? 0) / (values[70] ?? 1) - 1)).toBeLessThan(0.2);
      expect(planted?.score).toBeGreaterThan(3.5);
    }
  });

  it('sees an anomaly on a straight line and on a curve, and none where there is none', () => {
    const line = Array.from({ length: 60 }, (_, i) => i * 0.1);
    expect(analyzePatterns(line).anomalies).toEqual([]);
    expect(analyzePatterns(line.with(59, 10)).anomalies.map(({ index }) => index)).toEqual([59]);
    const curve = Array.from({ length: 60 }, (_, i) => i * i);
    expect(analyzePatterns(curve.with(30, 1_300)).anomalies.map(({ index }) => index)).toEqual([30]);
  });

  it('calls equal values constant and says that they have no autocorrelation', () => {
    const found = analyzePatterns([4, 4, 4, 4, 4, 4, 4, 4]);
    expect(found).toMatchObject({
      patterns: [{ type: 'constant' }],
      autocorrelation: [],
      correlations: [],
      anomalies: [],
    });
    expect(found.frequency).toEqual({ 4: 8 });
    expect(found.notes.join()).toContain('undefined');
  });

  it('finds alternation', () => {
    const values = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 1 : 3) + i / 1_000);
    expect(analyzePatterns(values).patterns).toContainEqual(
      expect.objectContaining({ type: 'runs', direction: 'alternating' }),
    );
  });

  it('leaves out a season longer than half the series, and takes 1 and null for none', () => {
    expect(analyzePatterns([1, 2, 3, 4, 5, 6, 7, 8], { period: 5 })).toMatchObject({ period: null });
    expect(analyzePatterns([1, 2, 3, 4, 5, 6, 7, 8], { period: 5 }).notes.join()).toContain('at least 10 values');
    for (const period of [1, null]) expect(analyzePatterns(fixtures[0]?.values ?? [], { period }).period).toBeNull();
    expect(() => analyzePatterns([1, 2], { period: -1 })).toThrow(ValidationError);
  });

  it('says what is missing with few values', () => {
    expect(analyzePatterns([1]).notes.join()).toContain('anomalies need 8');
    expect(analyzePatterns([1, 2]).autocorrelation).toEqual([1, -0.5]);
  });
});

describe('change point and histogram', () => {
  it.each(fixtures)('$name: Pettitt is that of R', ({ values, r }) => {
    const { changePoint } = analyzePatterns(values);
    // R names the last value before the change, counted from 1: the first one after it, from 0.
    expect(changePoint).toMatchObject({ index: r.pettitt.index1, K: r.pettitt.K });
    expect(changePoint?.p).toBeCloseTo(r.pettitt.p, 12);
  });

  it('finds a planted change of level, and none in equal values', () => {
    const noise = gaussian(seededRandom(2));
    const values = Array.from({ length: 80 }, (_, i) => (i < 50 ? 0 : 3) + noise());
    const { changePoint } = analyzePatterns(values);
    expect(Math.abs((changePoint?.index ?? 0) - 50)).toBeLessThanOrEqual(2);
    expect(changePoint?.p).toBeLessThan(1e-6);
    expect((changePoint?.after ?? 0) - (changePoint?.before ?? 0)).toBeCloseTo(3, 0);
    expect(analyzePatterns([2, 2, 2, 2, 2]).changePoint).toBeNull();
  });

  it('counts every value in one bin', () => {
    const { values } = fixtures[1] ?? { values: [] };
    const { bins, n } = histogram(values);
    expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(n);
    for (const [i, { from, to, count }] of bins.entries()) {
      const last = i === bins.length - 1;
      expect(values.filter((value) => value >= from && (value < to || (last && value === to)))).toHaveLength(count);
    }
    expect(histogram([7, 7]).bins).toEqual([{ from: 7, to: 7, count: 2 }]);
  });
});

describe('anomalies under heavy contamination', () => {
  it('finds a fifth of planted ones beside trend and season, and hardly any other', () => {
    const random = seededRandom(31);
    const noise = gaussian(random);
    let found = 0;
    let wrong = 0;
    for (let round = 0; round < 10; round++) {
      const planted = new Set<number>();
      while (planted.size < 48) planted.add(Math.floor(random() * 240));
      const values = Array.from(
        { length: 240 },
        (_, i) =>
          100 + 0.1 * i + 10 * Math.sin((i * Math.PI) / 6) + noise() + (planted.has(i) ? (random() < 0.5 ? -8 : 8) : 0),
      );
      for (const { index } of analyzePatterns(values, { period: 12 }).anomalies) {
        if (planted.has(index)) found++;
        else wrong++;
      }
    }
    expect(found / 480).toBeGreaterThan(0.95);
    expect(wrong / 1920).toBeLessThan(0.01);
  });
});

describe('anomalies of clean series', () => {
  const clean: Readonly<Record<string, (t: number, n: number, season: number, noise: number, sum: number) => number>> =
    {
      'a season on a line': (t, _, season, noise) => 100 + 0.05 * t + 2 * season + noise,
      'a season that grows with the level': (t, n, season, noise) =>
        Math.exp(4.8 + (1.2 * t) / n + 0.15 * season + 0.04 * noise),
      'a season on a random walk': (_, __, season, noise, sum) => 100 + 3 * season + noise + 0.5 * sum,
      noise: (_, __, ___, noise) => 10 + noise,
      'a random walk': (_, __, ___, ____, sum) => 100 + sum,
    };

  it.each(Object.entries(clean))('%s: finds none in most, whatever the length', (kind, valueAt) => {
    const noise = gaussian(seededRandom(77));
    let alarms = 0;
    let series = 0;
    for (const [n, period] of [
      [36, 12],
      [60, 4],
      [144, 12],
      [200, 7],
    ] as const) {
      for (let round = 0; round < 30; round++, series++) {
        const season = Array.from({ length: period }, noise);
        let sum = 0;
        const values = Array.from({ length: n }, (_, t) => {
          sum += noise();
          return valueAt(t, n, season[t % period] ?? 0, noise(), sum);
        });
        const given = kind.startsWith('a season') ? period : null;
        if (analyzePatterns(values, { period: given }).anomalies.length > 0) alarms++;
      }
    }
    // 5 % of the series by the level of the test.
    expect(alarms / series).toBeLessThanOrEqual(0.075);
  });

  it('names nothing in the airline passengers, and in Nottingham the coldest February of the century', () => {
    const [passengers, nottingham] = fixtures;
    expect(analyzePatterns(passengers?.values ?? []).anomalies).toEqual([]);
    const odd = analyzePatterns(nottingham?.values ?? []).anomalies;
    expect(odd.map(({ index }) => nottingham?.times[index])).toEqual(['1929-02']);
  });

  it.each(['first', 'middle', 'last'])('finds one planted in the %s period', (where) => {
    const random = seededRandom(5);
    const noise = gaussian(random);
    let found = 0;
    for (let round = 0; round < 40; round++) {
      const place = { first: 0, middle: 60, last: 132 }[where] ?? 0;
      const odd = place + Math.floor(12 * random());
      const season = Array.from({ length: 12 }, noise);
      const error = (t: number): number => noise() + (t !== odd ? 0 : round % 2 === 0 ? 8 : -8);
      const values = Array.from({ length: 144 }, (_, t) =>
        Math.exp(5 + 0.01 * t + 0.15 * (season[t % 12] ?? 0) + 0.03 * error(t)),
      );
      if (analyzePatterns(values, { period: 12 }).anomalies.some(({ index }) => index === odd)) found++;
    }
    expect(found).toBeGreaterThanOrEqual(38);
  });
});

describe('frequencyTable', () => {
  it('counts few distinct values and bins many', () => {
    expect(frequencyTable([2, 1, 2, 2.5])).toEqual({ 1: 1, 2: 2, 2.5: 1 });
    const bins = frequencyTable(Array.from({ length: 100 }, (_, i) => i));
    expect(bins).toEqual({ '[0, 20)': 20, '[20, 40)': 20, '[40, 60)': 20, '[60, 80)': 20, '[80, 100]': 20 });
  });

  it('loses no value, whatever the values are', () => {
    const value = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: 0, max: 40 }).map((i) => 1e18 + 128 * i),
      fc.integer({ min: 0, max: 40 }).map((i) => i * 5e-324),
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 80 }), (values) => {
        const counts = frequencyTable(values);
        expect(Object.values(counts).reduce((a, b) => a + b, 0)).toBe(values.length);
        expect(Object.keys(counts).length).toBeLessThanOrEqual(60);
      }),
    );
  });
});

describe('takeApartRobustly', () => {
  it('gives parts that make up the series again', () => {
    for (const { values } of fixtures) {
      const { model, expected, remainder } = takeApartRobustly(values, 12);
      for (const [i, value] of values.entries()) {
        const whole =
          model === 'multiplicative'
            ? (expected[i] ?? 0) * Math.exp(remainder[i] ?? 0)
            : (expected[i] ?? 0) + (remainder[i] ?? 0);
        expect(whole).toBeCloseTo(value, 9);
      }
    }
  });

  it('is not moved by outliers', () => {
    const clean = Array.from(
      { length: 96 },
      (_, i) => 100 + i / 10 + ([5, -1, -4, 0][i % 4] ?? 0) + ((i * 7) % 5) / 10,
    );
    const spoiled = clean.map((value, i) => (i % 17 === 3 ? value + 80 : value));
    const { expected } = takeApartRobustly(spoiled, 4);
    for (const [i, value] of clean.entries()) expect(Math.abs((expected[i] ?? 0) - value)).toBeLessThan(1.5);
  });
});

describe('runningMedian', () => {
  it('is the median of each window', () => {
    const windows = fc.tuple(
      fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 9, maxLength: 60 }),
      fc.constantFrom(1, 3, 5, 9),
    );
    fc.assert(
      fc.property(windows, ([values, width]) => {
        const expected = values
          .slice(0, values.length - width + 1)
          .map((_, i) => values.slice(i, i + width).sort((a, b) => a - b)[(width - 1) / 2]);
        expect([...runningMedian(values, width)]).toEqual(expected);
      }),
    );
  });
});

describe('runsTest', () => {
  it('counts the runs of a known sequence', () => {
    const signs = [...'++--+++-+--+++---+-+--+-'].map((sign) => (sign === '+' ? 1 : -1));
    const test = runsTest(signs.map((sign, i) => sign * (1 + i / 100)));
    expect(test).toMatchObject({ runs: 14, expected: 13 });
    expect(test?.z).toBeCloseTo(1 / Math.sqrt((12 * 11) / 23), 12);
  });

  it('wants ten values on either side and finds noise to be random', () => {
    expect(runsTest([1, 2, 3, 4, 5, 6])).toBeNull();
    const noise = gaussian(seededRandom(8));
    expect(runsTest(Array.from({ length: 200 }, noise))?.p).toBeGreaterThan(0.05);
  });
});

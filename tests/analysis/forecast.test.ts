import { type ForecastOptions, forecast } from '@safla/sdk/analysis';
import { ValidationError } from '@safla/sdk/core';
import { describe, expect, it } from 'vitest';
import { benchmarks } from '../../src/analysis/forecast/benchmarks.js';
import { etsVariance } from '../../src/analysis/forecast/ets-variance.js';
import { minimiseInUnitCube } from '../../src/analysis/forecast/nelder-mead.js';
import { seededRandom } from '../../src/analysis/random.js';
import { type Fixture, fixtures, gaussian, relativeError, sMAPE } from './support.js';

const split = (
  { values }: Fixture,
  ahead = 12,
  cut = ahead,
): { past: readonly number[]; future: readonly number[] } => ({
  past: values.slice(0, values.length - cut),
  future: values.slice(values.length - cut).slice(0, ahead),
});
const covered = (result: ReturnType<typeof forecast>, future: readonly number[]): number =>
  future.filter((value, i) => value >= (result.lower?.[i] ?? Number.NaN) && value <= (result.upper?.[i] ?? Number.NaN))
    .length;

describe('forecast on the last year of known series', () => {
  it.each([
    ['air-passengers', 5],
    ['nottem', 3.5],
  ])('%s: sMAPE at most %d, and at least 10 of 12 in the 95 %% interval', (name, most) => {
    const { past, future } = split(fixtures.find((candidate) => candidate.name === name) as Fixture);
    const result = forecast(past, { horizon: 12 });
    expect(result).toMatchObject({ method: 'combination', period: 12, level: 0.95, n: past.length, notes: [] });
    // ETS in the form it chose, and three kinds more as they are and on logarithms.
    expect(result.models).toHaveLength(7);
    expect(sMAPE(result.mean, future)).toBeLessThanOrEqual(most);
    expect(covered(result, future)).toBeGreaterThanOrEqual(10);
  });

  it.each(fixtures)('$name: is as near as ets of R by ets and by the combination', (series) => {
    const { past, future } = split(series);
    const error = (method: 'ets' | 'combination'): number =>
      sMAPE(forecast(past, { horizon: 12, period: 12, method }).mean, future);
    expect((error('ets') + error('combination')) / 2).toBeLessThanOrEqual(series.r.forecast.ets.sMAPE * 1.05);
  });

  it.each(fixtures)('$name: keeps its level over 69 rolling years, ahead of the seasonal naive', (series) => {
    const runs = Array.from({ length: 69 }, (_, k) => {
      const { past, future } = split(series, 12, 12 + k);
      const result = forecast(past, { horizon: 12, period: 12 });
      return {
        error: sMAPE(result.mean, future),
        hits: covered(result, future),
        naive: sMAPE(past.slice(-12), future),
      };
    });
    const total = (key: 'error' | 'hits' | 'naive'): number => runs.reduce((sum, run) => sum + run[key], 0);
    expect(total('hits') / (69 * 12)).toBeGreaterThan(0.92);
    expect(total('error')).toBeLessThan(0.75 * total('naive'));
  });
});

describe('forecast intervals', () => {
  it.each(fixtures)('$name: of the naive and the seasonal naive method are those of R', (series) => {
    const { past } = split(series);
    for (const method of ['naive', 'snaive'] as const) {
      const { mean, lo95, hi95 } = series.r.forecast[method];
      const fitted = benchmarks
        .map((benchmark) => benchmark(past, 12))
        .find((fitted) => fitted?.method === (method === 'naive' ? method : 'seasonal-naive'));
      const found = fitted?.predict(12);
      expect(found?.mean).toEqual(mean);
      for (const [i, deviation] of (found?.deviation ?? []).entries()) {
        const half = 1.959963984540054 * deviation;
        expect(relativeError((mean[i] ?? 0) - half, lo95[i] ?? 0)).toBeLessThan(1e-9);
        expect(relativeError((mean[i] ?? 0) + half, hi95[i] ?? 0)).toBeLessThan(1e-9);
      }
    }
  });

  it('have no width where the past leaves no error', () => {
    const year = [3, 9, 4, 1];
    const result = forecast([...year, ...year, ...year, ...year], { horizon: 4 });
    expect(result).toMatchObject({ method: 'seasonal-naive', mean: year, lower: year, upper: year });
  });

  it.each([
    ['a line of 6', [2, 4, 6, 8, 10, 12]],
    ['a line of 30', Array.from({ length: 30 }, (_, i) => 0.1 * i + 7)],
    ['four equal values', [3, 3, 3, 3]],
    ['two years alike', [3, 9, 4, 1, 3, 9, 4, 1, 3, 9, 4, 1]],
  ])('say so where they have no width: %s', (_, values) => {
    const { mean, upper, notes } = forecast(values, { horizon: 3 });
    expect((upper?.[0] ?? 0) - (mean[0] ?? 0)).toBeLessThan(1e-9);
    expect(notes.join()).toContain('the intervals have no width');
  });

  it('have width, and no such note, where a line is missed by a little', () => {
    const { mean, upper, notes } = forecast([2, 4, 6.01, 8, 10, 12], { horizon: 3 });
    expect((upper?.[0] ?? 0) - (mean[0] ?? 0)).toBeGreaterThan(0.005);
    expect(notes.join()).not.toContain('no width');
  });

  it.each([
    { error: 'A', trend: 'A', season: 'A', period: 4 },
    { error: 'A', trend: 'Ad', season: 'N', period: 1 },
    { error: 'M', trend: 'A', season: 'A', period: 4 },
    { error: 'M', trend: 'Ad', season: 'M', period: 4 },
  ] as const)('have the variance that simulated paths of %j show', (shape) => {
    const rates = {
      alpha: 0.4,
      beta: 0.05,
      gamma: shape.season === 'N' ? 0 : 0.2,
      phi: shape.trend === 'Ad' ? 0.9 : 1,
    };
    const times = shape.season === 'M';
    const start = {
      level: 100,
      growth: 1,
      season: { A: [-20, 30, 0, -10], M: [0.8, 1.3, 1, 0.9], N: [0] }[shape.season],
    };
    const sigma = shape.error === 'M' ? 0.05 : 5;
    const noise = gaussian(seededRandom(17));
    const horizon = 10;
    const bases: number[] = [];
    for (let h = 0, level = start.level, growth = start.growth; h < horizon; h++) {
      growth *= rates.phi;
      level += growth;
      bases.push(level);
    }
    const seasons = bases.map((_, i) => start.season[i % shape.period] ?? 0);
    const sums = bases.map(() => ({ one: 0, two: 0 }));
    const paths = 40_000;
    for (let path = 0; path < paths; path++) {
      let { level, growth } = start;
      const season = [...start.season];
      for (const [i, sum] of sums.entries()) {
        const base = level + rates.phi * growth;
        const part = season[i % shape.period] ?? 0;
        const expected = times ? base * part : base + part;
        const error = sigma * noise() * (shape.error === 'M' ? expected : 1);
        const change = times ? error / part : error;
        level = base + rates.alpha * change;
        growth = rates.phi * growth + rates.beta * change;
        season[i % shape.period] = part + rates.gamma * (times ? error / base : error);
        sum.one += expected + error;
        sum.two += (expected + error) ** 2;
      }
    }
    const variances = etsVariance(shape, rates, sigma * sigma, bases, seasons);
    for (const [i, { one, two }] of sums.entries()) {
      const simulated = two / paths - (one / paths) ** 2;
      expect(relativeError(variances[i] ?? 0, simulated)).toBeLessThan(0.06);
    }
  });

  it('narrow with the level and hold the mean', () => {
    const { values } = fixtures[0] as Fixture;
    const wide = forecast(values, { horizon: 6, level: 0.99 });
    const narrow = forecast(values, { horizon: 6, level: 0.5 });
    expect(wide.mean).toEqual(narrow.mean);
    for (const [i, mean] of wide.mean.entries()) {
      const ends = [wide.lower, narrow.lower, wide.mean, narrow.upper, wide.upper].map(
        (list) => list?.[i] ?? Number.NaN,
      );
      expect(ends).toEqual([...ends].sort((a, b) => a - b));
      expect(ends[2]).toBe(mean);
    }
  });
});

describe('forecast bounds', () => {
  it('hold the mean and the interval', () => {
    const falling = Array.from({ length: 30 }, (_, i) => 30 - i + (i % 3));
    const free = forecast(falling, { horizon: 10, period: null });
    expect(Math.min(...(free.lower ?? []))).toBeLessThan(0);
    const { mean, lower, upper } = forecast(falling, { horizon: 10, period: null, minimum: 0, maximum: 4 });
    for (const list of [mean, lower ?? [], upper ?? []]) {
      expect(list).toHaveLength(10);
      for (const value of list) expect(value).toBeGreaterThanOrEqual(0);
      for (const value of list) expect(value).toBeLessThanOrEqual(4);
    }
  });
});

describe('forecast by a method named', () => {
  const { values } = fixtures[0] as Fixture;

  it.each(['naive', 'mean', 'drift', 'seasonal-naive', 'ets', 'theta', 'arima', 'damped-trend'] as const)(
    'uses %s and says so',
    (method) => {
      const result = forecast(values, { horizon: 5, period: 12, method });
      expect(result).toMatchObject({ method, notes: [] });
      expect(result.models).toHaveLength(1);
      expect(result.lower?.every((low, i) => low < (result.mean[i] ?? 0))).toBe(true);
    },
  );

  it('says why it could not', () => {
    const { method, notes } = forecast([3, 1, 2], { horizon: 2, method: 'theta' });
    expect(method).toBe('naive');
    expect(notes.join()).toContain('for theta');
  });
});

describe('forecast chooses', () => {
  const noise = gaussian(seededRandom(4));

  it('the line for a line, and it goes on', () => {
    expect(forecast([1, 2, 3, 4, 5], { horizon: 3 })).toMatchObject({ mean: [6, 7, 8], method: 'drift' });
  });

  it('a level for noise about a level', () => {
    const { method, mean } = forecast(
      Array.from({ length: 200 }, () => 50 + noise()),
      { horizon: 10 },
    );
    expect(method).toBe('combination');
    expect(Math.max(...mean) - Math.min(...mean)).toBeLessThan(1);
    expect(mean[0]).toBeGreaterThan(49);
    expect(mean[0]).toBeLessThan(51);
  });

  it('no multiplicative method where a value is not positive', () => {
    const { values } = fixtures[0] as Fixture;
    const shifted = values.map((value) => value - 300);
    expect(forecast(shifted, { horizon: 12 }).models.join()).not.toMatch(/ETS\([^)]*M|multiplicative/);
    expect(forecast(values, { horizon: 12 }).models.join()).toMatch(/multiplicative/);
  });

  it('the same for the same series, in any unit', () => {
    const { values } = fixtures[1] as Fixture;
    const plain = forecast(values, { horizon: 12 });
    expect(forecast([...values], { horizon: 12 })).toEqual(plain);
    const scaled = forecast(
      values.map((value) => value * 2 ** 40),
      { horizon: 12 },
    );
    expect(scaled.method).toBe(plain.method);
    for (const [i, mean] of plain.mean.entries())
      expect(relativeError(scaled.mean[i] ?? 0, mean * 2 ** 40)).toBeLessThan(1e-4);
  });

  it('no season when told that there is none', () => {
    const { values } = fixtures[0] as Fixture;
    for (const period of [null, 1]) {
      const { models, period: found } = forecast(values, { horizon: 3, period });
      expect(found).toBeNull();
      expect(models.join()).not.toMatch(/season|ETS\(.,.,[AM]/);
    }
  });
});

describe('forecast with little to go on', () => {
  it.each([
    [[5], { mean: [5, 5], lower: null, upper: null, method: 'naive' }],
    [[5, 7], { mean: [7, 7], lower: null, upper: null, method: 'naive' }],
    [[4, 4, 4, 4, 4], { mean: [4, 4], lower: [4, 4], upper: [4, 4], method: 'naive' }],
  ])('repeats the last of %j and says why', (values, expected) => {
    const result = forecast(values, { horizon: 2 });
    expect(result).toMatchObject(expected);
    expect(result.notes.length).toBeGreaterThan(0);
  });

  it('uses a season longer than half the series as far as it can', () => {
    const values = [1, 5, 2, 8, 3, 9, 1];
    expect(forecast(values, { horizon: 8, period: 40 })).toMatchObject({ period: 40 });
    expect(forecast(values, { horizon: 8, period: 5 }).notes.join()).toContain('10 values');
  });

  it('stays within the doubles where a trend would leave them', () => {
    const { mean, upper } = forecast([1e308, 1.2e308, 1.4e308, 1.6e308, 1.7e308], { horizon: 9 });
    expect(mean.every(Number.isFinite)).toBe(true);
    expect(upper?.at(-1)).toBe(Number.MAX_VALUE);
  });

  it.each([
    { horizon: 0 },
    { horizon: 1.5 },
    { horizon: 10_001 },
    { horizon: 3, period: -12 },
    { horizon: 3, period: 0 },
    { horizon: 3, level: 1 },
    { horizon: 3, level: 95 },
    { horizon: 3, method: 'guess' },
    { horizon: 3, minimum: 2, maximum: 1 },
    { horizon: 3, levle: 0.9 },
  ])('refuses %j', (options) => {
    expect(() => forecast([1, 2, 3], options as ForecastOptions)).toThrow(ValidationError);
  });
});

describe('minimiseInUnitCube', () => {
  it('finds the bottom of a curved valley', () => {
    const { point, value } = minimiseInUnitCube(
      ([x = 0, y = 0]) => (0.7 - x) ** 2 + 100 * (y - x * x) ** 2,
      [0.1, 0.9],
      { maxEvaluations: 2_000, tolerance: 1e-14 },
    );
    expect(value).toBeLessThan(1e-10);
    expect(point[0]).toBeCloseTo(0.7, 4);
  });

  it('stays in the cube, and minds no infinities', () => {
    const { point } = minimiseInUnitCube(([x = 0, y = 0]) => (x > 0.9 ? Number.NaN : -x - y), [0.5, 0.5]);
    expect(point[0]).toBeGreaterThan(0.85);
    expect(point[0]).toBeLessThanOrEqual(0.9);
    expect(point[1]).toBeCloseTo(1, 6);
  });
});

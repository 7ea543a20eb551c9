import { decompose } from '@safla/sdk/analysis';
import { ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { squaredDeviations } from '../../src/analysis/numeric.js';
import { type Fixture, fixtures } from './support.js';

describe('decompose', () => {
  it.each(fixtures)('$name: has the strengths that R finds', ({ values, r }) => {
    const periodic = decompose(values, { period: 12 });
    expect(Math.abs((periodic.seasonalStrength ?? 0) - r.stl_periodic.seasonal)).toBeLessThan(1e-9);
    expect(Math.abs(periodic.trendStrength - r.stl_periodic.trend)).toBeLessThan(1e-9);
    const evolving = decompose(values, { period: 12, seasonWindow: 11 });
    expect(Math.abs((evolving.seasonalStrength ?? 0) - r.mstl.seasonal)).toBeLessThan(0.02);
    expect(Math.abs(evolving.trendStrength - r.mstl.trend)).toBeLessThan(0.02);
  });

  it.each(fixtures)('$name: has the components of stl of R', ({ name, values, r }) => {
    const spread = Math.sqrt(squaredDeviations(values) / values.length);
    for (const { window, robust, season, trend, at } of r.stl) {
      const found = decompose(values, { period: 12, seasonWindow: window, robust });
      // After the first round R's stl weighs by a median that its partial sort, asked for the upper of the
      // two middle values first, can miss: on the passengers it finds 6.15 for 6.40 after one round.
      const sameMedians = !robust || (name === 'nottem' && window === 'periodic');
      const most = sameMedians ? 1e-9 : 0.02 * spread;
      for (const [k, index] of at.entries()) {
        expect(Math.abs((found.season[index] ?? 0) - (season[k] ?? 0))).toBeLessThan(most);
        expect(Math.abs((found.trend[index] ?? 0) - (trend[k] ?? 0))).toBeLessThan(most);
      }
    }
  });

  it('gives parts that make up the series, by sum and by product', () => {
    const { values } = fixtures[0] as Fixture;
    for (const model of ['additive', 'multiplicative'] as const) {
      const { trend, season, remainder, ...rest } = decompose(values, { period: 12, model });
      expect(rest).toMatchObject({ n: 144, model, period: 12, notes: [] });
      for (const [i, value] of values.entries()) {
        const parts = [trend[i] ?? 0, season[i] ?? 0, remainder[i] ?? 0] as const;
        const whole = model === 'additive' ? parts[0] + parts[1] + parts[2] : parts[0] * parts[1] * parts[2];
        expect(whole).toBeCloseTo(value, 8);
      }
    }
  });

  it('leaves next to nothing of a line with an exact season, in any unit', () => {
    for (const unit of [1, 1e300, 1e-300]) {
      const values = Array.from({ length: 40 }, (_, i) => unit * (100 + 2 * i + ([5, -1, -4, 0][i % 4] ?? 0)));
      const { remainder, seasonalStrength } = decompose(values, { period: 4 });
      for (const rest of remainder) expect(Math.abs(rest)).toBeLessThan(0.5 * unit);
      expect(seasonalStrength).toBeGreaterThan(0.99);
    }
  });

  it('gives outliers no weight when robust', () => {
    const clean = Array.from({ length: 96 }, (_, i) => 50 + 0.5 * i + Math.sin(i) + 8 * Math.sin((i * Math.PI) / 6));
    const spoiled = clean.with(30, 500);
    const shift = (robust: boolean): number => {
      const { trend } = decompose(spoiled, { period: 12, robust });
      const { trend: before } = decompose(clean, { period: 12, robust });
      return Math.max(...trend.map((level, i) => Math.abs(level - (before[i] ?? 0))));
    };
    expect(shift(true)).toBeLessThan(shift(false) / 10);
  });

  it('has no season where there is none or too little of it, and says so', () => {
    expect(decompose([4, 9, 2, 7, 1], { period: null })).toMatchObject({ period: null, seasonalStrength: null });
    const short = decompose([1, 2, 3, 4, 5, 6, 7], { period: 5 });
    expect(short.period).toBeNull();
    expect(short.notes.join()).toContain('at least 10 values');
    expect(decompose([7])).toMatchObject({ trend: [7], season: [0], remainder: [0], trendStrength: 0 });
  });

  it.each([{ period: 0 }, { seasonWindow: 5 }, { trendWindow: 1 }, { model: 'both' }, { windows: 3 }])(
    'refuses %j',
    (options) => {
      expect(() => decompose([1, 2, 3, 4], options as object)).toThrow(ValidationError);
    },
  );

  it('refuses a multiplicative model of values that are not positive, and names the first', () => {
    expect(() => decompose([3, 2, 0, 1], { model: 'multiplicative' })).toThrow(/item 3/);
  });

  it('answers any series with finite numbers', () => {
    const series = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(series, fc.integer({ min: 1, max: 12 }), fc.boolean(), (values, period, robust) => {
        const { trend, season, remainder, trendStrength } = decompose(values, { period, robust });
        for (const number of [...trend, ...season, ...remainder, trendStrength]) {
          expect(Number.isFinite(number)).toBe(true);
        }
      }),
    );
  });
});

import { analyzeTrend, forecast } from '@safla/sdk/analysis';
import { ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hamedRao } from '../../src/analysis/hamed-rao.js';
import { linearTrend } from '../../src/analysis/linear-trend.js';
import { mannKendall } from '../../src/analysis/mann-kendall.js';
import { seededRandom } from '../../src/analysis/random.js';
import { senExactUpTo, senSlope } from '../../src/analysis/sen-slope.js';
import { fixtures, gaussian, relativeError } from './support.js';

describe('analyzeTrend against R 4.2.2', () => {
  it.each(fixtures)('agrees on $name', ({ values, r }) => {
    const found = analyzeTrend(values);
    const { S, varS, z, p, tau } = found.mannKendall;
    expect(S).toBe(r.mannKendall.S);
    for (const [actual, expected] of [
      [varS, r.mannKendall.varS],
      [z, r.mannKendall.z],
      [p, r.mannKendall.p],
      [tau, r.mannKendall.tau_b],
      [found.senSlope?.slope, r.sen.slope],
      [found.senSlope?.lower, r.sen.lo],
      [found.senSlope?.upper, r.sen.hi],
      [found.slope, r.ols.slope],
      [found.intercept, r.ols.intercept1 + r.ols.slope],
      [found.r2, r.ols.r2],
      [linearTrend(values).p, r.ols.p],
    ]) {
      expect(relativeError(actual ?? Number.NaN, expected ?? 0)).toBeLessThan(1e-9);
    }
    expect(found.seasonality?.period).toBe(r.frequency);
    expect(Math.abs((found.seasonality?.strength ?? 0) - r.stl_periodic.seasonal)).toBeLessThan(0.02);
    expect(Math.abs((found.seasonality?.trendStrength ?? 0) - r.stl_periodic.trend)).toBeLessThan(0.02);
    expect(found.seasonality?.p).toBeLessThan(1e-6);
  });
});

describe('analyzeTrend', () => {
  it('names the direction, and stable where the test finds none', () => {
    expect(fixtures.map(({ values }) => analyzeTrend(values).trend)).toEqual(['increasing', 'stable']);
    expect(analyzeTrend([9, 8, 7, 6, 5, 4]).trend).toBe('decreasing');
    expect(analyzeTrend([9, 8, 7, 6, 5, 4], { alpha: 0.001 }).trend).toBe('stable');
  });

  it('forecasts one season, five steps without a season, or the horizon asked for', () => {
    const { values } = fixtures[0] ?? { values: [] };
    expect(analyzeTrend(values).forecast).toEqual(forecast(values, { horizon: 12 }).mean);
    expect(analyzeTrend([1, 2, 3, 4, 5]).forecast).toEqual([6, 7, 8, 9, 10]);
    expect(analyzeTrend([1, 2, 3, 4, 5], { horizon: 2 }).forecast).toEqual([6, 7]);
  });

  it('measures how strong the season is', () => {
    const noise = gaussian(seededRandom(3));
    const strength = (amplitude: number): number =>
      analyzeTrend(
        Array.from({ length: 120 }, (_, i) => amplitude * Math.sin((2 * Math.PI * i) / 12) + noise()),
        { period: 12 },
      ).seasonality?.strength ?? Number.NaN;
    expect(strength(20)).toBeGreaterThan(0.98);
    expect(strength(0)).toBeLessThan(0.4);
    expect(analyzeTrend(fixtures[0]?.values ?? [], { period: null }).seasonality).toBeNull();
  });

  it('leaves out a season that is longer than half the series, and says so', () => {
    const { seasonality, notes } = analyzeTrend([1, 2, 3, 4, 5, 6, 7], { period: 4 });
    expect(seasonality).toBeNull();
    expect(notes.join()).toContain('at least 8 values, there are 7');
  });

  it('answers for one value, two values and equal values', () => {
    expect(analyzeTrend([5])).toMatchObject({
      trend: 'stable',
      slope: 0,
      correlation: 0,
      senSlope: null,
      forecast: [5, 5, 5, 5, 5],
    });
    expect(analyzeTrend([5, 7])).toMatchObject({ trend: 'stable', slope: 2, correlation: 1, senSlope: { slope: 2 } });
    expect(analyzeTrend([4, 4, 4, 4])).toMatchObject({
      trend: 'stable',
      slope: 0,
      mannKendall: { S: 0, p: 1, tau: 0 },
    });
    expect(analyzeTrend([0.1, 0.1, 0.1]).r2).toBe(0);
  });

  it.each([{ alpha: 0 }, { alpha: 1 }, { period: -3 }, { period: 0 }, { period: 2.5 }, { horizon: 0 }])(
    'refuses %j',
    (options) => {
      expect(() => analyzeTrend([1, 2, 3], options)).toThrow(ValidationError);
    },
  );
});

describe('hamedRao', () => {
  const noise = gaussian(seededRandom(12));
  const persistent = (): number[] => {
    let level = 0;
    return Array.from({ length: 100 }, () => {
      level = 0.6 * level + noise();
      return level;
    });
  };

  it('rejects far less often where values are like their neighbours and there is no trend', () => {
    let plain = 0;
    let adjusted = 0;
    for (let round = 0; round < 400; round++) {
      const values = persistent();
      const test = mannKendall(values);
      if (test.p < 0.05) plain++;
      if (hamedRao(values, test, senSlope(values, test.varS, 0.95).slope).p < 0.05) adjusted++;
    }
    expect(plain / 400).toBeGreaterThan(0.25);
    expect(adjusted).toBeLessThan(0.65 * plain);
  });

  it('decides when asked to, and a note tells where it disagrees', () => {
    for (let tries = 0; tries < 200; tries++) {
      const values = persistent();
      const found = analyzeTrend(values, { period: null, horizon: 1 });
      if (found.mannKendall.p >= 0.05 || (found.hamedRao?.p ?? 0) < 0.05) continue;
      expect(found.trend).not.toBe('stable');
      expect(found.notes.join()).toContain('like their neighbours');
      expect(analyzeTrend(values, { period: null, horizon: 1, test: 'hamed-rao' }).trend).toBe('stable');
      return;
    }
    throw new Error('the two tests never disagreed');
  });

  it('is the plain test for independent values', () => {
    const { hamedRao: adjusted, mannKendall: test } = analyzeTrend([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], {
      period: null,
    });
    expect(adjusted).toMatchObject({ factor: 1, z: test.z });
    expect(analyzeTrend([1, 2, 3]).hamedRao).toBeNull();
  });
});

describe('mannKendall', () => {
  it('counts as the definition does, with ties', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 80 }), (values) => {
        let S = 0;
        for (const [i, early] of values.entries()) for (const late of values.slice(i + 1)) S += Math.sign(late - early);
        expect(mannKendall(values).S).toBe(S);
      }),
    );
  });

  it('rejects a true absence of trend about as often as its level says', () => {
    const noise = gaussian(seededRandom(11));
    const rejected = Array.from({ length: 400 }, () => mannKendall(Array.from({ length: 40 }, noise)).p < 0.05).filter(
      Boolean,
    );
    expect(rejected.length / 400).toBeGreaterThan(0.02);
    expect(rejected.length / 400).toBeLessThan(0.08);
  });
});

describe('senSlope', () => {
  it('is not moved by a fifth of wild values', () => {
    const values = Array.from({ length: 50 }, (_, i) => (i % 5 === 0 ? 1e6 : 3 * i));
    const { slope } = senSlope(values, mannKendall(values).varS, 0.95);
    expect(slope).toBeGreaterThan(2);
    expect(slope).toBeLessThan(4);
  });

  it('samples beyond its exact range, near the truth and with an interval that holds it', () => {
    const noise = gaussian(seededRandom(5));
    const values = Array.from({ length: 4 * senExactUpTo }, (_, i) => 0.01 * i + 10 * noise());
    const { slope, lower, upper, exact } = senSlope(values, mannKendall(values).varS, 0.95);
    expect(exact).toBe(false);
    expect(slope).toBeCloseTo(0.01, 3);
    expect(lower).toBeLessThan(0.01);
    expect(upper).toBeGreaterThan(0.01);
    expect(analyzeTrend(values, { period: null }).notes.join()).toContain('million');
  });
});

import {
  analyzePatterns,
  analyzeStatistics,
  analyzeTrend,
  detectPeriod,
  forecast,
  toSVG,
  toTerminalChart,
} from '@safla/sdk/analysis';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/analysis/random.js';
import { numbersIn } from './support.js';

const anyDouble = fc.double({ noNaN: true, noDefaultInfinity: true });
const extreme = fc.constantFrom(0, -0, 5e-324, 1e-308, -1e-308, 1e308, -1e308, Number.MAX_VALUE, -Number.MAX_VALUE, 1);
const element = fc.oneof(anyDouble, extreme, fc.integer({ min: -3, max: 3 }));
const anySeries = fc.array(element, { minLength: 1, maxLength: 50 });

describe('any finite series', () => {
  it('gives finite numbers and null, never NaN or infinities', () => {
    fc.assert(
      fc.property(anySeries, fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }), (values, period) => {
        const season = period === undefined ? {} : { period };
        const prediction = forecast(values, { horizon: 5, ...season });
        const results = [
          analyzeStatistics(values),
          analyzePatterns(values, season),
          analyzeTrend(values, season),
          prediction,
        ];
        for (const number of numbersIn(results)) expect(Number.isFinite(number)).toBe(true);
        for (const drawing of [
          toSVG({ values, forecast: prediction }),
          toTerminalChart({ values, forecast: prediction }),
        ]) {
          expect(drawing).not.toMatch(/NaN|Infinity|undefined/);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('is not changed by being analysed', () => {
    const values = Object.freeze([3, 1, 2, 3, 1, 2, 3, 1, 2]);
    analyzeStatistics(values);
    analyzePatterns(values);
    analyzeTrend(values);
    forecast(values, { horizon: 2 });
    expect(values).toEqual([3, 1, 2, 3, 1, 2, 3, 1, 2]);
  });
});

describe('two hundred thousand values', () => {
  const random = seededRandom(1);
  const values = Array.from({ length: 2e5 }, (_, i) => Math.sin((2 * Math.PI * i) / 100) + i * 1e-5 + random());

  it('are analysed, with what was sampled or cut said in notes', { timeout: 240_000 }, () => {
    expect(detectPeriod(values)).toBe(100);
    expect(analyzeStatistics(values).n).toBe(2e5);
    const { patterns, correlations } = analyzePatterns(values, { period: 100 });
    expect(patterns.map(({ type }) => type)).toEqual(['trend', 'seasonality', 'runs']);
    expect(correlations.find(({ lag }) => lag === 100)?.value).toBeGreaterThan(0.8);
    const trend = analyzeTrend(values, { period: 100 });
    expect(trend.slope).toBeCloseTo(1e-5, 6);
    expect(trend.notes.join()).toContain('million');
    expect(forecast(values, { horizon: 3, period: 100 }).notes.join()).toContain('latest 1000 values');
  });
});

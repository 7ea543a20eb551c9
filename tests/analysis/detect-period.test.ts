import { detectPeriod } from '@safla/sdk/analysis';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/analysis/random.js';
import { fixtures, gaussian } from './support.js';

const random = seededRandom(2024);
const noise = gaussian(random);
const series = (n: number, at: (i: number) => number): number[] => Array.from({ length: n }, (_, i) => at(i));
const walk = (n: number): number[] => {
  let level = 0;
  return series(n, () => (level += noise()));
};

const swinging = (n: number): number[] => {
  let [last, before] = [0, 0];
  return series(n, () => {
    [last, before] = [1.2 * last - 0.8 * before + noise(), last];
    return last;
  });
};

describe('detectPeriod', () => {
  it.each(fixtures)('finds the year in $name, also from its first three years', ({ values }) => {
    expect([36, 60, values.length].map((n) => detectPeriod(values.slice(0, n)))).toEqual([12, 12, 12]);
  });

  it.each([
    [
      'a week on top of a random walk',
      7,
      (() => {
        const level = walk(140);
        return series(140, (i) => (level[i] ?? 0) / 2 + (i % 7 > 4 ? 3 : 0));
      })(),
    ],
    ['one day of seven that stands out', 7, series(70, (i) => (i % 7 === 3 ? 3 : 0) + 0.5 * noise())],
    ['a long smooth wave in noise', 50, series(1_000, (i) => 2 * Math.sin((2 * Math.PI * i) / 50) + noise())],
    [
      'a daily shape and a slope',
      24,
      series(480, (i) => 3 * Math.max(0, Math.sin((2 * Math.PI * i) / 24)) + 0.7 * noise() + 0.05 * i),
    ],
    ['an exact repetition', 3, [1, 2, 3, 1, 2, 3, 1, 2, 3]],
    ['up and down', 2, [1, 2, 1, 2, 1, 2, 1, 2]],
    ['up and down between the largest numbers', 2, series(30, (i) => (i % 2 ? 1 : -1) * 1.7e308)],
    ['up and down between numbers whose sums round', 2, series(30, (i) => (i % 2 ? 1 : -1) * 1e70)],
    ['a small season far from 0', 5, series(60, (i) => 1e12 + (i % 5) * 0.01)],
    ['huge numbers', 3, [1e308, 2e307, 3e307, 1e308, 2e307, 3e307, 1e308, 2e307, 3e307]],
  ])('finds %s', (_, period, values) => {
    expect(detectPeriod(values)).toBe(period);
  });

  it.each([
    ['equal values', series(50, () => 4)],
    ['a straight line', series(50, (i) => 3 * i)],
    ['a straight line that rounds', series(30, (i) => i * 0.1)],
    ['a longer straight line that rounds', series(5_000, (i) => i / 3)],
    ['a straight line far from 0', series(60, (i) => 1e9 + 0.1 * i)],
    ['a slow straight line', series(365, (i) => 20 + i * 0.01)],
    ['exponential growth', series(100, (i) => Math.exp(i / 20))],
    ['one value', [1]],
    ['too few values', [1, 2, 1, 2, 1, 2, 1]],
  ])('finds nothing in %s', (_, values) => {
    expect(detectPeriod(values)).toBeNull();
  });

  it.each([
    ['white noise', (n: number) => series(n, noise)],
    ['random walks', walk],
    ['noise that swings without a beat', swinging],
  ])('is seldom deceived by %s', (_, make) => {
    const found = series(150, (i) => (detectPeriod(make(60 + i)) === null ? 0 : 1));
    expect(found.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(5);
  });
});

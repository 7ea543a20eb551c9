import { matrixProfile } from '@safla/sdk/analysis';
import { ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/analysis/random.js';
import { gaussian } from './support.js';

/** Distance of two stretches by its definition. */
function distance(values: readonly number[], a: number, b: number, window: number): number {
  const normalised = (start: number): number[] => {
    const part = values.slice(start, start + window);
    const mean = part.reduce((sum, value) => sum + value, 0) / window;
    const spread = Math.sqrt(part.reduce((sum, value) => sum + (value - mean) ** 2, 0) / window);
    return part.map((value) => (value - mean) / spread);
  };
  const [left, right] = [normalised(a), normalised(b)];
  return Math.sqrt(left.reduce((sum, value, i) => sum + (value - (right[i] ?? 0)) ** 2, 0));
}

describe('matrixProfile', () => {
  it('is what comparing all stretches by definition gives', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 4, max: 12 }), (seed, window) => {
        const noise = gaussian(seededRandom(seed));
        const values = Array.from({ length: 50 }, () => 1e4 + noise());
        const { profile } = matrixProfile(values, { window });
        const apart = Math.ceil(window / 4) + 1;
        for (const [i, found] of profile.entries()) {
          let nearest = Number.POSITIVE_INFINITY;
          for (let j = 0; j < profile.length; j++) {
            if (Math.abs(i - j) >= apart) nearest = Math.min(nearest, distance(values, i, j, window));
          }
          expect(found).toBeCloseTo(nearest, 5);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('finds a planted motif and a planted discord', () => {
    const noise = gaussian(seededRandom(9));
    const shape = Array.from({ length: 30 }, (_, i) => 3 * Math.sin(i / 2) * Math.exp(-i / 20));
    const values = Array.from({ length: 600 }, (_, i) => Math.sin(i / 8) + 0.05 * noise());
    for (const start of [100, 431]) for (const [k, value] of shape.entries()) values[start + k] = value;
    for (let k = 0; k < 30; k++) values[300 + k] = ((k * 37) % 11) / 4;
    const { motifs, discords, n, notes } = matrixProfile(values, { window: 30 });
    expect({ n, notes }).toEqual({ n: 600, notes: [] });
    expect(motifs[0]).toMatchObject({ first: 100, second: 431 });
    expect(motifs[0]?.distance).toBeLessThan(1e-3);
    expect(Math.abs((discords[0]?.index ?? 0) - 300)).toBeLessThan(30);
    const starts = motifs.flatMap(({ first, second }) => [first, second]).sort((a, b) => a - b);
    for (const [i, start] of starts.entries()) expect(start - (starts[i - 1] ?? -99)).toBeGreaterThanOrEqual(30);
  });

  it('knows flat stretches', () => {
    const values = [...new Array<number>(20).fill(5), 1, 7, 2, 9, 4, 8, ...new Array<number>(20).fill(5)];
    const { profile } = matrixProfile(values, { window: 5 });
    expect(profile[0]).toBe(0);
    expect(profile.every(Number.isFinite)).toBe(true);
  });

  it('says what it will not do', () => {
    expect(() => matrixProfile(new Array<number>(20_001).fill(1), { window: 10 })).toThrow(/20000 values, found 20001/);
    expect(() => matrixProfile([1, 2, 3, 4, 5, 6], { window: 5 })).toThrow(ValidationError);
    expect(() => matrixProfile([1, 2, 3], { window: 4 })).toThrow(/needs 8 values/);
    expect(() => matrixProfile([1, 2, 3, 4, 5, 6, 7, 8], { window: 4, count: 0 })).toThrow(ValidationError);
  });
});

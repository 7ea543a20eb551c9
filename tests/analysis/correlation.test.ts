import { analyzeTable, correlate } from '@safla/sdk/analysis';
import { ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const x = [2.1, 3.4, 1.9, 5.6, 4.4, 4.4, 7.2, 6.1, 8.8, 7.2, 9.5, 11.1];
const y = [1.2, 2.9, 2.0, 3.1, 4.8, 4.1, 4.1, 6.6, 6.0, 8.3, 7.7, 9.9];

describe('correlate', () => {
  // cor.test(x, y, method, exact = FALSE) of R 4.2.2; both columns have ties.
  it.each([
    ['pearson', 0.880385320699705, 0.000157241501017179],
    ['spearman', 0.868191147469612, 0.000250092349235112],
    ['kendall', 0.7287040657116, 0.00117182518219049],
  ] as const)('%s is that of R, with its p', (method, coefficient, p) => {
    const found = correlate(x, y, { method });
    expect(found).toMatchObject({ method, n: 12, notes: [] });
    expect(found.coefficient).toBeCloseTo(coefficient, 12);
    expect(found.p).toBeCloseTo(p, 12);
  });

  it('has the interval of R for Pearson', () => {
    const [low, high] = correlate(x, y).confidenceInterval ?? [];
    expect(low).toBeCloseTo(0.619477570439573, 12);
    expect(high).toBeCloseTo(0.966140197933961, 12);
  });

  it('leaves out rows with a missing value and says how many', () => {
    const found = correlate([...x, null, 3, Number.NaN], [...y, 5, undefined, 1]);
    expect(found.coefficient).toBeCloseTo(0.880385320699705, 12);
    expect(found.n).toBe(12);
    expect(found.notes.join()).toContain('3 of 15 rows');
  });

  it('is null with a reason where it is not defined', () => {
    expect(correlate([1, 2], [3, 4])).toMatchObject({ coefficient: null, p: null, confidenceInterval: null });
    expect(correlate([1, 2], [3, 4]).notes.join()).toContain('needs 3');
    for (const method of ['pearson', 'spearman', 'kendall'] as const) {
      const found = correlate([5, 5, 5, 5], [1, 2, 3, 4], { method });
      expect(found.coefficient).toBeNull();
      expect(found.notes.join()).toContain('equal');
    }
  });

  it('is 1 for the same order and -1 for the reverse, without overflow', () => {
    const huge = [1e308, -1e308, 3e307, 1.5e308, 0];
    for (const method of ['pearson', 'spearman', 'kendall'] as const) {
      expect(correlate(huge, huge, { method }).coefficient).toBeCloseTo(1, 12);
      expect(
        correlate(
          huge,
          huge.map((value) => -value),
          { method },
        ).coefficient,
      ).toBeCloseTo(-1, 12);
    }
  });

  it('counts concordant pairs as going through all of them does', () => {
    const small = fc.integer({ min: 0, max: 4 });
    fc.assert(
      fc.property(fc.array(fc.tuple(small, small), { minLength: 3, maxLength: 30 }), (pairs) => {
        let S = 0;
        for (const [i, [a, b]] of pairs.entries()) {
          for (const [c, d] of pairs.slice(0, i)) S += Math.sign(a - c) * Math.sign(b - d);
        }
        const { coefficient } = correlate(
          pairs.map(([a]) => a),
          pairs.map(([, b]) => b),
          { method: 'kendall' },
        );
        expect(Math.sign(coefficient ?? 0)).toBe(coefficient === null ? 0 : Math.sign(S));
        expect(Math.abs(coefficient ?? 0)).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
  });

  it('refuses columns that do not fit, and what is no number', () => {
    expect(() => correlate([1, 2, 3], [1, 2])).toThrow(ValidationError);
    expect(() => correlate([1, 2, 3], [1, 'a', 3] as unknown as number[])).toThrow(/item 2/);
    expect(() => correlate(x, y, { method: 'cosine' as 'pearson' })).toThrow(/pearson, spearman, kendall/);
  });
});

describe('analyzeTable', () => {
  it('describes each column and all pairs', () => {
    const { rows, columns, correlations, notes } = analyzeTable({ x, y, gaps: x.map((v, i) => (i % 2 ? null : v)) });
    expect(rows).toBe(12);
    expect(columns.x?.mean).toBeCloseTo(x.reduce((a, b) => a + b) / 12, 12);
    expect(columns.gaps).toMatchObject({ n: 6 });
    expect(columns.gaps?.notes.join()).toContain('6 of 12 values are missing');
    expect(correlations.names).toEqual(['x', 'y', 'gaps']);
    expect(correlations.coefficients[0]?.[1]).toBeCloseTo(0.880385320699705, 12);
    expect(correlations.coefficients[2]?.[0]).toBeCloseTo(1, 12);
    expect(correlations.p[0]?.[1]).toBeCloseTo(0.000157241501017179, 12);
    expect(notes).toEqual([]);
  });

  it('says which column has no values', () => {
    const { columns, notes, correlations } = analyzeTable({ a: [1, 2, 3], b: [null, undefined, Number.NaN] });
    expect(columns.b).toBeNull();
    expect(notes).toEqual(['b has no values.']);
    expect(correlations.coefficients[0]?.[1]).toBeNull();
  });

  it.each([[{}], [{ a: [] }], [{ a: [1], b: [1, 2] }], [{ a: 'text' }]])('refuses %j', (table) => {
    expect(() => analyzeTable(table as unknown as Record<string, number[]>)).toThrow(ValidationError);
  });
});

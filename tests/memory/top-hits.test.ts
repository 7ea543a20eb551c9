import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopHits } from '../../src/memory/local/top-hits.js';

describe('TopHits', () => {
  it('keeps what sorting everything by score, then id, would put first', () => {
    const scores = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 200, size: 'max' });
    fc.assert(
      fc.property(scores, fc.integer({ min: 1, max: 60 }), (given, limit) => {
        const hits = given.map((score, row) => ({ row, id: `v${(row * 7) % 211}`, score }));
        const top = new TopHits(limit);
        for (const hit of hits) if (top.admits(hit.score, hit.id)) top.add(hit);
        const expected = [...hits].sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1)).slice(0, limit);
        expect(top.sorted()).toEqual(expected);
      }),
    );
  });
});

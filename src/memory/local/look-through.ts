import type { Scorer } from './metric.js';
import { segmentRows } from './row-segment.js';
import type { RowStore } from './row-store.js';
import { blockRows } from './scan/row-codes.js';
import type { TopHits } from './top-hits.js';

/** A row that may be a hit, by its exact score. */
export interface Candidate {
  readonly row: number;
  readonly score: number;
}

/** One of the searches that look through a store together. */
export interface Search {
  readonly scorer: Scorer;
  readonly top: TopHits;
  /** Rows with a lower score are not wanted. */
  readonly leastScore: number;
  readonly take: (candidate: Candidate) => void;
}

/** Small at first: the hits of one block bound what is worth a look in the next. */
const firstBlock = 64;

/**
 * Takes every row that can be among the hits, block by block so that searches share the memory they
 * read. Where a segment has codes, only rows are taken whose score can reach the worst hit so far;
 * their bound leaves none out, so the result is that of looking at all.
 */
export function lookThrough({ segments }: RowStore, searches: readonly Search[]): void {
  let block = firstBlock;
  for (const [place, segment] of segments.entries()) {
    const base = place * segmentRows;
    const { codes, end } = segment;
    for (let from = 0; from < end; from += block) {
      if (from > 0 || place > 0) block = Math.min(blockRows, block * 2);
      const to = Math.min(end, from + block);
      for (const { scorer, top, leastScore, take } of searches) {
        if (!codes) {
          for (let row = from; row < to; row++) take({ row: base + row, score: scorer.score(segment, row) });
          continue;
        }
        codes.load(scorer.scan);
        const least = scorer.scan.least(Math.max(top.least, leastScore));
        for (const row of codes.candidates(scorer.scan, from, to, least)) {
          take({ row: base + row, score: scorer.score(segment, row) });
        }
      }
    }
  }
}

import type { Scorer } from './metric.js';
import { type RowSegment, segmentRows } from './row-segment.js';
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
 *
 * @param rows only these, in any order; all when it is left out
 */
export function lookThrough(store: RowStore, searches: readonly Search[], rows?: Iterable<number>): void {
  const listed = rows && bySegment(rows);
  let block = firstBlock;
  for (const [place, segment] of store.segments.entries()) {
    const list = listed?.[place];
    const end = listed ? (list?.length ?? 0) : segment.end;
    for (let from = 0; from < end; from += block) {
      if (from > 0 || place > 0) block = Math.min(blockRows, block * 2);
      const to = Math.min(end, from + block);
      const part = list ? list.slice(from, to) : { from, to };
      for (const search of searches) look(segment, place * segmentRows, part, search);
    }
  }
}

/** Rows of a segment: some, or all between two. */
type Part = readonly number[] | { readonly from: number; readonly to: number };

function look(segment: RowSegment, base: number, part: Part, { scorer, top, leastScore, take }: Search): void {
  for (const row of candidates(segment, part, scorer, Math.max(top.least, leastScore))) {
    take({ row: base + row, score: scorer.score(segment, row) });
  }
}

function candidates({ codes }: RowSegment, part: Part, { scan }: Scorer, least: number): Iterable<number> {
  if (!codes) return 'from' in part ? between(part.from, part.to) : part;
  codes.load(scan);
  return 'from' in part
    ? codes.candidates(scan, part.from, part.to, scan.least(least))
    : codes.candidatesOf(scan, part, scan.least(least));
}

function* between(from: number, to: number): Generator<number> {
  for (let row = from; row < to; row++) yield row;
}

function bySegment(rows: Iterable<number>): number[][] {
  const listed: number[][] = [];
  for (const row of rows) {
    const place = Math.floor(row / segmentRows);
    listed[place] ??= [];
    listed[place].push(row % segmentRows);
  }
  return listed;
}

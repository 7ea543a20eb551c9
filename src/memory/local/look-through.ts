import type { Scorer } from './metric.js';
import { type RowSegment, segmentRows } from './row-segment.js';
import type { RowStore } from './row-store.js';
import { LowerBounds } from './scan/lower-bounds.js';
import { blockRows, type RowCodes } from './scan/row-codes.js';
import type { TopHits } from './top-hits.js';

/** A row that may be a hit, by its exact score. */
export interface Candidate {
  readonly row: number;
  readonly score: number;
}

/** One of the searches that look through a store together. */
export interface Search {
  readonly scorer: Scorer;
  readonly limit: number;
  /** Rows with a lower score are not wanted. */
  readonly leastScore: number;
  /** Whether a row may be a hit at all. */
  readonly wants: (row: number) => boolean;
  readonly top: TopHits;
  readonly take: (candidate: Candidate) => void;
}

/** Small at first: the rows of one block bound what is worth a look in the next. */
const firstBlock = 64;

/**
 * Takes every row that can be among the hits. Where a segment has codes, only rows are taken whose
 * score can reach the hits; their bounds leave none out, so the result is that of looking at all. Goes
 * block by block, so that searches share the memory they read.
 *
 * @param rows only these, in any order; all when it is left out
 */
export function lookThrough(store: RowStore, searches: readonly Search[], rows?: Iterable<number>): void {
  const listed = rows && bySegment(rows);
  const looking = searches.map((search) => new Look(search));
  let block = firstBlock;
  for (const [place, segment] of store.segments.entries()) {
    const list = listed?.[place];
    const end = listed ? (list?.length ?? 0) : segment.end;
    for (let from = 0; from < end; from += block) {
      if (from > 0 || place > 0) block = Math.min(blockRows, block * 2);
      const to = Math.min(end, from + block);
      const part = list ? list.slice(from, to) : { from, to };
      for (const look of looking) look.through(segment, place * segmentRows, part);
    }
  }
  for (const look of looking) look.end(store);
}

/** Rows of a segment: some, or all between two. */
type Part = readonly number[] | { readonly from: number; readonly to: number };

/** The way of one search: bounds of scores first, exact scores only of what they leave over. */
class Look {
  readonly #search: Search;
  readonly #lower: LowerBounds;
  readonly #rows: number[] = [];
  readonly #bounds: number[] = [];

  constructor(search: Search) {
    this.#search = search;
    this.#lower = new LowerBounds(search.limit, search.scorer.scan.least(search.leastScore));
  }

  through(segment: RowSegment, base: number, part: Part): void {
    if (segment.codes) this.#bound(segment.codes, base, part);
    else this.#score(segment, base, 'from' in part ? between(part.from, part.to) : part);
  }

  /** Looks at what may still be a hit, the most promising first. */
  end({ segments }: RowStore): void {
    const { scorer, top, take } = this.#search;
    const { least } = this.#lower;
    const bounds = this.#bounds;
    const left: number[] = [];
    for (let place = 0; place < bounds.length; place++) if (!((bounds[place] as number) < least)) left.push(place);
    left.sort((a, b) => order(bounds[b] as number, bounds[a] as number));
    for (const place of left) {
      if ((bounds[place] as number) < scorer.scan.least(top.least)) break;
      const row = this.#rows[place] as number;
      take({ row, score: scorer.score(segments[Math.floor(row / segmentRows)] as RowSegment, row % segmentRows) });
    }
  }

  #score(segment: RowSegment, base: number, rows: Iterable<number>): void {
    for (const row of rows) {
      this.#search.take({ row: base + row, score: this.#search.scorer.score(segment, row) });
    }
  }

  #bound(codes: RowCodes, base: number, part: Part): void {
    const { scorer, wants } = this.#search;
    codes.load(scorer.scan);
    let { least } = this.#lower;
    const found =
      'from' in part
        ? codes.candidates(scorer.scan, part.from, part.to, least)
        : codes.candidatesOf(scorer.scan, part, least);
    const { bounds } = codes;
    const { length } = found;
    for (let place = 0; place < length; place++) {
      const bound = bounds[place] as number;
      if (bound < least) continue;
      const row = found[place] as number;
      if (!wants(base + row)) continue;
      this.#rows.push(base + row);
      // What cannot be bounded comes first.
      this.#bounds.push(Number.isNaN(bound) ? Number.POSITIVE_INFINITY : bound);
      this.#lower.add(codes.lowerBound(scorer.scan, row, bound));
      least = this.#lower.least;
    }
  }
}

function order(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
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

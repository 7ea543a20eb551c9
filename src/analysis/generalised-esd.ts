import { studentT } from './distributions/student-t.js';
import { at } from './numeric.js';

/** How the centre and the spread of what remains are measured. */
export type ESDScale = 'mean' | 'median';

/** A value set aside by the test. */
export interface ESDHit {
  readonly index: number;
  /** Deviation from the centre in units of the spread, both of what remained at its turn. */
  readonly score: number;
}

const consistency = 1.4826022185056018;

/**
 * The generalised extreme studentised deviate test (Rosner, Technometrics 25 (1983) 165): the farthest
 * value is taken away up to `most` times, and all up to the last one beyond its critical value are
 * outliers, so that they cannot hide behind each other. With `median`, centre and spread are the median
 * and the MAD (the hybrid of Hochenbaum, Vallis and Kejariwal, arXiv:1704.07706), and two fifths of the
 * values may be outliers. The rest is always a stretch of the sorted values: O(n log n) in all.
 *
 * `null` where the spread is no more than rounding to begin with, so that nothing can be measured by it.
 *
 * @param floor Spreads up to this are rounding.
 */
export function generalisedESD(
  values: ArrayLike<number>,
  { scale, most, alpha, floor }: { scale: ESDScale; most: number; alpha: number; floor: number },
): ESDHit[] | null {
  const n = values.length;
  const order = Uint32Array.from({ length: n }, (_, index) => index).sort((a, b) => at(values, a) - at(values, b));
  const ordered = Float64Array.from(order, (index) => at(values, index));
  const rest: Rest = scale === 'mean' ? new MomentRest(ordered) : new MedianRest(ordered);
  const hits: ESDHit[] = [];
  let proven = 0;
  // Critical values fall from step to step: most scores need not be held against their own.
  const [first, last] = [criticalValue(n, 1, alpha), criticalValue(n, Math.max(1, Math.min(most, n - 3)), alpha)];
  for (let step = 1; step <= most && n - step >= 2; step++) {
    const { centre, spread } = rest.measure();
    if (!(spread > floor)) {
      if (step === 1) return null;
      break;
    }
    const low = centre - at(ordered, rest.from);
    const high = at(ordered, rest.to - 1) - centre;
    const place = high >= low ? rest.to - 1 : rest.from;
    const score = Math.max(low, high) / spread;
    hits.push({ index: order[place] ?? 0, score: high >= low ? score : -score });
    if (score > first || (score > last && score > criticalValue(n, step, alpha))) proven = step;
    rest.drop(place);
  }
  return hits.slice(0, proven);
}

function criticalValue(n: number, step: number, alpha: number): number {
  const left = n - step;
  const t = studentT.quantile(1 - alpha / (2 * (left + 1)), left - 1);
  return (left * t) / Math.sqrt((left - 1 + t * t) * (left + 1));
}

interface Rest {
  readonly from: number;
  readonly to: number;
  measure(): { centre: number; spread: number };
  drop(place: number): void;
}

/** What is left of sorted values, with its mean and standard deviation kept up to date (Welford). */
class MomentRest implements Rest {
  from = 0;
  to: number;
  #mean = 0;
  #squares = 0;

  constructor(readonly ordered: Float64Array) {
    this.to = ordered.length;
    for (const [i, value] of ordered.entries()) {
      const change = value - this.#mean;
      this.#mean += change / (i + 1);
      this.#squares += change * (value - this.#mean);
    }
  }

  measure(): { centre: number; spread: number } {
    return { centre: this.#mean, spread: Math.sqrt(Math.max(0, this.#squares) / (this.to - this.from - 1)) };
  }

  drop(place: number): void {
    const value = at(this.ordered, place);
    const left = this.to - this.from - 1;
    const mean = this.#mean - (value - this.#mean) / left;
    this.#squares -= (value - this.#mean) * (value - mean);
    this.#mean = mean;
    if (place === this.from) this.from++;
    else this.to--;
  }
}

/** What is left of sorted values, with its median and MAD found by bisection. */
class MedianRest implements Rest {
  from = 0;
  to: number;

  constructor(readonly ordered: Float64Array) {
    this.to = ordered.length;
  }

  measure(): { centre: number; spread: number } {
    const { ordered, from, to } = this;
    const count = to - from;
    const middle = from + (count >> 1);
    const centre = count % 2 === 1 ? at(ordered, middle) : (at(ordered, middle - 1) + at(ordered, middle)) / 2;
    const upper = this.#deviation(count >> 1, centre);
    const spread = count % 2 === 1 ? upper : (this.#deviation((count >> 1) - 1, centre) + upper) / 2;
    return { centre, spread: spread * consistency };
  }

  drop(place: number): void {
    if (place === this.from) this.from++;
    else this.to--;
  }

  /** The deviation of that rank, from 0: the ends of the stretch of `rank + 1` values nearest to the centre. */
  #deviation(rank: number, centre: number): number {
    const { ordered } = this;
    let low = this.from;
    let high = this.to - rank - 1;
    while (low < high) {
      const start = (low + high) >> 1;
      if (centre - at(ordered, start) > at(ordered, start + rank + 1) - centre) low = start + 1;
      else high = start;
    }
    return Math.max(centre - at(ordered, low), at(ordered, low + rank) - centre);
  }
}

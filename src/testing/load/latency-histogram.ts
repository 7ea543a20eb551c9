import { ConfigurationError } from '../../core/index.js';

/** Values below this are counted one by one; above, each power of two is cut into half as many steps. */
const steps = 2_048;
const half = steps / 2;
/** 36 bits of microseconds: 19 hours. */
const octaves = 36 - Math.log2(steps);

/**
 * Counts times in log-linear steps, as HdrHistogram does (hdrhistogram.org): any value from 1 µs to 19 hours
 * within 0.1 % of itself, in 208 KiB, whatever their number. Times are milliseconds.
 *
 * @example histogram.record(12.3); histogram.percentile(99);
 */
export class LatencyHistogram {
  readonly #counts: Float64Array = new Float64Array(steps + octaves * half);
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  /** Exact, as is `maxMs`; 0 when nothing was recorded. */
  get minMs(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  get maxMs(): number {
    return this.#max;
  }

  /** The exact arithmetic mean; 0 when nothing was recorded. */
  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** Less than 0 counts as 0, more than 19 hours as that. @throws ConfigurationError for NaN */
  record(ms: number): void {
    if (Number.isNaN(ms)) throw new ConfigurationError('A latency must be a number of milliseconds', { field: 'ms' });
    const value = Math.max(0, ms);
    const index = indexOf(Math.min(Math.round(value * 1_000), 2 ** 36 - 1));
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count++;
    this.#sum += value;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
  }

  /**
   * The time that `percent` of all values are at or below: the nearest rank, so 100 gives the largest.
   * 0 when nothing was recorded.
   *
   * @param percent 0 to 100
   * @throws ConfigurationError
   */
  percentile(percent: number): number {
    if (!(percent >= 0 && percent <= 100)) {
      throw new ConfigurationError(`A percentile is from 0 to 100, got ${percent}`, { field: 'percent' });
    }
    const rank = Math.max(1, Math.ceil((percent / 100) * this.#count));
    if (rank >= this.#count) return this.#max;
    let seen = 0;
    for (const [index, count] of this.#counts.entries()) {
      seen += count;
      if (count > 0 && seen >= rank) return Math.min(Math.max(middleOf(index) / 1_000, this.#min), this.#max);
    }
    return 0;
  }

  /** Adds what another one counted. */
  add(other: LatencyHistogram): void {
    for (const [index, count] of other.#counts.entries()) this.#counts[index] = (this.#counts[index] ?? 0) + count;
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }
}

function indexOf(micros: number): number {
  if (micros < steps) return micros;
  const octave = Math.floor(Math.log2(micros)) - Math.log2(half);
  return octave * half + Math.floor(micros / 2 ** octave);
}

/** The middle of the times that are counted there, in microseconds. */
function middleOf(index: number): number {
  if (index < steps) return index;
  const octave = Math.floor(index / half) - 1;
  const width = 2 ** octave;
  return (index - octave * half) * width + width / 2;
}

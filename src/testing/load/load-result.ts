import type { LatencyHistogram } from './latency-histogram.js';

/** Times of calls in milliseconds. */
export interface LatencySummary {
  readonly minMs: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** What a load test measured. */
export interface LoadResult {
  /** `open`: calls came at a rate, whatever the answers did. `closed`: each caller waited for its answer. */
  readonly model: 'open' | 'closed';
  /** Calls that were due; at a rate, also those that never got to start. */
  readonly due: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Had not ended when the wait after the test was over, or never started. They count as errors. */
  readonly unfinished: number;
  /** From the first call to the last answer. */
  readonly elapsedMs: number;
  /** Calls that succeeded, per second of `elapsedMs`. */
  readonly throughputPerSecond: number;
  /** Share of what was due that failed or did not finish, 0 to 1. */
  readonly errorRate: number;
  /**
   * At a rate from the moment a call was due, not from when it got to start, so a stall shows in every call
   * that it delayed. Failures and the unfinished are in it, these with the time until they were given up.
   */
  readonly latency: LatencySummary;
  /** Every time, for other percentiles and to add up several runs. */
  readonly histogram: LatencyHistogram;
  /**
   * How late calls got to start. Where this is near `latency`, the machine that made the load, or
   * `maxInFlight`, was the limit. Zeros in the closed model.
   */
  readonly lateness: LatencySummary;
  /** Failures by name, and by `code` where errors have one. */
  readonly errors: Readonly<Record<string, number>>;
}

export function summaryOf(histogram: LatencyHistogram): LatencySummary {
  const { minMs, meanMs, maxMs } = histogram;
  const [p50Ms = 0, p90Ms = 0, p99Ms = 0, p999Ms = 0] = [50, 90, 99, 99.9].map((at) => histogram.percentile(at));
  return { minMs, meanMs, p50Ms, p90Ms, p99Ms, p999Ms, maxMs };
}

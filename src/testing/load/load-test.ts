import {
  type Awaitable,
  type CallOptions,
  ClosedError,
  ConfigurationError,
  openScope,
  withContext,
} from '../../core/index.js';
import { checkOptions, is, type OptionChecks } from '../../core/internal.js';
import type { LoadResult } from './load-result.js';
import { type LoadCall, LoadRun } from './load-run.js';

/** How much load, for how long: either `rate` or `concurrency`. */
export interface LoadTestOptions extends CallOptions {
  /** Calls per second, evenly spaced, whatever the answers do (the open model). */
  readonly rate?: number;
  /** Callers that each wait for their answer before the next call (the closed model). A slow answer hides how many calls were not made. */
  readonly concurrency?: number;
  /** How long calls are made, in milliseconds. */
  readonly durationMs: number;
  /** Load that is not measured, before the test, in milliseconds. @default 0 */
  readonly warmupMs?: number;
  /** Calls at the same time, with `rate`; what is due beyond waits, and its latency runs. @default 10000 */
  readonly maxInFlight?: number;
  /** How long the last answers are waited for, in milliseconds. @default 30000 */
  readonly drainMs?: number;
}

const number = (value: unknown, field: string): void => {
  is.milliseconds(value, field);
  if (value === Number.POSITIVE_INFINITY) throw new ConfigurationError(`${field} must be finite`, { field });
};

const checks: OptionChecks<LoadTestOptions> = {
  rate: (value, field) => {
    if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return;
    throw new ConfigurationError(`${field} must be a number of calls per second above 0`, { field });
  },
  concurrency: (value, field) => {
    is.count(value, field);
    number(value, field);
  },
  durationMs: is.required(number),
  warmupMs: is.countOrZero,
  maxInFlight: is.count,
  drainMs: is.countOrZero,
  signal: is.object,
  timeoutMs: is.milliseconds,
};

/**
 * Calls a function again and again and measures throughput, errors and latency. With `rate`, latency counts
 * from when a call was due, so that a server that stalls cannot hide it by keeping callers waiting
 * (coordinated omission). An abort ends it at once; what runs has its `signal` aborted.
 *
 * @throws ConfigurationError; the signal's reason, TimeoutError
 * @example
 * const { latency, errorRate } = await loadTest(() => api.get('/orders', {}, false), { rate: 200, durationMs: 10_000 });
 * assert.ok(latency.p99Ms < 250 && errorRate === 0);
 */
export async function loadTest(
  call: (call: LoadCall) => Awaitable<unknown>,
  options: LoadTestOptions,
): Promise<LoadResult> {
  is.function(call, 'loadTest: the first argument');
  checkOptions('loadTest', options, checks);
  const { rate, concurrency, durationMs, warmupMs = 0, signal, timeoutMs } = options;
  if ((rate === undefined) === (concurrency === undefined)) {
    throw new ConfigurationError('loadTest takes either rate or concurrency', { field: 'loadTest.rate' });
  }
  const bounds = { ...(signal ? { signal } : {}), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  using scope = openScope('the load test', bounds);
  // Calls that outlive the test are cancelled with it.
  using calls = openScope('the calls of the load test', { parents: [scope] });
  const result = await scope.run(() =>
    withContext({ signal: calls.signal }, async () => {
      if (warmupMs > 0) await measured(new LoadRun(call, calls), { ...options, durationMs: warmupMs });
      return await measured(new LoadRun(call, calls), { ...options, durationMs });
    }),
  );
  calls.cancel(new ClosedError('The load test'));
  return result;
}

async function measured(run: LoadRun, options: LoadTestOptions): Promise<LoadResult> {
  const { rate, concurrency = 1, durationMs, maxInFlight = 10_000, drainMs = 30_000 } = options;
  if (rate === undefined) await run.closed(concurrency, durationMs);
  else await run.open(rate, durationMs, maxInFlight);
  await run.drain(drainMs);
  return run.finish(rate === undefined ? 'closed' : 'open');
}

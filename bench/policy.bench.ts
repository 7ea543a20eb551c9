/** What a full policy costs around a call that does nothing, beside cockatiel's composition of the same parts. */
import { policy } from '@safla/sdk';
import {
  bulkhead,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  SamplingBreaker,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import { measure } from './measure.js';

const work = async (): Promise<number> => 1;
const everything = policy({ limiter: { limit: 1e9, intervalMs: 1_000 }, bulkhead: { maxConcurrent: 10 } });
const defaults = policy();
const cockatiel = wrap(
  timeout(60_000, TimeoutStrategy.Aggressive),
  retry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff() }),
  circuitBreaker(handleAll, {
    halfOpenAfter: 10_000,
    breaker: new SamplingBreaker({ threshold: 0.5, duration: 30_000 }),
  }),
  bulkhead(10, 1_000),
  timeout(30_000, TimeoutStrategy.Aggressive),
);

const results = await measure(
  [
    { name: 'bare await', run: work },
    { name: 'policy, defaults', run: () => defaults.execute(work, { key: 'a' }) },
    { name: 'policy, with limiter and bulkhead', run: () => everything.execute(work, { key: 'a' }) },
    { name: 'cockatiel 3.2: timeout, retry, breaker, bulkhead, timeout', run: () => cockatiel.execute(work) },
  ],
  { calls: 20_000, rounds: 7 },
);

const ours = results[2]?.cpuMicros ?? Number.NaN;
console.log('CPU microseconds per call | x policy with everything');
for (const { name, cpuMicros } of results) {
  console.log(`${cpuMicros.toFixed(2).padStart(8)} | ${(cpuMicros / ours).toFixed(2).padStart(6)} | ${name}`);
}
console.log(`bar: <= 12 CPU microseconds for a full policy: ${ours <= 12 ? 'met' : 'MISSED'}`);

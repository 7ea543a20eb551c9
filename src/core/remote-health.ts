import { SaflaError } from './errors/safla-error.js';
import type { Health } from './health.js';
import type { CallOptions } from './types.js';

/** How the last exchange with a remote ended. */
export interface LastExchange {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Absent when no answer came. */
  readonly status?: number;
}

/** Health told from the requests that were made: the circuit breaker, and how the last one ended. */
export function passiveHealth(circuit: 'closed' | 'open' | 'half-open', last: LastExchange | undefined): Health {
  const details = {
    circuit,
    ...(last && { lastAt: new Date(last.at).toISOString(), ...(last.status && { lastStatus: last.status }) }),
  };
  if (circuit === 'open') return { status: 'fail', output: 'the circuit is open after repeated failures', details };
  if (circuit === 'half-open') return { status: 'warn', output: 'the circuit is half open', details };
  if (last && last.status === undefined) return { status: 'warn', output: 'the last request got no answer', details };
  if ((last?.status ?? 0) >= 500) return { status: 'warn', output: `the last answer was ${last?.status}`, details };
  return { status: 'pass', details };
}

/**
 * Health by asking now, within 5 seconds unless `options` say otherwise. Never rejects.
 *
 * @param ask resolves with what is wrong, undefined when nothing is
 * @param passive gives its details
 */
export async function activeHealth(
  ask: (options: CallOptions) => Promise<string | undefined>,
  options: CallOptions,
  { details }: Health,
): Promise<Health> {
  const startedAt = performance.now();
  const output = await ask({ ...options, timeoutMs: options.timeoutMs ?? 5_000 }).catch((error: unknown) =>
    SaflaError.is(error) ? error.message : 'the probe failed',
  );
  const facts = { latencyMs: performance.now() - startedAt, ...(details && { details }) };
  return output === undefined ? { status: 'pass', ...facts } : { status: 'fail', output, ...facts };
}

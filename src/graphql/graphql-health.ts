import { type CallOptions, type Health, SaflaError } from '../core/index.js';
import type { CircuitState } from '../resilience/index.js';
import type { LastExchange } from './graphql-wire.js';

/** Health told from the requests that were made: the circuit breaker, and how the last one ended. */
export function passiveHealth(circuit: CircuitState, last: LastExchange | undefined): Health {
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

/** Health by asking now. Never rejects. */
export async function activeHealth(
  ask: (options: CallOptions) => Promise<unknown>,
  options: CallOptions,
  { details }: Health,
): Promise<Health> {
  const startedAt = performance.now();
  const measured = (): Pick<Health, 'latencyMs' | 'details'> => ({
    latencyMs: performance.now() - startedAt,
    ...(details && { details }),
  });
  try {
    await ask({ ...options, timeoutMs: options.timeoutMs ?? 5_000 });
    return { status: 'pass', ...measured() };
  } catch (error) {
    return { status: 'fail', output: SaflaError.is(error) ? error.message : 'the probe failed', ...measured() };
  }
}

import { SaflaError } from '../core/index.js';

/** What was thrown, or an error in its place when looking at it throws, as with a revoked proxy. */
export function readableError(thrown: unknown): unknown {
  if (typeof thrown !== 'object' && typeof thrown !== 'function') return thrown;
  try {
    void (SaflaError.is(thrown) || (thrown instanceof Error && thrown.name));
    return thrown;
  } catch {
    return new Error('Something was thrown that cannot be looked at');
  }
}

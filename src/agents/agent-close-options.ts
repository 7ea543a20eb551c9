import { type CloseOptions, ConfigurationError } from '../core/index.js';
import { drainShare } from '../core/internal.js';

/** Settings of closing an agent or a pool: one of the two times. */
export interface AgentCloseOptions extends CloseOptions {
  /**
   * Milliseconds for running tasks to finish; what still runs is canceled then. 0 cancels at once.
   *
   * @default four fifths of `timeoutMs`
   */
  readonly graceMs?: number;
}

/** @throws ConfigurationError for both times, or a grace that is no time */
export function closeTimeOf({ graceMs, timeoutMs }: AgentCloseOptions): CloseOptions {
  if (graceMs === undefined) return timeoutMs === undefined ? {} : { timeoutMs };
  if (timeoutMs !== undefined) {
    throw new ConfigurationError('close takes graceMs or timeoutMs, not both', { field: 'graceMs' });
  }
  if (typeof graceMs !== 'number' || !(graceMs >= 0)) {
    throw new ConfigurationError(`graceMs of close must be a number of milliseconds, 0 or more, got ${graceMs}`, {
      field: 'graceMs',
    });
  }
  return { timeoutMs: graceMs / drainShare };
}

export type { BackoffOptions } from './backoff.js';
export type { BulkheadOptions } from './bulkhead.js';
export type { BreakerOptions, CircuitState } from './circuit-breakers.js';
export { Coalescer } from './coalescer.js';
export { isTransientFailure } from './failure.js';
export type { AcquireOptions, Limiter, LimiterStats, LimiterWaitOptions } from './limiter.js';
export { LimiterQueue, type LimiterQueueOptions, type TakeTokens } from './limiter-queue.js';
export { LocalLimiter, type LocalLimiterOptions } from './local-limiter.js';
export {
  type Attempt,
  type ExecuteOptions,
  type Gate,
  Policy,
  type PolicyOptions,
  type PolicyStats,
  policy,
  type RetryEvent,
} from './policy.js';
export type { RetryOptions } from './retry.js';
export { RetryBudget, type RetryBudgetOptions } from './retry-budget.js';

export type { RedisScriptClient } from './redis-client.js';
export { SharedLimiter, type SharedLimiterOptions } from './shared-limiter.js';

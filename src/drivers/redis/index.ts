export type { RedisScriptClient } from './redis-client.js';
export {
  type RedisArgument,
  type RedisClient,
  RedisConnection,
  redisClientCheck,
} from './redis-connection.js';
export { isNoGroup, isPassing, redisFailure } from './redis-failure.js';
export { type RedisScript, redisScript } from './redis-script.js';
export { RedisSubscriber } from './redis-subscriber.js';
export { SharedLimiter, type SharedLimiterOptions } from './shared-limiter.js';

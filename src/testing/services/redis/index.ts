import type { ServiceRecipe } from '../resolver.js';
import { environmentRedis } from './environment-redis.js';
import { systemRedis } from './system-redis.js';

/** How Redis is found, first way first. */
export const redisRecipe: ServiceRecipe = {
  name: 'redis',
  ways: [environmentRedis, systemRedis()],
  remedy: 'For Redis run: apt-get install redis-server (Debian, Ubuntu), brew install redis (macOS), or set REDIS_URL',
};

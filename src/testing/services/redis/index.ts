import { randomBytes } from 'node:crypto';
import { dockerWay } from '../docker/docker-way.js';
import type { ServiceRecipe } from '../resolver.js';
import { environmentRedis } from './environment-redis.js';
import { redisInfo } from './redis-info.js';
import { openRedisNamespace } from './redis-namespace.js';
import { systemRedis } from './system-redis.js';

const file = '/etc/redis-test.conf';

/** How Redis is found, first way first. */
export const redisRecipe: ServiceRecipe = {
  name: 'redis',
  ways: [
    environmentRedis,
    systemRedis(),
    dockerWay({
      name: 'redis',
      image: 'redis:7',
      port: 6379,
      prepare(config) {
        const password = randomBytes(18).toString('hex');
        const settings = {
          save: '""',
          appendonly: 'no',
          ...config,
          port: 6379,
          bind: '0.0.0.0',
          requirepass: password,
        };
        const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`);
        return {
          file: { path: file, text: lines.join('') },
          args: ['redis-server', file],
          url: (port) => `redis://:${password}@127.0.0.1:${port}`,
        };
      },
      version: async (url) => (await redisInfo(url)).version,
      openNamespace: openRedisNamespace,
    }),
  ],
  remedy: 'For Redis run: apt-get install redis-server (Debian, Ubuntu), brew install redis (macOS), or set REDIS_URL',
};

import { ConfigurationError, ConnectionError, NotFoundError } from '../../../core/index.js';
import type { ServiceResolver } from '../resolver.js';
import { RunningService } from '../test-service.js';
import { redisInfo } from './redis-info.js';
import { openRedisNamespace } from './redis-namespace.js';

/** A server that runs already and that the environment names. */
export const environmentRedis: ServiceResolver = {
  kind: 'environment',
  real: true,
  way: 'REDIS_URL',
  async resolve({ environment, config, scope }) {
    const url = environment.REDIS_URL;
    if (!url) throw new NotFoundError('not set');
    if (!/^rediss?:\/\//.test(url))
      throw new ConfigurationError('REDIS_URL is set, but not to a redis:// or rediss:// URL');
    if (Object.keys(config).length > 0) throw new NotFoundError('a server from the environment cannot be configured');
    const { version } = await scope
      .run(() => redisInfo(url))
      .catch((cause: unknown) => {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new ConnectionError(`REDIS_URL is set, but: ${reason}`, { cause });
      });
    return new RunningService({
      name: 'redis',
      kind: 'environment',
      origin: 'REDIS_URL',
      version,
      url,
      openNamespace: openRedisNamespace,
    });
  },
};

import { lazy } from '../../core/internal.js';
import { disconnectMs } from './redis-connection.js';

/** The part of an ioredis client (Redis or Cluster, any major version) that is used. */
export interface RedisScriptClient {
  eval(script: string, keyCount: number, ...args: (string | number)[]): Promise<unknown>;
}

/** A client of our own. */
export interface OwnRedisClient extends RedisScriptClient {
  /** Why there is no connection; undefined while there is one. */
  readonly lastFailure: () => Error | undefined;
  /** Ends the connection at once. */
  readonly disconnect: () => void;
}

const loadRedis = lazy(() => import('ioredis'));

/**
 * Opens an ioredis client that gives commands up after one failed connection instead of holding them for
 * later, when nobody waits for them any more. How long an answer may take is up to who asks: one that comes
 * too late can still be undone.
 */
export async function openRedis(url: string, timeoutMs: number): Promise<OwnRedisClient> {
  const { Redis } = await loadRedis();
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    disconnectTimeout: disconnectMs,
    maxRetriesPerRequest: 1,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
  });
  let failure: Error | undefined;
  // Without a listener ioredis writes to the console.
  redis.on('error', (error: Error) => {
    failure = error;
  });
  redis.on('ready', () => {
    failure = undefined;
  });
  return {
    eval: (script, keyCount, ...args) => redis.eval(script, keyCount, ...args),
    lastFailure: () => failure,
    disconnect: () => redis.disconnect(),
  };
}

import { type CallOptions, CallScope, type Health, type Lifecycle } from '../core/index.js';
import { activeHealth } from '../core/internal.js';
import { type RedisConnection, redisFailure } from '../drivers/redis/index.js';

/** Asks Redis now, for as long as one of its commands may take. Never rejects. */
export function redisHealth(
  connection: RedisConnection,
  lifecycle: Lifecycle,
  commandTimeoutMs: number,
  options: CallOptions,
): Promise<Health> {
  const ask = (given: CallOptions): Promise<undefined> =>
    lifecycle.call('health of Redis', given, async (scope) => {
      using limited = new CallScope('answer of Redis to PING', { timeoutMs: commandTimeoutMs, parents: [scope] });
      const asking = connection.command('PING').catch((failure: unknown) => {
        throw redisFailure('health', failure);
      });
      await limited.run(() => asking);
      return undefined;
    });
  return activeHealth(ask, options, { status: 'pass' });
}

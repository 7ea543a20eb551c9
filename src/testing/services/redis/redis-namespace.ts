import { randomBytes } from 'node:crypto';
import type { Namespace } from '../test-service.js';
import { RedisWire } from './redis-wire.js';

/** A key prefix of its own. Dropping it unlinks the keys that begin with it (on a cluster: those of the node in the URL). */
export async function openRedisNamespace(url: string): Promise<Namespace> {
  const name = `test:${randomBytes(8).toString('hex')}:`;
  const drop = (): Promise<void> => unlinkAll(url, name);
  return { name, url, drop, [Symbol.asyncDispose]: drop };
}

async function unlinkAll(url: string, prefix: string): Promise<void> {
  await using wire = await RedisWire.connect(url);
  let cursor = '0';
  do {
    const [next, keys] = (await wire.command('SCAN', cursor, 'MATCH', `${prefix}*`, 'COUNT', '1000')) as [
      string,
      string[],
    ];
    if (keys.length > 0) await wire.command('UNLINK', ...keys);
    cursor = next;
  } while (cursor !== '0');
}

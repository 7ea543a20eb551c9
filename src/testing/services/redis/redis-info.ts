import { ProtocolError } from '../../../core/index.js';
import { RedisWire } from './redis-wire.js';

/** Who answers at an address. */
export interface RedisInfo {
  readonly version: string;
  readonly pid: number;
}

/** Asks a server who it is. A server that still loads its data refuses, which rejects. */
export async function redisInfo(url: string): Promise<RedisInfo> {
  await using wire = await RedisWire.connect(url);
  await wire.command('PING');
  const text = String(await wire.command('INFO', 'server'));
  const version = /^redis_version:(\S+)/m.exec(text)?.[1];
  if (version === undefined) throw new ProtocolError('The Redis server does not say its version');
  return { version, pid: Number(/^process_id:(\d+)/m.exec(text)?.[1]) };
}

import { createHash } from 'node:crypto';

/** A Lua script and the name that the server knows it by. */
export interface RedisScript {
  readonly lua: string;
  /** SHA-1 in hexadecimal, as EVALSHA takes it. */
  readonly sha: string;
}

/** @param lua what runs on the server, as one unit */
export function redisScript(lua: string): RedisScript {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

import { type RedisScript, redisScript } from '../../drivers/redis/index.js';
import { slotsPerInterval } from './rate-limit.js';

/**
 * The window of `WindowCounter` in one hash, by the clock of the Redis server. rate-limiter-flexible counts in
 * fixed windows, which let twice the limit through around their edge. The field `b` is the end of a block.
 *
 * KEYS: the key. ARGV: cost, limit, interval in milliseconds, 1 to take whether or not it fits.
 * Gives: allowed, used, milliseconds to wait, milliseconds until all is free.
 */
export const takeScript: RedisScript = redisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local cost, limit, interval = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local width = interval / ${slotsPerInterval}
local used, live, blocked, last = 0, {}, 0, 0
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  if fields[i] == 'b' then
    blocked = math.max(0, tonumber(fields[i + 1]) - now)
  else
    local ends, count = (tonumber(fields[i]) + 1) * width + interval, tonumber(fields[i + 1])
    if ends <= now then
      redis.call('HDEL', KEYS[1], fields[i])
    else
      used = used + count
      live[#live + 1] = { ends, count }
      last = math.max(last, ends - now)
    end
  end
end
local allowed = blocked == 0 and used + cost <= limit
local wait = blocked
if not allowed then
  table.sort(live, function (a, b) return a[1] < b[1] end)
  local left = used
  for _, slot in ipairs(live) do
    if left + cost <= limit then break end
    left = left - slot[2]
    if left + cost <= limit then wait = math.max(wait, slot[1] - now) end
  end
end
if (allowed or ARGV[4] == '1') and cost > 0 then
  local slot = math.floor(now / width)
  redis.call('HINCRBY', KEYS[1], string.format('%.0f', slot), cost)
  used = used + cost
  last = math.max(last, (slot + 1) * width + interval - now)
end
local reset = math.ceil(math.max(last, blocked))
if reset > 0 then redis.call('PEXPIRE', KEYS[1], reset) end
return { allowed and 1 or 0, used, math.ceil(wait), reset }
`);

/** KEYS: the key. ARGV: milliseconds. */
export const blockScript: RedisScript = redisScript(`
local time = redis.call('TIME')
local ends = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])
local before = tonumber(redis.call('HGET', KEYS[1], 'b') or 0)
redis.call('HSET', KEYS[1], 'b', string.format('%.0f', math.max(ends, before)))
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1
`);

/** KEYS: the key. */
export const resetScript: RedisScript = redisScript(`return redis.call('DEL', KEYS[1])`);

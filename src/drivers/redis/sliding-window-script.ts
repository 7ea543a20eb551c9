/** Parts an interval is counted in: the answer to "how much of the quota can go unused", 1/60. */
const slots = 60;

/**
 * A strict sliding window in one hash of at most 61 counters, in the place of rate-limiter-flexible's
 * fixed window (`customIncrTtlLuaScript`), which lets twice the limit through around its edge.
 *
 * The interval is counted in 60 slots by the clock of the Redis server. A slot's calls count until the
 * whole slot lies an interval back, so no interval, wherever it begins, sees more than the limit. What
 * does not fit takes nothing: the script answers with a count above the limit and the milliseconds until
 * enough slots have expired. For what does, it answers with the number of the slot, by which it can be
 * given back.
 *
 * KEYS: the quota. ARGV: cost, (seconds), limit, (seconds), interval in milliseconds.
 */
export const slidingWindowScript: string = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local cost, limit, interval = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[5])
local width = interval / ${slots}
local used, live = 0, {}
local counters = redis.call('HGETALL', KEYS[1])
for i = 1, #counters, 2 do
  local expiry, count = (tonumber(counters[i]) + 1) * width + interval, tonumber(counters[i + 1])
  if expiry <= now then
    redis.call('HDEL', KEYS[1], counters[i])
  else
    used = used + count
    live[#live + 1] = { expiry, count }
  end
end
if used + cost <= limit then
  local slot = math.floor(now / width)
  redis.call('HINCRBY', KEYS[1], string.format('%.0f', slot), cost)
  redis.call('PEXPIRE', KEYS[1], math.ceil(interval + width))
  return { used + cost, slot }
end
table.sort(live, function (a, b) return a[1] < b[1] end)
for _, slot in ipairs(live) do
  used = used - slot[2]
  if used + cost <= limit then return { limit + 1, math.max(1, math.ceil(slot[1] - now)) } end
end
return { limit + 1, interval }
`;

/**
 * Takes calls that were counted and not made out of their slot, and of no younger one: that would let
 * somebody make them twice.
 *
 * KEYS: the quota. ARGV: the slot, the cost.
 */
export const giveBackScript: string = `
local count = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or 0)
if count >= tonumber(ARGV[2]) then redis.call('HINCRBY', KEYS[1], ARGV[1], -ARGV[2]) end
return count
`;

import { type RedisScript, redisScript } from '../../../drivers/redis/index.js';
import { waitingConsumer } from './group-scripts.js';
import { appendFunction } from './publish-script.js';

/**
 * Makes a group where there is none. KEYS: log, groups. ARGV: group, 1 when ordered, the entry after
 * which it begins or `$` for the end of the log, 1 to begin at the end at the latest. Answers that entry,
 * or whether the group that exists is ordered when it is not what was asked for.
 */
export const joinScript: RedisScript = redisScript(`
local log, group, position = KEYS[1], ARGV[1], ARGV[3]
local known = redis.call('HGET', KEYS[2], group)
if redis.call('EXISTS', log) == 1 then
  local info = redis.call('XINFO', 'STREAM', log)
  local last
  for i = 1, #info, 2 do if info[i] == 'last-generated-id' then last = info[i + 1] end end
  for _, other in ipairs(redis.call('XINFO', 'GROUPS', log)) do
    if other[2] == group then
      if known and known ~= ARGV[2] then return { 'ordered', known } end
      redis.call('HSET', KEYS[2], group, ARGV[2])
      return { 'joined', position == '$' and last or position }
    end
  end
  local ms, seq = string.match(position, '^(%d+)-(%d+)$')
  local lastMs, lastSeq = string.match(last, '^(%d+)-(%d+)$')
  if position == '$' then
    position = last
  elseif ARGV[4] == '1' then
    if tonumber(ms) > tonumber(lastMs) or (ms == lastMs and tonumber(seq) > tonumber(lastSeq)) then position = '0-0' end
  end
elseif position == '$' or ARGV[4] == '1' then
  position = '0-0'
end
redis.call('XGROUP', 'CREATE', log, group, position, 'MKSTREAM')
redis.call('HSET', KEYS[2], group, ARGV[2])
return { 'joined', position }
`);

/** Gives a dead letter back to its group only. KEYS: log, dead, wake. ARGV: group, letter, id, key or '', attributes or '', body. Answers 1, or 0 when either is gone. */
export const requeueScript: RedisScript = redisScript(`
local log, group, letter = KEYS[1], ARGV[1], ARGV[2]
${appendFunction}
if redis.call('EXISTS', log) == 0 or #redis.call('XRANGE', KEYS[2], letter, letter) == 0 then return 0 end
for _, info in ipairs(redis.call('XINFO', 'GROUPS', log)) do
  if info[2] == group then
    append(ARGV[3], ARGV[4], ARGV[5], ARGV[6], group)
    redis.call('XDEL', KEYS[2], letter)
    redis.call('SPUBLISH', KEYS[3], '')
    return 1
  end
end
return 0
`);

/**
 * Counts what a group has to settle. KEYS: log. ARGV: group. Answers nothing without the group, else the
 * count of entries that were delivered and not settled, that of new ones or -1 when Redis does not know it,
 * and the last entry that was delivered.
 */
export const lagScript: RedisScript = redisScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
for _, info in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = {}
  for i = 1, #info, 2 do group[info[i]] = info[i + 1] end
  if group['name'] == ARGV[1] then
    return { group['pending'], group['lag'] or -1, group['last-delivered-id'] }
  end
end
return nil
`);

/** Counts up to 1000 entries after one. KEYS: log. ARGV: entry. Answers the count and the last of them. */
export const countScript: RedisScript = redisScript(`
local entries = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', 1000)
return { #entries, #entries > 0 and entries[#entries][1] or ARGV[1] }
`);

/** Deletes a group. KEYS: log, groups, again, behind, locks. ARGV: group, milliseconds of silence. Answers 1, 0 when there is none, -1 when it has members. */
export const deleteGroupScript: RedisScript = redisScript(`
local log, group = KEYS[1], ARGV[1]
if redis.call('EXISTS', log) == 0 then return 0 end
local found = false
for _, info in ipairs(redis.call('XINFO', 'GROUPS', log)) do found = found or info[2] == group end
if not found then return 0 end
for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', log, group)) do
  local consumer = {}
  for i = 1, #info, 2 do consumer[info[i]] = info[i + 1] end
  if consumer['name'] ~= '${waitingConsumer}' and consumer['idle'] <= tonumber(ARGV[2]) then return -1 end
end
redis.call('XGROUP', 'DESTROY', log, group)
redis.call('HDEL', KEYS[2], group)
redis.call('DEL', KEYS[3], KEYS[4], KEYS[5])
return 1
`);

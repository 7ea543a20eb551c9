import { type RedisScript, redisScript } from '../../../drivers/redis/index.js';

/**
 * The consumer in whose name a group keeps entries that nobody handles: each of them stands in the
 * sorted set `again` or, behind an earlier entry of its key, in `behind`.
 */
export const waitingConsumer = '(waiting)';

/** What more than one script needs. KEYS and ARGV of all of them: log, again, behind, locks, and group, me, 1 when ordered. */
const common = `
local log, again, behind, locks = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, me, ordered = ARGV[1], ARGV[2], ARGV[3] == '1'
local waiting = '${waitingConsumer}'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function field(fields, name)
  for i = 1, #fields, 2 do if fields[i] == name then return fields[i + 1] end end
end
-- Members of one key sort by entry. The length keeps keys apart of which one begins with the other.
local function place(key) return #key .. ':' .. key .. '\\0' end
local function padded(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return string.rep('0', 20 - #ms) .. ms .. '-' .. string.rep('0', 20 - #seq) .. seq
end
local function plain(id)
  local ms, seq = string.match(id, '(%d+)-(%d+)$')
  return string.gsub(ms, '^0+(%d)', '%1') .. '-' .. string.gsub(seq, '^0+(%d)', '%1')
end
-- Out of everybody's hands, to be delivered once due.
local function shelve(id, count, due)
  redis.call('XCLAIM', log, group, waiting, 0, id, 'RETRYCOUNT', math.max(0, count), 'JUSTID')
  if due then redis.call('ZADD', again, due, id) end
end
-- The event holds its key no longer: the next of the key may go.
local function release(id, key)
  if not ordered or key == '' or redis.call('HGET', locks, key) ~= id then return end
  local prefix = place(key)
  local next = redis.call('ZRANGEBYLEX', behind, '[' .. prefix, '[' .. prefix .. '~', 'LIMIT', 0, 1)[1]
  if not next then
    redis.call('HDEL', locks, key)
    return
  end
  local following = plain(string.sub(next, #prefix + 1))
  redis.call('ZREM', behind, next)
  redis.call('HSET', locks, key, following)
  redis.call('ZADD', again, 0, following)
end
-- An entry that was trimmed away cannot tell its key.
local function forget(id)
  redis.call('ZREM', again, id)
  if not ordered then return end
  local held = redis.call('HGETALL', locks)
  for i = 1, #held, 2 do if held[i + 1] == id then release(id, held[i]) end end
end
local function pendingOf(consumer, from)
  return redis.call('XPENDING', log, group, from, '+', 1000, consumer)
end
-- Shelves what a consumer holds except for what is in 'kept'; 'less' is taken from the count of deliveries.
local function shelveAll(consumer, kept, less)
  local from, moved = '-', 0
  repeat
    local entries = pendingOf(consumer, from)
    for _, entry in ipairs(entries) do
      from = '(' .. entry[1]
      if not kept[entry[1]] then
        shelve(entry[1], entry[4] - less, now)
        moved = moved + 1
      end
    end
  until #entries < 1000
  return moved
end
`;

/**
 * Takes entries for one member: those that are due again, then new ones. More ARGV: how many, then
 * entries that are due by the member's own clock. Answers the milliseconds until the next one is due or
 * -1, those taken again as { entry, fields, attempt }, new ones, 1 when there may be more at once, and what
 * is special about new ones. Every text of an answer costs its reader, so new ones are entry, id and body in
 * one row; where the attributes change from one event to the next, place and attributes follow; and for
 * events that are not of that kind (another field, another order) place and all fields.
 */
export const takeScript: RedisScript = redisScript(`${common}
local most = tonumber(ARGV[4])
local retried, fresh, taken, more = {}, {}, 0, 0
for i = 5, #ARGV do redis.call('ZADD', again, 'XX', 0, ARGV[i]) end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', again, '-inf', now, 'LIMIT', 0, most)) do
  local entry = redis.call('XCLAIM', log, group, me, 0, id)[1]
  redis.call('ZREM', again, id)
  if entry and entry[2] then
    local count = redis.call('XPENDING', log, group, id, id, 1)[1][4]
    retried[#retried + 1] = { id, entry[2], count }
    taken = taken + 1
  else
    forget(id)
  end
end
local looked = 0
while taken < most do
  local wanted = most - taken
  local read = redis.call('XREADGROUP', 'GROUP', group, me, 'COUNT', wanted, 'STREAMS', log, '>')
  local entries = read and read[1][2] or {}
  if not ordered then
    fresh = entries
    taken = taken + #entries
    break
  end
  for _, entry in ipairs(entries) do
    local id, key, only = entry[1], field(entry[2], 'key'), field(entry[2], 'only')
    if only and only ~= group then
      redis.call('XACK', log, group, id)
    elseif key and redis.call('HSETNX', locks, key, id) == 0 then
      redis.call('ZADD', behind, 0, place(key) .. padded(id))
      shelve(id, 0)
    else
      fresh[#fresh + 1] = entry
      taken = taken + 1
    end
  end
  if #entries < wanted then break end
  looked = looked + #entries
  if looked >= 2000 then
    more = 1
    break
  end
end
if taken >= most then more = 1 end
local row, changes, others, attributes, at = {}, {}, {}, nil, 0
for i, entry in ipairs(fresh) do
  local fields = entry[2]
  row[at + 1] = entry[1]
  if fields[3] == 'attributes' and fields[5] == 'body' and fields[1] == 'id' and not fields[7] then
    row[at + 2], row[at + 3] = fields[2], fields[6]
    if fields[4] ~= attributes then
      attributes = fields[4]
      changes[#changes + 1] = i
      changes[#changes + 1] = attributes
    end
  else
    row[at + 2], row[at + 3] = '', ''
    others[#others + 1] = i
    others[#others + 1] = fields
  end
  at = at + 3
end
local due = redis.call('ZRANGE', again, 0, 0, 'WITHSCORES')
return { due[1] and math.max(0, due[2] - now) or -1, retried, row, more, changes, others }
`);

/**
 * Ends deliveries of one member. More KEYS: dead, wake. More ARGV: most dead letters, then for each
 * delivery what became of it (ack, retry, return or dead), entry, attempt, key or '', delay in
 * milliseconds, dead letter. What the member holds no longer is left alone, except that what is done
 * is done.
 */
export const settleScript: RedisScript = redisScript(`${common}
local wake = false
for i = 5, #ARGV, 6 do
  local kind, id, attempt, key = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3]
  if kind == 'ack' then
    if redis.call('XACK', log, group, id) == 1 then
      redis.call('ZREM', again, id)
      release(id, key)
      wake = wake or ordered
    end
  else
    local entry = redis.call('XPENDING', log, group, id, id, 1, me)[1]
    if entry and entry[4] == attempt then
      if kind == 'dead' then
        redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[4], '*', 'letter', ARGV[i + 5])
        redis.call('XACK', log, group, id)
        release(id, key)
        wake = wake or ordered
      elseif kind == 'retry' then
        shelve(id, attempt, now + tonumber(ARGV[i + 4]))
      else
        shelve(id, attempt - 1, now)
        wake = true
      end
    end
  end
end
if wake then redis.call('SPUBLISH', KEYS[6], '') end
return 1
`);

/** A member leaves: what it held goes back uncounted. More KEYS: wake. */
export const leaveScript: RedisScript = redisScript(`${common}
shelveAll(me, {}, 1)
redis.call('XGROUP', 'DELCONSUMER', log, group, me)
redis.call('SPUBLISH', KEYS[5], '')
return 1
`);

/**
 * Shows that a member lives, and puts back in line what nobody handles: entries whose delivery never
 * reached this member, those of members that are silent for too long, and those that an interrupted
 * failover left between two places. A clock that jumped forward makes everybody look silent until they
 * beat again: a member counts as dead when the one that asks has found it silent for long by a clock of its own.
 * More KEYS: wake. More ARGV: milliseconds of silence that are too long, those after which a member is
 * answered as silent, how many entries this member holds, those, then members that it found silent for long.
 */
export const beatScript: RedisScript = redisScript(`${common}
local dead, silence, holds = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local held, suspected, silent, moved = {}, {}, {}, 0
for i = 7, 6 + holds do held[ARGV[i]] = true end
for i = 7 + holds, #ARGV do suspected[ARGV[i]] = true end
-- Reads nothing, and shows that this member lives; before Redis 7.2 claiming nothing does not.
redis.call('XREADGROUP', 'GROUP', group, me, 'COUNT', 1, 'STREAMS', log, '18446744073709551614-0')
moved = shelveAll(me, held, 1)
for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', log, group)) do
  local consumer = {}
  for i = 1, #info, 2 do consumer[info[i]] = info[i + 1] end
  local name = consumer['name']
  if name == waiting then
    local known = redis.call('ZCARD', again) + (ordered and redis.call('ZCARD', behind) or 0)
    if consumer['pending'] > known then
      local kept = {}
      if ordered then
        for _, place in ipairs(redis.call('ZRANGE', behind, 0, -1)) do kept[plain(place)] = true end
      end
      for _, id in ipairs(redis.call('ZRANGE', again, 0, -1)) do kept[id] = true end
      moved = moved + shelveAll(waiting, kept, 0)
    end
  elseif name ~= me and consumer['idle'] > silence then
    if suspected[name] and consumer['idle'] > dead then
      moved = moved + shelveAll(name, {}, 0)
      redis.call('XGROUP', 'DELCONSUMER', log, group, name)
    else
      silent[#silent + 1] = name
    end
  end
end
if moved > 0 then redis.call('SPUBLISH', KEYS[5], '') end
return silent
`);

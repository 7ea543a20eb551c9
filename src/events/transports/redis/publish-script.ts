import { type RedisScript, redisScript } from '../../../drivers/redis/index.js';
import { recentIdsFunction } from './recent-ids-script.js';

/** Begins the error of {@link publishScript} for a log without room; the group in the way follows. */
export const logFull = 'LOGFULL';

/** Lua: writes one event; fields that it has not are left out. `only` is the one group that it is for. */
export const appendFunction = `
local function append(id, key, attributes, body, only)
  if key == '' and attributes ~= '' and not only then
    return redis.call('XADD', log, '*', 'id', id, 'attributes', attributes, 'body', body)
  end
  local fields = { 'id', id }
  if key ~= '' then fields[3], fields[4] = 'key', key end
  if attributes ~= '' then
    fields[#fields + 1] = 'attributes'
    fields[#fields + 1] = attributes
  end
  fields[#fields + 1] = 'body'
  fields[#fields + 1] = body
  if only then
    fields[#fields + 1] = 'only'
    fields[#fields + 1] = only
  end
  return redis.call('XADD', log, '*', unpack(fields))
end
`;

/**
 * Appends a batch of events to one log, each id once within the window, and wakes those who wait.
 * Sent again with the same token it stores nothing and answers the same.
 *
 * KEYS: log, wake, then two for recent ids, or without a window the key of the batch.
 * ARGV: token, window in milliseconds or 0, most events or 0, 1 to drop the oldest, the longest age
 * in milliseconds or '' when it is not asked now, then of each event id, head and body. The head is '' for the key and
 * attributes of the event before, else the bytes of the key, a colon, key and attributes. Answers the numbers of the duplicates.
 */
export const publishScript: RedisScript = redisScript(`
local log, token, window, most = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local drop, age, first = ARGV[4] == '1', ARGV[5], 6
local count = (#ARGV - first + 1) / 3
local length = redis.call('XLEN', log)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

${appendFunction}
${recentIdsFunction}
local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end
local function least(a, b)
  if not a then return b end
  if not b then return a end
  local ams, aseq = parts(a)
  local bms, bseq = parts(b)
  if ams < bms or (ams == bms and aseq < bseq) then return a end
  return b
end

-- The first entry that some group has to settle, and that group; nothing where there is no group.
local function floor()
  local lowest, owner
  if length == 0 then return nil end
  for _, info in ipairs(redis.call('XINFO', 'GROUPS', log)) do
    local group = {}
    for i = 1, #info, 2 do group[info[i]] = info[i + 1] end
    local ms, seq = parts(group['last-delivered-id'])
    local bound = ms .. '-' .. (seq + 1)
    if group['pending'] > 0 then bound = least(bound, redis.call('XPENDING', log, group['name'])[2]) end
    if least(lowest, bound) ~= lowest then lowest, owner = bound, group['name'] end
  end
  return lowest, owner
end

local function makeRoom()
  local bound, owner = floor()
  local tail = redis.call('XINFO', 'STREAM', log)
  local last
  for i = 1, #tail, 2 do if tail[i] == 'last-generated-id' then last = tail[i + 1] end end
  local ms, seq = parts(last)
  bound = bound or (ms .. '-' .. (seq + 1))
  redis.call('XTRIM', log, 'MINID', '~', bound, 'LIMIT', math.max(200, math.floor(most / 10)))
  local excess = redis.call('XLEN', log) + count - most
  if excess <= 0 then return end
  local entries = redis.call('XRANGE', log, '-', '+', 'COUNT', excess + 1)
  local to = #entries > excess and entries[#entries][1] or nil
  redis.call('XTRIM', log, 'MINID', '=', least(to, bound))
  if redis.call('XLEN', log) + count <= most then return end
  if not drop then return owner or '' end
  redis.call('XTRIM', log, 'MAXLEN', '=', math.max(0, most - count))
end

if window == 0 and redis.call('EXISTS', KEYS[3]) == 1 then return {} end
if age ~= '' then
  local oldest = string.format('%.0f-0', math.max(0, now - tonumber(age)))
  redis.call('XTRIM', log, 'MINID', '~', least(floor(), oldest))
end
if most > 0 and length + count > most then
  local owner = makeRoom()
  if owner then return redis.error_reply('${logFull} ' .. owner) end
end
local ids, recent = {}, nil
if window == 0 then
  redis.call('SET', KEYS[3], '1', 'PX', 120000)
else
  for i = 1, count do ids[i] = ARGV[first + (i - 1) * 3] end
  recent = recentIds(KEYS[3], KEYS[4], ids, window, now)
end
local duplicates, stored, mine, key, attributes = {}, {}, {}, '', ''
for i = 1, count do
  local at = first + (i - 1) * 3
  local id, head = ARGV[at], ARGV[at + 1]
  if head ~= '' then
    local bytes, from = string.match(head, '^(%d+):()')
    key, attributes = string.sub(head, from, from + bytes - 1), string.sub(head, from + bytes)
  end
  local known = recent and recent.token(i)
  if mine[id] or known and known ~= token then
    duplicates[#duplicates + 1] = i
  else
    mine[id] = recent
    if not known then
      append(id, key, attributes, ARGV[at + 2])
      stored[#stored + 1] = id
    end
  end
end
if recent and #stored > 0 then recent.remember(stored, token) end
if #duplicates < count then redis.call('SPUBLISH', KEYS[2], '') end
return duplicates
`);

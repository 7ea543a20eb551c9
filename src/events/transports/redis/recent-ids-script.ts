/**
 * Lua: which ids were stored within their dedupe window. They stand in two hashes that take turns, since a
 * key of its own costs as much for an id as storing the event does. The one whose turn it is gets the new ids; once
 * the other one's have all expired, that one is given up and its turn begins. Field '' (no event has that id) holds
 * the number of the turn, when it began and the longest window asked for in it, in milliseconds.
 *
 * After a clock that went back, ids are remembered longer, never for less than their window; one that went
 * forward shortens what is left of their window by as much.
 */
export const recentIdsFunction = `
local function recentIds(first, second, ids, window, now)
  local asked = { '', unpack(ids) }
  local newer, older = redis.call('HMGET', first, unpack(asked)), redis.call('HMGET', second, unpack(asked))
  local function turnOf(hash)
    local turn, began, longest = string.match(hash[1] or '0 0 0', '^(%d+) (%d+) (%d+)$')
    return tonumber(turn), tonumber(began), tonumber(longest)
  end
  local turn, began, longest = turnOf(newer)
  local lastTurn, lastBegan, lastLongest = turnOf(older)
  if lastTurn > turn then
    first, second, newer, older = second, first, older, newer
    turn, lastTurn, began, longest, lastLongest = lastTurn, turn, lastBegan, lastLongest, longest
  end
  local function live(value)
    if not value then return nil end
    local till, token = string.match(value, '^(%d+) (.*)$')
    return tonumber(till) > now and token or nil
  end

  local recent = {}
  -- The token that the id with this number came with, within its window.
  function recent.token(number) return live(newer[number + 1]) or live(older[number + 1]) end
  function recent.remember(stored, token)
    if turn == 0 or now - began >= math.max(longest, lastLongest) then
      if turn > 0 then first, second = second, first end
      redis.call('UNLINK', first)
      turn, began, longest = turn + 1, now, window
    end
    began, longest = math.min(began, now), math.max(longest, window)
    local mark = string.format('%.0f ', now + window) .. token
    local fields = { '', string.format('%.0f %.0f %.0f', turn, began, longest) }
    for _, id in ipairs(stored) do
      fields[#fields + 1] = id
      fields[#fields + 1] = mark
    end
    redis.call('HSET', first, unpack(fields))
    redis.call('PEXPIRE', first, string.format('%.0f', longest))
  end
  return recent
end
`;

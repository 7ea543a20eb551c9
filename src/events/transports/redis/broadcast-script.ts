import { type RedisScript, redisScript } from '../../../drivers/redis/index.js';

/**
 * Publishes a batch of messages once: sent again with the same token it answers what it answered before.
 *
 * KEYS: where the last token of this sender stands, then, for the slot, the channel when it is sharded.
 * ARGV: token, PUBLISH or SPUBLISH, then channel and message in turn. Answers the counts of receivers.
 */
export const broadcastScript: RedisScript = redisScript(`
local token, command = ARGV[1] .. ' ', ARGV[2]
local last = redis.call('GET', KEYS[1])
if last and string.sub(last, 1, #token) == token then return string.sub(last, #token + 1) end
local counts = {}
for i = 3, #ARGV, 2 do counts[#counts + 1] = redis.call(command, ARGV[i], ARGV[i + 1]) end
local answer = table.concat(counts, ' ')
redis.call('SET', KEYS[1], token .. answer, 'PX', 120000)
return answer
`);

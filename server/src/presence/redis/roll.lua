-- In which minutes nodes were there to count.
--
-- KEYS:
--   1 chat:presence:counts  hash, kept for as long as anybody may ask: a minute's place in a ring -> the minute
-- ARGV:
--   1 the time in milliseconds; 0 for Redis's own
--   2 the minute in which the node asked before, if it has been in touch since; else empty, and nothing is noted
-- Returns the minute, and those that have been noted.

local MINUTE, RING = 60000, 64
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local minute = string.format('%.0f', math.floor(now / MINUTE))
local place = tonumber(minute) % RING
if minute == ARGV[2] and redis.call('HGET', KEYS[1], place) ~= minute then
  redis.call('HSET', KEYS[1], place, minute)
  redis.call('PEXPIRE', KEYS[1], 61 * MINUTE)
end
return { minute, unpack(redis.call('HVALS', KEYS[1])) }

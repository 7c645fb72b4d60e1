-- How many were online in the last hour.
--
-- KEYS, a part of those in common.lua, which does not stand before this script:
--   1 online_users:T
--   2 {online_users:T}:counts
-- ARGV:
--   1 the time in milliseconds; 0 for Redis's own
-- Returns the time in milliseconds, how many are online, and what is in the ring.

local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
return { string.format('%.0f', now), tostring(redis.call('HLEN', KEYS[1])), unpack(redis.call('HVALS', KEYS[2])) }

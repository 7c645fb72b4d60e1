-- How many were online in the last hour.
--
-- KEYS, a part of those in common.lua, which does not stand before this script:
--   1 online_users:T
--   2 {online_users:T}:counts
-- Returns the time in milliseconds, how many are online, and what is in the ring.

local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
return { now, tostring(redis.call('HLEN', KEYS[1])), unpack(redis.call('HVALS', KEYS[2])) }

-- A node tells itself that it hears, and what time it is here.
--
-- KEYS[1]  the node's channel
-- ARGV[1]  the command to publish with: PUBLISH, or SPUBLISH where channels are sharded
-- Returns the time in milliseconds.
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call(ARGV[1], KEYS[1], '{"v":1,"alive":' .. now .. '}')
return now

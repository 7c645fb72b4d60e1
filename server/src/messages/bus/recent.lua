-- A part of what was said in a tenant lately.
--
-- KEYS[1]  stream: the tenant's latest messages
-- ARGV[1]  where the part begins: an entry's id, perhaps after (
-- ARGV[2]  the most entries
-- Returns the time in milliseconds, the id of the oldest entry that is left (empty: there is none), how
-- many entries there are, how many there ever were (false before Redis 7.0, which does not count them),
-- and the entries.
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
if redis.call('EXISTS', KEYS[1]) == 0 then return { now, '', 0, 0, {} } end
local info = redis.call('XINFO', 'STREAM', KEYS[1])
local extent = {}
for index = 1, #info, 2 do extent[info[index]] = info[index + 1] end
local first = extent['first-entry']
return {
  now, first and first[1] or '', extent['length'], extent['entries-added'] or false,
  redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2]),
}

-- Everyone online, for a node that is going to hear of the changes from here on.
--
-- ARGV:
--   7 how long the node is believed to live, in milliseconds
--   8 1 if it may begin its lease here
--   9 how many grace times are ended at a time
-- Returns the epoch, the version and the time; the hash: user, value, user, value, …; and what is shown besides: user,
-- details, …; only the first of these if there are more grace times to end; nothing if the lease is over.

if not has_lease(ARGV[8] == '1', tonumber(ARGV[7])) then return {} end
recognise()
-- Whose grace time is over is gone, though nobody may have looked yet: a node that was out of touch has said so by itself.
local limit = tonumber(ARGV[9])
local more = end_graces(limit) == limit
local counting, changes, time = state()
outlive()
if more then return { { counting, changes, time } } end
return { { counting, changes, time }, redis.call('HGETALL', ONLINE), redis.call('HGETALL', DETAILS) }

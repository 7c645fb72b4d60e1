-- Everyone online, for a node that is going to hear of the changes from here on.
--
-- ARGV:
--   7 how long the node is believed to live, in milliseconds
--   8 1 if it may begin its lease here
-- Returns the epoch, the version and the time; the hash: user, value, user, value, …; and what is shown besides: user,
-- details, …; nothing if the lease is over.

if not has_lease(ARGV[8] == '1', tonumber(ARGV[7])) then return {} end
recognise()
local counting, changes, time = state()
outlive()
return { { counting, changes, time }, redis.call('HGETALL', ONLINE), redis.call('HGETALL', DETAILS) }

-- Everyone online, for a node that is going to hear of the changes from here on.
--
-- ARGV:
--   6 how long the node is believed to live, in milliseconds
--   7 1 if it may begin its lease here
-- Returns the epoch, the version, and the hash: user, value, user, value, …; nothing if the lease is over.

if not has_lease(ARGV[7] == '1', tonumber(ARGV[6])) then return {} end
recognise()
local counting = epoch()
outlive()
return { { counting, version() }, redis.call('HGETALL', ONLINE) }

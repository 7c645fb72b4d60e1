-- Everyone online, for a node that is going to hear of the changes from here on.
--
-- ARGV:
--   4 the incarnation of the node
--   5 how long it is believed to live, in milliseconds
--   6 1 if it may begin its lease here
-- Returns the epoch, the version, and the hash: user, value, user, value, …; nothing if the lease is over.

if not redis.call('ZSCORE', LEASES, ARGV[4]) then
  if ARGV[6] ~= '1' then return {} end
  redis.call('ZADD', LEASES, now + tonumber(ARGV[5]), ARGV[4])
end
local counting = epoch()
outlive()
return { { counting, version() }, redis.call('HGETALL', ONLINE) }

-- Everyone online, for a node that is going to hear of the changes from here on.
--
-- ARGV:
--   4 the incarnation of the node
--   5 how long it is believed to live, in milliseconds
-- Returns the epoch, the version, and the hash: user, value, user, value, …

if not redis.call('ZSCORE', LEASES, ARGV[4]) then
  redis.call('ZADD', LEASES, now + tonumber(ARGV[5]), ARGV[4])
end
local counting = epoch()
outlive(false)
return { counting, version(), redis.call('HGETALL', ONLINE) }

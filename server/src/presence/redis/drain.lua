-- A node goes, and takes its sessions with it.
--
-- ARGV:
--   4 the incarnation of the node
--   5 the grace time in milliseconds
--   6 how much is done at a time
-- Returns 1 if there is more to do.

local limit = tonumber(ARGV[6])
if finish_all(ARGV[4], limit, tonumber(ARGV[5])) == limit then
  outlive()
  return 1
end
redis.call('ZREM', LEASES, ARGV[4])
if redis.call('ZCOUNT', LEASES, '(' .. now, '+inf') == 0 then
  -- Nobody is left to end grace times, nor to be told.
  redis.call('DEL', unpack(KEYS))
else
  outlive()
end
return 0

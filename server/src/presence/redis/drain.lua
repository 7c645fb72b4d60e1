-- An incarnation of a node is over, and its sessions with it.
--
-- ARGV:
--   6 how long its users stay without a session, in milliseconds
--   7 how much is done at a time
-- Returns 1 if there is more to do.

local limit = tonumber(ARGV[7])
if finish_all(INCARNATION, limit, tonumber(ARGV[6])) == limit then
  outlive()
  return 1
end
redis.call('ZREM', LEASES, INCARNATION)
if redis.call('ZCOUNT', LEASES, '(' .. now, '+inf') == 0 then
  -- Nobody is left to end grace times, nor to be told.
  redis.call('DEL', unpack(KEYS))
else
  outlive()
end
return 0

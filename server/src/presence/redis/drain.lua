-- An incarnation of a node is over, and its sessions with it.
--
-- ARGV:
--   7 how long its users stay without a session, in milliseconds
--   8 how much is done at a time
-- Returns 1 if there is more to do, and the milliseconds until the next grace time ends (-1: none).

local limit = tonumber(ARGV[8])
if finish_all(INCARNATION, limit, tonumber(ARGV[7])) == limit then
  outlive()
  return { 1, next_grace() }
end
redis.call('ZREM', LEASES, INCARNATION)
if redis.call('ZCOUNT', LEASES, '(' .. now, '+inf') == 0 then
  -- Nobody is left to end grace times, nor to be told.
  forget()
  return { 0, -1 }
end
outlive()
return { 0, next_grace() }

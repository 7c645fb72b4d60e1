-- A node lives, and what is due is done: grace times end, and nodes that fell silent are gone.
--
-- ARGV:
--   7 how long the node is believed to live, in milliseconds
--   8 1 if silent nodes are to be looked for
--   9 how much is done at a time
-- Returns the epoch, the version, the time, the milliseconds until the next grace time ends (-1: none), and 1 if
-- there is more to do; nothing if the lease is over.

if not has_lease(false) then return {} end
redis.call('ZADD', LEASES, now + tonumber(ARGV[7]), INCARNATION)
count()

local left = tonumber(ARGV[9])
if ARGV[8] == '1' then
  for _, silent in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '-inf', now)) do
    if left > 0 then
      -- It has been silent for longer than a grace time is, so there is none.
      left = left - finish_all(silent, left, 0)
      if left > 0 then redis.call('ZREM', LEASES, silent) end
    end
  end
end
if left > 0 then left = left - end_graces(left) end
outlive()
local counting, changes, time = state()
return { counting, changes, time, next_grace(), left > 0 and 0 or 1 }

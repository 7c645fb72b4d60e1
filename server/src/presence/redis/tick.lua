-- A node lives, and what is due is done: grace times end, and nodes that fell silent are gone.
--
-- ARGV:
--   6 how long the node is believed to live, in milliseconds
--   7 1 if silent nodes are to be looked for
--   8 how much is done at a time
-- Returns the epoch, the version, the milliseconds until the next grace time ends (-1: none), and 1 if
-- there is more to do; nothing if the lease is over.

if not has_lease(false) then return {} end
redis.call('ZADD', LEASES, now + tonumber(ARGV[6]), INCARNATION)

local left = tonumber(ARGV[8])
if ARGV[7] == '1' then
  for _, silent in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '-inf', now)) do
    if left > 0 then
      -- It has been silent for longer than a grace time is, so there is none.
      left = left - finish_all(silent, left, 0)
      if left > 0 then redis.call('ZREM', LEASES, silent) end
    end
  end
end
if left > 0 then
  for _, user in ipairs(redis.call('ZRANGEBYSCORE', GRACE, '-inf', now, 'LIMIT', 0, left)) do
    depart(user)
    left = left - 1
  end
end
outlive()
local first = redis.call('ZRANGE', GRACE, 0, 0, 'WITHSCORES')[2]
local wait = first and math.max(0, tonumber(first) - now) or -1
return { epoch(), version(), wait, left > 0 and 0 or 1 }

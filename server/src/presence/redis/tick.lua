-- A node lives, and what is due is done: grace times end, and nodes that fell silent are gone.
--
-- ARGV:
--   4 the incarnation of the node
--   5 how long it is believed to live, in milliseconds
--   6 1 if silent nodes are to be looked for
--   7 how much is done at a time
-- Returns the epoch, the version, the milliseconds until the next grace time ends (-1: none), and 1 if
-- there is more to do; nothing if the lease is over.

local incarnation, limit = ARGV[4], tonumber(ARGV[7])
if not redis.call('ZSCORE', LEASES, incarnation) then return {} end
redis.call('ZADD', LEASES, now + tonumber(ARGV[5]), incarnation)

local left = limit
if ARGV[6] == '1' then
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

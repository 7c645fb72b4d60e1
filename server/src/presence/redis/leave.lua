-- A session is over.
--
-- ARGV:
--   4 the incarnation of its node
--   5 the session
--   6 the user
--   7 the grace time in milliseconds
-- Returns the epoch, the version, and 1 if the grace time of the user has begun; nothing if the lease
-- is over.

if not redis.call('ZSCORE', LEASES, ARGV[4]) then return {} end
local user = ARGV[6]
local shown = newest(user)
local stays = remove(ARGV[4], ARGV[5], user) and settle(user, shown, tonumber(ARGV[7]))
outlive()
return { epoch(), version(), stays and 1 or 0 }

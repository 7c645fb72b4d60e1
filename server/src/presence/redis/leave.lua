-- A session is over.
--
-- ARGV:
--   7 the session
--   8 the user
--   9 the grace time in milliseconds
-- Returns the epoch, the version, the time, and 1 if the grace time of the user has begun; nothing if the lease
-- is over.

if not has_lease(false) then return {} end
local user = ARGV[8]
local stays = remove(INCARNATION, ARGV[7], user) and settle(user, tonumber(ARGV[9]))
outlive()
local counting, changes, time = state()
return { counting, changes, time, stays and 1 or 0 }

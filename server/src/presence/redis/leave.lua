-- A session is over.
--
-- ARGV:
--   6 the session
--   7 the user
--   8 the grace time in milliseconds
-- Returns the epoch, the version, and 1 if the grace time of the user has begun; nothing if the lease
-- is over.

if not has_lease(false) then return {} end
local user = ARGV[7]
local shown = newest(user)
local stays = remove(INCARNATION, ARGV[6], user) and settle(user, shown, tonumber(ARGV[8]))
outlive()
return { epoch(), version(), stays and 1 or 0 }

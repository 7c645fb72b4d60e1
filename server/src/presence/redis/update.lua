-- A session shows something else, or is looked at.
--
-- ARGV:
--   7 the session
--   8 the user
--   9 the value
--   10 the details; empty for a session that does not report its visit
--   11 1 if the user is looking at it: then it is the one that is shown
-- Returns the epoch, the version, the time, and the order of the session, empty if this incarnation does not hold it;
-- nothing if the lease is over.

if not has_lease(false) then return {} end
local session, user = ARGV[7], ARGV[8]
local key = session .. ' ' .. user
local entry = redis.call('HGET', SESSIONS, key)
local holder, order
if entry then holder, order = string.match(entry, '^(%S+) (%S+) ') end
if holder == INCARNATION then
  if ARGV[11] == '1' and newest(user) ~= session then
    redis.call('ZREM', QUEUE, prefix(user) .. order .. ' ' .. session)
    order = next_order()
    redis.call('ZADD', QUEUE, 0, prefix(user) .. order .. ' ' .. session)
  end
  redis.call('HSET', SESSIONS, key, INCARNATION .. ' ' .. order .. ' ' .. shown_by(ARGV[9], ARGV[10]))
  show(user, newest(user))
else
  order = ''
end
outlive()
local counting, changes, time = state()
return { counting, changes, time, order }

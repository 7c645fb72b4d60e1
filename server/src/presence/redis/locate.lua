-- Which nodes hold a user's sessions, or the session of that name.
--
-- KEYS, a part of those in common.lua, which does not stand before this script:
--   1 {online_users:T}:sessions
--   2 {online_users:T}:queue
--   3 {online_users:T}:held
--   4 {online_users:T}:leases
-- ARGV:
--   1 user or session
--   2 its id
-- Returns the user and the incarnations that hold the sessions, each once; nothing if there are none.
--
-- It reads only. What a silent node held is found until somebody ends it: what is sent there is lost, as
-- is the session.

local SESSIONS, QUEUE, HELD, LEASES = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

local function of_user(user)
  local found, seen = { user }, {}
  local from = #user .. ':' .. user .. ':'
  local queued = redis.call('ZRANGEBYLEX', QUEUE, '[' .. from, '[' .. from .. '\255')
  for _, name in ipairs(queued) do
    -- The order before the session has 16 digits.
    local session = string.sub(name, #from + 18)
    local entry = redis.call('HGET', SESSIONS, session .. ' ' .. user)
    local incarnation = entry and string.match(entry, '^%S+')
    if incarnation and not seen[incarnation] then
      seen[incarnation] = true
      table.insert(found, incarnation)
    end
  end
  return #found > 1 and found or {}
end

local function of_session(session)
  for _, incarnation in ipairs(redis.call('ZRANGE', LEASES, 0, -1)) do
    local from = incarnation .. ' ' .. session .. ' '
    local held = redis.call('ZRANGEBYLEX', HELD, '[' .. from, '[' .. from .. '\255', 'LIMIT', 0, 1)[1]
    if held then return { string.sub(held, #from + 1), incarnation } end
  end
  return {}
end

if ARGV[1] == 'user' then return of_user(ARGV[2]) end
return of_session(ARGV[2])

-- Who is online in one tenant. This part stands before each of the scripts.
--
-- KEYS, all in one cluster slot:
--   1 online_users:T            hash, read by other programs: user -> what is shown of the user
--   2 {online_users:T}:meta     hash: epoch, version, order, server
--   3 {online_users:T}:sessions hash: "SESSION USER" -> "INCARNATION ORDER VALUE"
--   4 {online_users:T}:queue    zset by name: "LENGTH:USER:ORDER SESSION", a user's newest session last
--   5 {online_users:T}:held     zset by name: "INCARNATION SESSION USER"
--   6 {online_users:T}:leases   zset: incarnation of a node -> end of its lease
--   7 {online_users:T}:grace    zset: user without a session -> end of the grace time
-- ARGV:
--   1 the time in milliseconds; 0 for Redis's own, which is one clock for all nodes (tests set it)
--   2 how long all of this outlives the last sign of any node, in milliseconds
--   3 the epoch, should the counting begin here
--   4 the command to publish with: PUBLISH, or SPUBLISH where channels are sharded
--   5 the incarnation of the node that asks
--   6 the time until which the node waits for the answer; 0 where that is not known
-- and from 7 on what each script says.
--
-- What must stay true: a user is in 1 if and only if it has a session in 4 or stands in 7; 3, 4 and 5
-- hold the same sessions; every change of 1 bumps the version and is published with it; equal epochs and
-- versions name equal states, so the counting begins anew where another server has the data, which may
-- lack what was last done.

local ONLINE, META, SESSIONS, QUEUE = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local HELD, LEASES, GRACE = KEYS[5], KEYS[6], KEYS[7]
local CHANNEL = '{' .. ONLINE .. '}:events'
local INCARNATION = ARGV[5]

local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The hash has expired, because no node was there, or somebody has deleted it: begin anew.
if redis.call('EXISTS', ONLINE) == 0 and
    (redis.call('EXISTS', SESSIONS) == 1 or redis.call('EXISTS', GRACE) == 1) then
  redis.call('DEL', unpack(KEYS))
end

-- Asked for only where something is or comes to be, so that nothing is left where nothing was.
local function epoch()
  redis.call('HSETNX', META, 'epoch', ARGV[3])
  return redis.call('HGET', META, 'epoch')
end

-- The one place where something is published.
local function publish(value, user)
  local version = redis.call('HINCRBY', META, 'version', 1)
  redis.call(ARGV[4], CHANNEL, epoch() .. '\n' .. version .. '\n' .. value .. '\n' .. user)
end

-- Lets the counting begin anew if another server has the data than before. To be called where a node
-- begins, or reads everything: then is the time to look.
local function recognise()
  local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  local known = redis.call('HGET', META, 'server')
  if known ~= server then
    redis.call('HSET', META, 'server', server)
    if known then redis.call('HSET', META, 'epoch', ARGV[3]) end
  end
end

-- Whether the node has a lease. If it may, it begins one that lasts `lease` milliseconds. What nobody waits
-- for any more is not to be done: its node has gone another way.
local function has_lease(may_begin, lease)
  local deadline = tonumber(ARGV[6])
  if deadline > 0 and deadline < now then return false end
  if redis.call('ZSCORE', LEASES, INCARNATION) then return true end
  if not may_begin then return false end
  recognise()
  redis.call('ZADD', LEASES, now + lease, INCARNATION)
  return true
end

local function version()
  return redis.call('HGET', META, 'version') or '0'
end

-- What every answer begins with, for a node that has a lease: the state, and the time.
local function state()
  return epoch(), version(), string.format('%.0f', now)
end

local function prefix(user)
  return #user .. ':' .. user .. ':'
end

local function newest(user)
  local from = prefix(user)
  local last = redis.call('ZREVRANGEBYLEX', QUEUE, '[' .. from .. '\255', '[' .. from, 'LIMIT', 0, 1)[1]
  return last and string.sub(last, #from + 18)
end

local function show(user, session)
  local entry = redis.call('HGET', SESSIONS, session .. ' ' .. user)
  local value = string.match(entry, '^%S+ %S+ (.*)$')
  redis.call('HSET', ONLINE, user, value)
  publish(value, user)
end

local function depart(user)
  redis.call('ZREM', GRACE, user)
  redis.call('HDEL', ONLINE, user)
  publish('', user)
end

-- Removes a session, if this incarnation holds it. Returns whether it did.
local function remove(incarnation, session, user)
  local key = session .. ' ' .. user
  local entry = redis.call('HGET', SESSIONS, key)
  redis.call('ZREM', HELD, incarnation .. ' ' .. key)
  if not entry then return false end
  local holder, order = string.match(entry, '^(%S+) (%S+) ')
  if holder ~= incarnation then return false end
  redis.call('HDEL', SESSIONS, key)
  redis.call('ZREM', QUEUE, prefix(user) .. order .. ' ' .. session)
  return true
end

-- Sees to a user who has lost sessions. `shown` was the newest; `stays` is how long a user may stay
-- without any. Returns whether the user does.
local function settle(user, shown, stays)
  local remaining = newest(user)
  if remaining then
    if remaining ~= shown then show(user, remaining) end
    return false
  end
  if stays > 0 then
    redis.call('ZADD', GRACE, now + stays, user)
    return true
  end
  depart(user)
  return false
end

-- Ends up to `limit` sessions that an incarnation holds, and returns how many.
local function finish_all(incarnation, limit, stays)
  local from = incarnation .. ' '
  local held = redis.call('ZRANGEBYLEX', HELD, '[' .. from, '[' .. from .. '\255', 'LIMIT', 0, limit)
  local users, shown = {}, {}
  for _, name in ipairs(held) do
    local session, user = string.match(name, '^%S+ (%S+) (.*)$')
    local before = shown[user] or newest(user)
    if remove(incarnation, session, user) and not shown[user] then
      shown[user] = before
      table.insert(users, user)
    end
  end
  -- Only now: nobody is to be shown with a session that goes too.
  for _, user in ipairs(users) do
    settle(user, shown[user], stays)
  end
  return #held
end

-- How long it is until the next grace time ends; -1 if there is none.
local function next_grace()
  local first = redis.call('ZRANGE', GRACE, 0, 0, 'WITHSCORES')[2]
  return first and math.max(0, tonumber(first) - now) or -1
end

-- To be called at the end: what nobody renews goes away by itself, all of it at the same time, and
-- never sooner than another node has said.
local function outlive()
  local left = math.max(tonumber(ARGV[2]), redis.call('PTTL', META))
  for _, key in ipairs(KEYS) do
    redis.call('PEXPIRE', key, left)
  end
end

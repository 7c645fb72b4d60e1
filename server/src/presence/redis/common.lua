-- Who is online in one tenant. This part stands before each of the scripts.
--
-- KEYS, all in one cluster slot:
--   1 online_users:T            hash, read by other programs: user -> what is shown of the user
--   2 {online_users:T}:meta     hash: epoch, version, order, server
--   3 {online_users:T}:sessions hash: "SESSION USER" -> "INCARNATION ORDER VALUE", and for a session that reports its
--                               visit after a line feed DETAILS; both are JSON objects
--   4 {online_users:T}:queue    zset by name: "LENGTH:USER:ORDER SESSION", the session that is shown last
--   5 {online_users:T}:held     zset by name: "INCARNATION SESSION USER"
--   6 {online_users:T}:leases   zset: incarnation of a node -> end of its lease
--   7 {online_users:T}:grace    zset: user without a session -> end of the grace time
--   8 {online_users:T}:details  hash: user -> what is shown besides the value in 1, if anything is
--   9 {online_users:T}:counts   hash, which outlives the others by an hour: a minute's place in a ring ->
--                               "MINUTE ONLINE PEAK"
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
-- hold the same sessions; whoever is in 8 is in 1; every change of 1 or 8 bumps the version, is published with it and
-- counted; equal epochs and versions name equal states, so the counting of versions begins anew where another
-- server has the data, which may lack what was last done. A minute in which no node gave a sign of life is not in 9.

local ONLINE, META, SESSIONS, QUEUE = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local HELD, LEASES, GRACE, DETAILS, COUNTS = KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9]
-- How many keys go together.
local STATE = 8
local MINUTE, RING = 60000, 64
local CHANNEL = '{' .. ONLINE .. '}:events'
local INCARNATION = ARGV[5]

local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local function forget()
  redis.call('DEL', unpack(KEYS, 1, STATE))
end

-- The hash has expired, because no node was there, or somebody has deleted it: begin anew.
if redis.call('EXISTS', ONLINE) == 0 and
    (redis.call('EXISTS', SESSIONS) == 1 or redis.call('EXISTS', GRACE) == 1) then
  forget()
end

-- Asked for only where something is or comes to be, so that nothing is left where nothing was.
local function epoch()
  redis.call('HSETNX', META, 'epoch', ARGV[3])
  return redis.call('HGET', META, 'epoch')
end

-- Counts who is online, of whom there were `more` a moment ago; without that only if nobody has counted in this minute
-- yet. The first count in a minute also keeps all of them for as long as anybody may ask.
local function count(more)
  local minute = math.floor(now / MINUTE)
  local place = minute % RING
  local entry = redis.call('HGET', COUNTS, place)
  local counted, peak
  if entry then counted, peak = string.match(entry, '^(%d+) %d+ (%d+)$') end
  if tonumber(counted) ~= minute then peak = nil end
  if peak and not more then return end
  local online = redis.call('HLEN', ONLINE)
  peak = math.max(tonumber(peak or 0), online, online + (more or 0))
  local text = string.format('%.0f %.0f %.0f', minute, online, peak)
  if text ~= entry then redis.call('HSET', COUNTS, place, text) end
  if tonumber(counted) ~= minute then
    redis.call('PEXPIRE', COUNTS, tonumber(ARGV[2]) + 61 * MINUTE)
  end
end

-- The one place where something is published. `more` is how many more users were online before.
local function publish(value, user, more)
  count(more)
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

-- What the hash shows of a user with this session, and what is shown besides; false if that is nothing.
local function profile(user, session)
  local entry = redis.call('HGET', SESSIONS, session .. ' ' .. user)
  -- Somebody has deleted what is not theirs.
  if not entry then return nil end
  local value, details = string.match(entry, '^%S+ %S+ ([^\n]*)\n?(.*)$')
  if details == '' then return value, false end
  local from = prefix(user)
  local tabs = redis.call('ZLEXCOUNT', QUEUE, '[' .. from, '[' .. from .. '\255')
  if tabs > 1 then
    local comma = details == '{}' and '' or ','
    details = string.format('%s%s"tabs":%.0f}', string.sub(details, 1, -2), comma, tabs)
  end
  return value, details ~= '{}' and details
end

-- Shows a user with a session. Returns whether something else was shown.
local function show(user, session)
  local value, details = profile(user, session)
  if not value then return false end
  local same = redis.call('HGET', ONLINE, user) == value
  if same and redis.call('HGET', DETAILS, user) == details then return false end
  local came = redis.call('HSET', ONLINE, user, value)
  if details then
    redis.call('HSET', DETAILS, user, details)
    value = string.sub(value, 1, -2) .. ',' .. string.sub(details, 2)
  elseif came == 0 then
    redis.call('HDEL', DETAILS, user)
  end
  publish(value, user, -came)
  return true
end

local function depart(user)
  redis.call('ZREM', GRACE, user)
  redis.call('HDEL', DETAILS, user)
  publish('', user, redis.call('HDEL', ONLINE, user))
end

-- Lets up to `limit` users go whose grace time is over, and returns how many.
local function end_graces(limit)
  local over = redis.call('ZRANGEBYSCORE', GRACE, '-inf', now, 'LIMIT', 0, limit)
  for _, user in ipairs(over) do
    depart(user)
  end
  return #over
end

-- The place of a session that is to be shown from now on.
local function next_order()
  local last = tonumber(redis.call('HGET', META, 'order') or '0')
  local order = string.format('%016.0f', math.max(now * 1000, last + 1))
  redis.call('HSET', META, 'order', order)
  return order
end

-- What stands in an entry behind its order.
local function shown_by(value, details)
  if details == '' then return value end
  return value .. '\n' .. details
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

-- Sees to a user who has lost sessions. `stays` is how long a user may stay without any. Returns whether the
-- user does.
local function settle(user, stays)
  local remaining = newest(user)
  if remaining then
    show(user, remaining)
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
  local users, seen = {}, {}
  for _, name in ipairs(held) do
    local session, user = string.match(name, '^%S+ (%S+) (.*)$')
    if remove(incarnation, session, user) and not seen[user] then
      seen[user] = true
      table.insert(users, user)
    end
  end
  -- Only now: nobody is to be shown with a session that goes too.
  for _, user in ipairs(users) do
    settle(user, stays)
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
  for index = 1, STATE do
    redis.call('PEXPIRE', KEYS[index], left)
  end
end

-- Mends what does not fit together in a tenant, for an operator: nothing is done where all is well. A part at
-- a time, so that Redis is never held up for long.
--
-- ARGV:
--   7 what is looked at: leases, held, sessions, queue, online, details or grace
--   8 where to go on, 0 to begin
--   9 how much is looked at, about
--   10 for how long a lease must have been over, in milliseconds
-- Returns how many sessions were ended that nobody holds, how many entries without a session were removed, how
-- many users were shown anew, how many were taken out, and where to go on; 0 at the end.

local part, cursor, count = ARGV[7], ARGV[8], tonumber(ARGV[9])
local ended, removed, shown, gone = 0, 0, 0, 0

local function scan(command, key)
  local page = redis.call(command, key, cursor, 'COUNT', count)
  cursor = page[1]
  return page[2]
end

local parts = {}

-- What nodes held that have been silent for so long that they would have come back.
function parts.leases()
  local over = now - tonumber(ARGV[10])
  cursor = '0'
  for _, silent in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '-inf', over)) do
    local done = finish_all(silent, count - ended, 0)
    ended = ended + done
    if ended >= count then
      cursor = '1'
      return
    end
    redis.call('ZREM', LEASES, silent)
  end
end

function parts.held()
  local page = scan('ZSCAN', HELD)
  for index = 1, #page, 2 do
    local incarnation, key = string.match(page[index], '^(%S+) (.*)$')
    local entry = redis.call('HGET', SESSIONS, key)
    if not entry or string.match(entry, '^%S+') ~= incarnation then
      redis.call('ZREM', HELD, page[index])
      removed = removed + 1
    end
  end
end

-- Sessions that nobody holds; and the place in the queue and the row that each of the others has.
function parts.sessions()
  local page = scan('HSCAN', SESSIONS)
  for index = 1, #page, 2 do
    local key = page[index]
    local session, user = string.match(key, '^(%S+) (.*)$')
    local incarnation, order = string.match(page[index + 1], '^(%S+) (%S+) ')
    local held = redis.call('ZSCORE', HELD, incarnation .. ' ' .. key)
    if not held or not redis.call('ZSCORE', LEASES, incarnation) then
      if remove(incarnation, session, user) then
        settle(user, 0)
        ended = ended + 1
      end
    else
      redis.call('ZADD', QUEUE, 0, prefix(user) .. order .. ' ' .. session)
      if redis.call('HEXISTS', ONLINE, user) == 0 then
        show(user, newest(user))
        shown = shown + 1
      end
    end
  end
end

function parts.queue()
  local page = scan('ZSCAN', QUEUE)
  for index = 1, #page, 2 do
    local length, rest = string.match(page[index], '^(%d+):(.*)$')
    local user = string.sub(rest, 1, tonumber(length))
    local session = string.sub(rest, tonumber(length) + 19)
    if redis.call('HEXISTS', SESSIONS, session .. ' ' .. user) == 0 then
      redis.call('ZREM', QUEUE, page[index])
      removed = removed + 1
    end
  end
end

-- The hash, and what is shown besides, is what the rest says.
function parts.online()
  local page = scan('HSCAN', ONLINE)
  for index = 1, #page, 2 do
    local user = page[index]
    local session = newest(user)
    if session and redis.call('HEXISTS', SESSIONS, session .. ' ' .. user) == 1 then
      if show(user, session) then shown = shown + 1 end
    elseif not redis.call('ZSCORE', GRACE, user) then
      depart(user)
      gone = gone + 1
    end
  end
end

function parts.details()
  local page = scan('HSCAN', DETAILS)
  for index = 1, #page, 2 do
    if redis.call('HEXISTS', ONLINE, page[index]) == 0 then
      redis.call('HDEL', DETAILS, page[index])
      removed = removed + 1
    end
  end
end

function parts.grace()
  local page = scan('ZSCAN', GRACE)
  for index = 1, #page, 2 do
    local user = page[index]
    if newest(user) or redis.call('HEXISTS', ONLINE, user) == 0 then
      redis.call('ZREM', GRACE, user)
      removed = removed + 1
    end
  end
end

parts[part]()
outlive()
return { ended, removed, shown, gone, cursor }

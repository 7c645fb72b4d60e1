-- Mends what does not fit together in a tenant, for an operator: nothing is done where all is well.
--
-- ARGV:
--   7 how much is done at a time
-- Returns how many sessions of silent nodes were ended, how many entries without a session were removed,
-- how many users were shown anew, how many were taken out, and 1 if there is more to do.

local limit = tonumber(ARGV[7])
local ended, removed, shown, gone = 0, 0, 0, 0

-- What silent nodes held, or nodes of which nothing is known.
for _, silent in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '-inf', now)) do
  if ended < limit then
    ended = ended + finish_all(silent, limit - ended, 0)
    if ended < limit then redis.call('ZREM', LEASES, silent) end
  end
end
local held = {}
for _, name in ipairs(redis.call('ZRANGE', HELD, 0, -1)) do
  local incarnation, key = string.match(name, '^(%S+) (.*)$')
  local entry = redis.call('HGET', SESSIONS, key)
  if not entry or string.match(entry, '^%S+') ~= incarnation then
    redis.call('ZREM', HELD, name)
    removed = removed + 1
  elseif redis.call('ZSCORE', LEASES, incarnation) then
    held[key] = true
  end
end

-- Sessions that nobody holds, and places in a queue that belong to no session.
local entries = redis.call('HGETALL', SESSIONS)
for index = 1, #entries, 2 do
  local key = entries[index]
  if not held[key] and ended < limit then
    local session, user = string.match(key, '^(%S+) (.*)$')
    local before = newest(user)
    local incarnation = string.match(entries[index + 1], '^%S+')
    if remove(incarnation, session, user) then settle(user, before, 0) end
    ended = ended + 1
  end
end
for _, name in ipairs(redis.call('ZRANGE', QUEUE, 0, -1)) do
  local length, rest = string.match(name, '^(%d+):(.*)$')
  local user = string.sub(rest, 1, tonumber(length))
  local session = string.sub(rest, tonumber(length) + 19)
  if redis.call('HEXISTS', SESSIONS, session .. ' ' .. user) == 0 then
    redis.call('ZREM', QUEUE, name)
    removed = removed + 1
  end
end

-- The hash is what the rest says.
local online = redis.call('HGETALL', ONLINE)
local listed = {}
for index = 1, #online, 2 do
  local user, value = online[index], online[index + 1]
  listed[user] = true
  local session = newest(user)
  if session then
    local entry = redis.call('HGET', SESSIONS, session .. ' ' .. user)
    if string.match(entry, '^%S+ %S+ (.*)$') ~= value then
      show(user, session)
      shown = shown + 1
    end
  elseif not redis.call('ZSCORE', GRACE, user) then
    depart(user)
    gone = gone + 1
  end
end
for key in pairs(held) do
  local user = string.match(key, '^%S+ (.*)$')
  local session = not listed[user] and newest(user)
  if session then
    listed[user] = true
    show(user, session)
    shown = shown + 1
  end
end
for _, user in ipairs(redis.call('ZRANGE', GRACE, 0, -1)) do
  if not listed[user] then redis.call('ZREM', GRACE, user) end
end
outlive()
return { ended, removed, shown, gone, ended >= limit and 1 or 0 }

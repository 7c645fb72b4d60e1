-- Sessions of a node are connected, or are still so after the node has begun a new incarnation.
--
-- ARGV:
--   7 how long the node is believed to live, in milliseconds
--   8 1 if it may begin its lease here
--   9 and on, five for each session: user, session, order (empty for a new one, + for one that is to be shown from now
--     on), value, details (empty for one that does not report its visit)
-- Returns the epoch, the version, the time, and the order of each session, 16 digits; nothing if the lease is over.

if not has_lease(ARGV[8] == '1', tonumber(ARGV[7])) then return {} end

-- Within a text each quote has a backslash before it, so this is the field.
local function is_idle(details)
  return string.find(details, '"idleSince":', 1, true) ~= nil
end

-- The place of a session that has just come: the last one, but of an idle one, before one that is looked at. Several
-- that come behind the same one stand there by their names.
local function first_order(user, details)
  local shown = is_idle(details) and newest(user)
  local entry = shown and redis.call('HGET', SESSIONS, shown .. ' ' .. user)
  if entry then
    local order, said = string.match(entry, '^%S+ (%S+) [^\n]*\n(.*)$')
    if order and not is_idle(said) then return string.format('%016.0f', tonumber(order) - 1) end
  end
  return next_order()
end

local orders = {}
for index = 9, #ARGV, 5 do
  local user, session, order, value, details = unpack(ARGV, index, index + 4)
  local key = session .. ' ' .. user
  local entry = redis.call('HGET', SESSIONS, key)
  local known
  if entry then
    -- Known: its place may be one of which the node has not heard.
    local holder
    holder, known = string.match(entry, '^(%S+) (%S+) ')
    redis.call('ZREM', HELD, holder .. ' ' .. key)
  end
  if order == '+' then
    order = next_order()
  elseif order == '' and not known then
    order = first_order(user, details)
  else
    order = known or order
  end
  local changed = INCARNATION .. ' ' .. order .. ' ' .. shown_by(value, details)
  redis.call('HSET', SESSIONS, key, changed)
  redis.call('ZADD', HELD, 0, INCARNATION .. ' ' .. key)
  if known ~= order then
    if known then redis.call('ZREM', QUEUE, prefix(user) .. known .. ' ' .. session) end
    redis.call('ZADD', QUEUE, 0, prefix(user) .. order .. ' ' .. session)
  end
  if not entry then redis.call('ZREM', GRACE, user) end
  -- Of a known one at most the holder is another, as a rule, and nobody sees that.
  if not entry or string.match(entry, '^%S+(.*)$') ~= string.match(changed, '^%S+(.*)$') then
    show(user, newest(user))
  end
  table.insert(orders, order)
end
outlive()
local counting, changes, time = state()
return { counting, changes, time, unpack(orders) }

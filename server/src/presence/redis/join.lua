-- Sessions of a node are connected, or are still so after the node has begun a new incarnation.
--
-- ARGV:
--   7 how long the node is believed to live, in milliseconds
--   8 1 if it may begin its lease here
--   9 and on, four for each session: user, session, order (empty for a new one), value
-- Returns the epoch, the version, the time, and the order of each session, 16 digits; nothing if the lease is over.

if not has_lease(ARGV[8] == '1', tonumber(ARGV[7])) then return {} end

local function next_order()
  local last = tonumber(redis.call('HGET', META, 'order') or '0')
  local order = string.format('%016.0f', math.max(now * 1000, last + 1))
  redis.call('HSET', META, 'order', order)
  return order
end

local orders = {}
for index = 9, #ARGV, 4 do
  local user, session, order, value = unpack(ARGV, index, index + 3)
  local key = session .. ' ' .. user
  local entry = redis.call('HGET', SESSIONS, key)
  if entry then
    -- Known: at most its holder is another, and nobody sees that.
    local holder
    holder, order = string.match(entry, '^(%S+) (%S+) ')
    redis.call('ZREM', HELD, holder .. ' ' .. key)
  elseif order == '' then
    order = next_order()
  end
  redis.call('HSET', SESSIONS, key, INCARNATION .. ' ' .. order .. ' ' .. value)
  redis.call('ZADD', HELD, 0, INCARNATION .. ' ' .. key)
  if not entry then
    redis.call('ZADD', QUEUE, 0, prefix(user) .. order .. ' ' .. session)
    redis.call('ZREM', GRACE, user)
    if newest(user) == session then show(user, session) end
  end
  table.insert(orders, order)
end
outlive()
local counting, changes, time = state()
return { counting, changes, time, unpack(orders) }

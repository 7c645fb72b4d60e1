-- Sessions of a node are connected, or are still so after the node has begun a new incarnation.
--
-- ARGV:
--   4 the incarnation of the node
--   5 how long it is believed to live, in milliseconds
--   6 1 if it may begin its lease here
--   7 and on, four for each session: user, session, order (empty for a new one), value
-- Returns the epoch, the version, and the order of each session, 16 digits; nothing if the lease is over.

local incarnation = ARGV[4]
if not redis.call('ZSCORE', LEASES, incarnation) then
  if ARGV[6] ~= '1' then return {} end
  redis.call('ZADD', LEASES, now + tonumber(ARGV[5]), incarnation)
end

local function next_order()
  local last = tonumber(redis.call('HGET', META, 'order') or '0')
  local order = string.format('%016.0f', math.max(now * 1000, last + 1))
  redis.call('HSET', META, 'order', order)
  return order
end

local orders = {}
for index = 7, #ARGV, 4 do
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
  redis.call('HSET', SESSIONS, key, incarnation .. ' ' .. order .. ' ' .. value)
  redis.call('ZADD', HELD, 0, incarnation .. ' ' .. key)
  if not entry then
    redis.call('ZADD', QUEUE, 0, prefix(user) .. order .. ' ' .. session)
    redis.call('ZREM', GRACE, user)
    if newest(user) == session then show(user, session) end
  end
  table.insert(orders, order)
end
outlive()
return { epoch(), version(), unpack(orders) }

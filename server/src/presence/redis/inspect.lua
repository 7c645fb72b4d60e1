-- Everything that is known of a tenant, for an operator.
--
-- Returns the epoch and the version; the leases: incarnation, milliseconds left (below zero: over), …; the
-- sessions: "SESSION USER", "INCARNATION ORDER …", …; the grace times: user, milliseconds left, …; the
-- hash: user, value, …; and what is shown besides: user, details, …

local function left(zset)
  local pairs_of = redis.call('ZRANGE', zset, 0, -1, 'WITHSCORES')
  for index = 2, #pairs_of, 2 do
    pairs_of[index] = tostring(tonumber(pairs_of[index]) - now)
  end
  return pairs_of
end

return {
  { redis.call('HGET', META, 'epoch') or '0', version() },
  left(LEASES),
  redis.call('HGETALL', SESSIONS),
  left(GRACE),
  redis.call('HGETALL', ONLINE),
  redis.call('HGETALL', DETAILS),
}

-- Sessions have ended while their node could not say so.
--
-- ARGV:
--   7 how many incarnations follow, which the node has been
--   8 and on, the incarnations
--   and then three for each session: user, session, and how long the user still stays, in milliseconds

local first = 8 + tonumber(ARGV[7])
local been = {}
for index = 8, first - 1 do been[ARGV[index]] = true end
for index = first, #ARGV, 3 do
  local user, session, stays = unpack(ARGV, index, index + 2)
  local entry = redis.call('HGET', SESSIONS, session .. ' ' .. user)
  local holder = entry and string.match(entry, '^%S+')
  if holder and been[holder] then
    remove(holder, session, user)
    settle(user, tonumber(stays))
  end
end
outlive()
return next_grace()

-- Keeps a message in its conversation, and whose conversation the session is that it was said in.
--
-- KEYS[1]  list: the conversation's messages, oldest first
-- KEYS[2]  string: the owner of the session's conversation
-- ARGV[1]  the message, JSON text
-- ARGV[2]  how many messages a conversation keeps, perhaps none
-- ARGV[3]  milliseconds after which both keys are forgotten, unless something happens
-- ARGV[4]  the owner
--
-- One script, so that neither key is ever without its expiry. Both are of one tenant, whose hash tag
-- puts them into one slot.
local limit = tonumber(ARGV[2])
if limit > 0 then
  redis.call('RPUSH', KEYS[1], ARGV[1])
  redis.call('LTRIM', KEYS[1], -limit, -1)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[3])

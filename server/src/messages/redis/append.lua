-- Keeps a message in its conversation and in the log of what its tenant said lately, and whose conversation
-- the session is that it was said in.
--
-- KEYS[1]  list: the conversation's messages, oldest first
-- KEYS[2]  string: the owner of the session's conversation
-- KEYS[3]  stream: the tenant's latest messages, each with id, owner and message
-- ARGV[1]  the message, JSON text
-- ARGV[2]  how many messages a conversation keeps, perhaps none
-- ARGV[3]  milliseconds after which the first two keys are forgotten, unless something happens
-- ARGV[4]  the owner
-- ARGV[5]  the message's id
-- ARGV[6]  how many messages the log keeps, about
-- ARGV[7]  milliseconds after which the log is forgotten, unless something is said
-- ARGV[8]  how listeners are counted: NUMSUB, or SHARDNUMSUB where channels are sharded
-- ARGV[9]  the channel on which the tenant's messages are published
-- Returns the entry in the log, and how many nodes listen to the channel now. Who begins to listen after
-- this finds the message in the history.
--
-- One script, so that no key is ever without its expiry. All are of one tenant, whose hash tag puts them
-- into one slot.
local limit = tonumber(ARGV[2])
if limit > 0 then
  redis.call('RPUSH', KEYS[1], ARGV[1])
  redis.call('LTRIM', KEYS[1], -limit, -1)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[3])
local entry = redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[6], '*',
  'id', ARGV[5], 'owner', ARGV[4], 'message', ARGV[1])
redis.call('PEXPIRE', KEYS[3], ARGV[7])
return { entry, redis.call('PUBSUB', ARGV[8], ARGV[9])[2] }

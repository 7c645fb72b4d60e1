-- Keeps a message in its conversation and in the log of what its tenant said lately, and whose conversation
-- the session is that it was said in. One that its sender has named is kept once.
--
-- KEYS[1]  list: the conversation's messages, oldest first
-- KEYS[2]  string: the owner of the session's conversation
-- KEYS[3]  stream: the tenant's latest messages, each with id, owner and message
-- KEYS[4]  sorted set: the ids of the tenant's latest named messages, by their receipts
-- ARGV[1]  the message, JSON text
-- ARGV[2]  how many messages a conversation keeps, perhaps none
-- ARGV[3]  milliseconds after which the first two keys are forgotten, unless something happens
-- ARGV[4]  the owner
-- ARGV[5]  the message's id
-- ARGV[6]  how many messages the log keeps, about
-- ARGV[7]  milliseconds after which the log is forgotten, unless something is said
-- ARGV[8]  how listeners are counted: NUMSUB, or SHARDNUMSUB where channels are sharded
-- ARGV[9]  the channel on which the tenant's messages are published
-- ARGV[10] the receipt, if the message has a name, or empty; see receipt.rs
-- ARGV[11] how many receipts are kept
-- ARGV[12] milliseconds after which they are forgotten
-- ARGV[13] the oldest receipt that counts
-- Returns the entry in the log, how many nodes listen to the channel now, and the receipt of the
-- first attempt, if this is another and nothing was kept. Who begins to listen after this finds the message in the
-- history.
--
-- One script, so that no key is ever without its expiry. All are of one tenant, whose hash tag puts them
-- into one slot.
redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[3])
local listeners = redis.call('PUBSUB', ARGV[8], ARGV[9])[2]
if ARGV[10] ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', '(' .. ARGV[13])
  local first = redis.call('ZSCORE', KEYS[4], ARGV[5])
  if first then
    return { '', listeners, first }
  end
  redis.call('ZADD', KEYS[4], ARGV[10], ARGV[5])
  redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -1 - ARGV[11])
  redis.call('PEXPIRE', KEYS[4], ARGV[12])
end
local limit = tonumber(ARGV[2])
if limit > 0 then
  redis.call('RPUSH', KEYS[1], ARGV[1])
  redis.call('LTRIM', KEYS[1], -limit, -1)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
local entry = redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[6], '*',
  'id', ARGV[5], 'owner', ARGV[4], 'message', ARGV[1])
redis.call('PEXPIRE', KEYS[3], ARGV[7])
return { entry, listeners, false }

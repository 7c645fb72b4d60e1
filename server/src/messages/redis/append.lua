-- Keeps a message in its conversation and in the log of what its tenant said lately, and whose conversation
-- the session is that it was said in, and lists the conversation. One that its sender has named is kept once.
--
-- KEYS[1]  list: the conversation's messages, oldest first
-- KEYS[2]  string: the owner of the session's conversation
-- KEYS[3]  stream: the tenant's latest messages, each with id, owner, visitor and message
-- KEYS[4]  sorted set: the ids of the tenant's latest named messages, by their receipts
-- KEYS[5]  sorted set: the owners of the tenant's conversations, by the ranks of their last messages
-- KEYS[6]  hash: the visitors of those conversations in which only staff would tell, by owner
-- KEYS[7]  string: there if no visitor has had a part in the conversation
-- ARGV[1]  the message, JSON text
-- ARGV[2]  how many messages a conversation keeps, perhaps none
-- ARGV[3]  milliseconds after which histories, sessions and the list are forgotten, unless something happens
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
-- ARGV[14] the message's rank; see listing.rs
-- ARGV[15] the conversation's visitor, empty if the owner or the message says it, - if there is none
-- ARGV[16] how many conversations are listed
-- ARGV[17] the rank of a message whose history has just expired
-- Returns the entry in the log, how many nodes listen to the channel now, and the receipt of the
-- first attempt, if this is another and nothing was kept. Who begins to listen after this finds the message in the
-- history.
--
-- One script, so that no key is ever without its expiry. All are of one tenant, whose hash tag puts them
-- into one slot.
local function unlist(owners)
  for _, owner in ipairs(owners) do
    redis.call('ZREM', KEYS[5], owner)
    redis.call('HDEL', KEYS[6], owner)
  end
end

-- Only a conversation that is new to the list makes it longer.
local function make_room()
  unlist(redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', '(' .. ARGV[17]))
  local over = redis.call('ZCARD', KEYS[5]) - ARGV[16]
  if over > 0 then
    unlist(redis.call('ZRANGE', KEYS[5], 0, over - 1))
  end
end

local function list()
  if ARGV[15] == '-' then
    if not redis.call('ZSCORE', KEYS[5], ARGV[4]) then
      redis.call('SET', KEYS[7], '', 'PX', ARGV[3])
      return
    end
  elseif ARGV[15] ~= '' then
    redis.call('HSET', KEYS[6], ARGV[4], ARGV[15])
    redis.call('PEXPIRE', KEYS[6], ARGV[3])
  end
  if redis.call('ZADD', KEYS[5], ARGV[14], ARGV[4]) == 1 then
    redis.call('DEL', KEYS[7])
    make_room()
  end
  redis.call('PEXPIRE', KEYS[5], ARGV[3])
end

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
  list()
end
local entry = redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[6], '*',
  'id', ARGV[5], 'owner', ARGV[4], 'visitor', ARGV[15], 'message', ARGV[1])
redis.call('PEXPIRE', KEYS[3], ARGV[7])
return { entry, listeners, false }

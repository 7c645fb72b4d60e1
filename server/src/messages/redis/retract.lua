-- Takes back a message that append.lua has kept and that is none after all.
--
-- KEYS[1]  list: the conversation's messages
-- KEYS[2]  stream: the tenant's latest messages
-- KEYS[3]  sorted set: the receipts of the tenant's latest named messages
-- KEYS[4]  sorted set: the owners of the tenant's conversations, by the ranks of their last messages
-- KEYS[5]  hash: the visitors of conversations, by owner
-- KEYS[6]  string: there if no visitor has had a part in the conversation
-- ARGV[1]  the message, JSON text
-- ARGV[2]  its entry in the stream
-- ARGV[3]  its id
-- ARGV[4]  the conversation's owner
--
-- Unless another attempt has brought it to the workers meanwhile: its receipt is settled then, which is an
-- even number; see receipt.rs.
--
-- The stream then looks as if its beginning had been cut off. At worst a node that catches up from before
-- all of the stream lets its sockets come back without need.
local receipt = redis.call('ZSCORE', KEYS[3], ARGV[3])
if receipt and tonumber(receipt) % 2 == 0 then return end
redis.call('LREM', KEYS[1], -1, ARGV[1])
redis.call('XDEL', KEYS[2], ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[3])
local last = redis.call('LINDEX', KEYS[1], -1)
if last then
  -- As listing.rs has it, of the message that is the last again.
  local digits = string.gsub(cjson.decode(last).timestamp, '%D', '')
  redis.call('ZADD', KEYS[4], 'XX', string.sub(digits, 2), ARGV[4])
else
  redis.call('ZREM', KEYS[4], ARGV[4])
  redis.call('HDEL', KEYS[5], ARGV[4])
  redis.call('DEL', KEYS[6])
end

-- Forgets everything about a tenant, how many there were included, for an operator. Nodes that live notice that
-- their leases are gone, and say anew whom they hold; nobody who is there is announced as gone.
--
-- Returns how many users were listed.

local users = redis.call('HLEN', ONLINE)
redis.call('DEL', unpack(KEYS))
return users

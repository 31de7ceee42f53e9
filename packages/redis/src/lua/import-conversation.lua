--[==[
  Stores a conversation that was captured elsewhere. What is there stays: a click is never overwritten, nor is the number.

  KEYS[1] conversation
  ARGV[1] JSON { tag, now, ttl (s), id, acct, who (sealed), ctwa (sealed), at (captured, ms), hashes: [hash, older hash, …] }
  Returns 'taken' (another account has this id), 'created' or 'kept'.
]==]
local req = cjson.decode(ARGV[1])
local key, tag, ttl = KEYS[1], req.tag, req.ttl
local owner = redis.call('HGET', key, 'a')
if owner and owner ~= req.acct then return 'taken' end
redis.call('HSETNX', key, 'created', req.now)
redis.call('HSET', key, 'a', req.acct, 'updated', req.now)
if req.who then redis.call('HSETNX', key, 'who', req.who) end
if req.ctwa and redis.call('HSETNX', key, 'ctwa', req.ctwa) == 1 then redis.call('HSET', key, 'at', req.at) end
local at = redis.call('HGET', key, 'at')
if req.hashes then
  -- The number's own conversation stays the one that new messages go to.
  redis.call('SET', tag .. ':wa:who:' .. req.acct .. ':' .. req.hashes[1], req.id, 'NX', 'EX', ttl)
  if at then
    local clicks = tag .. ':wa:clicks:' .. req.acct .. ':' .. req.hashes[1]
    redis.call('ZADD', clicks, at, req.id)
    redis.call('EXPIRE', clicks, ttl)
  end
end
redis.call('ZADD', tag .. ':wa:convs:' .. req.acct, req.now, req.id)
redis.call('EXPIRE', tag .. ':wa:convs:' .. req.acct, ttl)
redis.call('EXPIRE', key, ttl)
return owner and 'kept' or 'created'

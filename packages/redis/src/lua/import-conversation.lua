--[==[
  Stores a conversation that was captured elsewhere. What is there stays: a click is never overwritten (what an ad without a
  click id left gives way to one), nor is the number, and the conversation is found by its own number only.

  KEYS[1] conversation (its fields: see capture.lua)
  ARGV[1] JSON { tag, now, ttl (s), id, acct, who (the number, sealed), number: [its hash, older hash, …],
                 ctwa (sealed), clid (it has a click id), at (captured, ms) }
  Returns 'created' or 'kept'.
]==]
local req = cjson.decode(ARGV[1])
local key, tag, ttl = KEYS[1], req.tag, req.ttl
local isThere = redis.call('EXISTS', key) == 1
redis.call('HSETNX', key, 'created', req.now)
redis.call('HSET', key, 'a', req.acct, 'updated', req.now)

if req.who then
  local isSame = redis.call('HEXISTS', key, 'who') == 0
  local number = redis.call('HGET', key, 'num')
  for _, hash in ipairs(req.number) do isSame = isSame or hash == number end
  if isSame then redis.call('HSET', key, 'who', req.who, 'num', req.number[1]) end
end
if req.ctwa and (redis.call('HEXISTS', key, 'ctwa') == 0 or (req.clid and redis.call('HEXISTS', key, 'clid') == 0)) then
  redis.call('HSET', key, 'ctwa', req.ctwa, 'at', req.at)
  if req.clid then redis.call('HSET', key, 'clid', '1') end
end

local known = redis.call('HMGET', key, 'clid', 'at', 'num')
if known[3] then
  -- The number's own conversation stays the one that new messages go to.
  local who = tag .. ':wa:who:' .. req.acct .. ':' .. known[3]
  redis.call('SET', who, req.id, 'NX')
  redis.call('EXPIRE', who, ttl)
  if known[1] then
    local clicks = tag .. ':wa:clicks:' .. req.acct .. ':' .. known[3]
    redis.call('ZADD', clicks, known[2], req.id)
    redis.call('EXPIRE', clicks, ttl)
  end
end
local list = tag .. ':wa:convs:' .. req.acct
redis.call('ZADD', list, req.now, req.id)
redis.call('EXPIRE', list, ttl)
redis.call('EXPIRE', key, ttl)
return isThere and 'kept' or 'created'

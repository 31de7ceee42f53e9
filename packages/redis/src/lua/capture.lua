--[==[
  Writes the inbound messages of one webhook: who wrote (sealed, found by keyed hashes) and, once a conversation, where they
  came from. Safe to repeat and in any order: a message id counts once, a click is set once.

  KEYS[1] any key of the global tag (a cluster needs one to find the slot)
  ARGV[1] JSON { tag, now, ttl (s), seenTtl (s),
    messages: [{ acct, seen (key of the message id), id (for a new conversation), who (sealed),
                 hashes: [[hash under the sealing key, hash under an older one, …], …] (one list a way of naming the writer),
                 ctwa (sealed), at (captured, ms) }] }
  Returns how many conversations got their click.
]==]
local req = cjson.decode(ARGV[1])
local tag, now, ttl = req.tag, req.now, req.ttl
local captured = 0

local function who_key(acct, hash) return tag .. ':wa:who:' .. acct .. ':' .. hash end

for _, m in ipairs(req.messages) do
  if redis.call('SET', m.seen, '1', 'NX', 'EX', req.seenTtl) then
    local id
    for _, hashes in ipairs(m.hashes) do
      for _, hash in ipairs(hashes) do id = id or redis.call('GET', who_key(m.acct, hash)) end
    end
    id = id or m.id
    local key = tag .. ':wa:conv:' .. id
    redis.call('HSETNX', key, 'created', now)
    redis.call('HSETNX', key, 'who', m.who)
    redis.call('HSET', key, 'a', m.acct, 'updated', now)
    if m.ctwa and redis.call('HSETNX', key, 'ctwa', m.ctwa) == 1 then
      redis.call('HSET', key, 'at', m.at)
      captured = captured + 1
    end
    local at = redis.call('HGET', key, 'at')
    for _, hashes in ipairs(m.hashes) do
      redis.call('SET', who_key(m.acct, hashes[1]), id, 'EX', ttl)
      if at then
        local clicks = tag .. ':wa:clicks:' .. m.acct .. ':' .. hashes[1]
        redis.call('ZADD', clicks, at, id)
        redis.call('EXPIRE', clicks, ttl)
      end
    end
    redis.call('ZADD', tag .. ':wa:convs:' .. m.acct, now, id)
    redis.call('EXPIRE', tag .. ':wa:convs:' .. m.acct, ttl)
    redis.call('ZREMRANGEBYSCORE', tag .. ':wa:convs:' .. m.acct, '-inf', now - ttl * 1000)
    redis.call('EXPIRE', key, ttl)
  end
end
return captured

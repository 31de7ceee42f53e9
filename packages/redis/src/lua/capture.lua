--[==[
  Writes the inbound messages of one webhook: who wrote (sealed, found by keyed hashes) and, once a conversation, where they
  came from. Safe to repeat and in any order: a message id counts once, a click is set once. What an ad without a click id
  left (ads in WhatsApp Status) gives way, as a whole, to the first click that has one.

  KEYS[1] any key of the global tag (a cluster needs one to find the slot)
  ARGV[1] JSON { tag, now, ttl (s), seenTtl (s),
    messages: [{ acct, seen (key of the message id), id (for a new conversation),
                 hashes: [[hash under the sealing key, hash under an older one, …], …] (one list a way of naming the writer),
                 who (the number, sealed), number: [its hash, older hash, …]   (both absent: Meta showed none),
                 ctwa (sealed), clid (it has a click id), at (captured, ms) }] }
  A conversation: a account, created, updated (ms), who, num (hash of the number), ctwa, clid ('1': with click id), at.
  Returns how many conversations got their click.
]==]
local req = cjson.decode(ARGV[1])
local tag, now, ttl = req.tag, req.now, req.ttl
local captured = 0

local function who_key(acct, hash) return tag .. ':wa:who:' .. acct .. ':' .. hash end

local function has(list, value)
  for _, one in ipairs(list) do
    if one == value then return true end
  end
  return false
end

-- The same number again is sealed anew, so that a rotated key is not needed for ever; another number changes nothing.
local function write_number(key, m)
  if redis.call('HEXISTS', key, 'who') == 0 or has(m.number, redis.call('HGET', key, 'num')) then
    redis.call('HSET', key, 'who', m.who, 'num', m.number[1])
  end
end

for _, m in ipairs(req.messages) do
  if redis.call('SET', m.seen, '1', 'NX', 'EX', req.seenTtl) then
    local id
    for _, hashes in ipairs(m.hashes) do
      for _, hash in ipairs(hashes) do id = id or redis.call('GET', who_key(m.acct, hash)) end
    end
    id = id or m.id
    local key = tag .. ':wa:conv:' .. m.acct .. ':' .. id
    redis.call('HSETNX', key, 'created', now)
    redis.call('HSET', key, 'a', m.acct, 'updated', now)
    if m.who then write_number(key, m) end
    if m.ctwa and (redis.call('HEXISTS', key, 'ctwa') == 0 or (m.clid and redis.call('HEXISTS', key, 'clid') == 0)) then
      redis.call('HSET', key, 'ctwa', m.ctwa, 'at', m.at)
      if m.clid then redis.call('HSET', key, 'clid', '1') end
      captured = captured + 1
    end
    local own = {}
    for _, hashes in ipairs(m.hashes) do
      own[#own + 1] = hashes[1]
      redis.call('SET', who_key(m.acct, hashes[1]), id, 'EX', ttl)
    end
    local known = redis.call('HMGET', key, 'clid', 'at', 'num')
    if known[1] then
      -- Also by a number that an earlier message showed and this one does not.
      if known[3] and not has(own, known[3]) then own[#own + 1] = known[3] end
      for _, hash in ipairs(own) do
        local clicks = tag .. ':wa:clicks:' .. m.acct .. ':' .. hash
        redis.call('ZADD', clicks, known[2], id)
        redis.call('EXPIRE', clicks, ttl)
      end
    end
    local list = tag .. ':wa:convs:' .. m.acct
    redis.call('ZADD', list, now, id)
    redis.call('EXPIRE', list, ttl)
    redis.call('ZREMRANGEBYSCORE', list, '-inf', now - ttl * 1000)
    redis.call('EXPIRE', key, ttl)
  end
end
return captured

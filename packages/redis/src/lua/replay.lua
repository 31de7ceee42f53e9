--[==[
  Books a dead letter's events as pending again. Runs inside the MULTI that adds their new job.

  KEYS[1] ledger   KEYS[2] backlog   KEYS[3] open jobs   KEYS[4] mark "this letter was replayed"
  ARGV[1] JSON { tag, now, ttl, letter (what stays readable of it), job (new job's id), dest ("account|destination"), n, at (accepted at ms),
                 jobKey (its key), delivery, chunk, indices: [index, …] }
  Returns 1, or 0 when the letter was replayed already. Fails, and writes nothing, when the new job is not there.
]==]
local req = cjson.decode(ARGV[1])
if redis.call('EXISTS', KEYS[4]) == 1 then return 0 end
if redis.call('EXISTS', req.jobKey) == 0 then return redis.error_reply('NOJOB the replayed job was not added') end
redis.call('HINCRBY', KEYS[1], 'replayed', req.n)
redis.call('SET', KEYS[4], cjson.encode({ at = req.now, job = req.job, letter = req.letter }), 'EX', req.ttl)
redis.call('HINCRBY', KEYS[1], 'dead', -req.n)
redis.call('HINCRBY', KEYS[1], 'pending', req.n)
redis.call('HINCRBY', KEYS[2], req.dest, req.n)
redis.call('ZADD', KEYS[3], req.at, req.job)
local key = req.tag .. ':dlv:' .. req.delivery
if redis.call('EXISTS', key) == 1 then
  redis.call('HINCRBY', key, 'dd', -req.n)
  redis.call('HINCRBY', key, 'rpl', 1)
  redis.call('HDEL', key, 'dn')
  redis.call('PERSIST', key)
  redis.call('PERSIST', key .. ':f')
  for i = 1, #req.indices, 1000 do
    redis.call('HDEL', key .. ':f', unpack(req.indices, i, math.min(i + 999, #req.indices)))
  end
  local chunk = 'c' .. req.chunk
  local n, ok, dead, rest = string.match(redis.call('HGET', key, chunk) or '', '^%a|(%d+)|(%d+)|(%d+)|(.*)$')
  if n then
    redis.call('HSET', key, chunk, table.concat({ 'q', n, ok, tonumber(dead) - req.n, rest }, '|'))
  end
end
return 1

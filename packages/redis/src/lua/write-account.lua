#!lua flags=allow-oom
--[==[
  allow-oom: with memory full the way out must stay open.

  Writes an account, if it still is what the writer looked at.

  KEYS[1] account   KEYS[2] set of account ids
  ARGV[1] JSON { id, create (must it be new?), expect: { field: value }, set: [field, value, …], bump (count the revision up?) }
  Returns 1, or 0 when nothing was written: the id is taken, or the account is gone, or others changed it meanwhile.
]==]
local req = cjson.decode(ARGV[1])
if (redis.call('HEXISTS', KEYS[1], 'platform') == 1) == req.create then return 0 end
for field, value in pairs(req.expect) do
  if redis.call('HGET', KEYS[1], field) ~= value then return 0 end
end
redis.call('HSET', KEYS[1], unpack(req.set))
if req.bump then redis.call('HINCRBY', KEYS[1], 'revision', 1) end
redis.call('SADD', KEYS[2], req.id)
return 1

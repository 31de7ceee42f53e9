#!lua flags=allow-oom
--[==[
  allow-oom: with memory full the way out must stay open.

  Marks an account as needing a reconnect, if its credentials are still those that failed.

  KEYS[1] account
  ARGV[1] revision that failed   ARGV[2] reason   ARGV[3] now (ms)
  Returns 1 when it was marked, 0 when the account has other credentials by now, or was marked already, or is gone.
]==]
local row = redis.call('HMGET', KEYS[1], 'revision', 'status')
if row[1] ~= ARGV[1] or row[2] ~= 'active' then return 0 end
redis.call('HSET', KEYS[1], 'status', 'needs_reconnect', 'reason', ARGV[2], 'updated', ARGV[3])
return 1

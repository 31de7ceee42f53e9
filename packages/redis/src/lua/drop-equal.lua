--[==[
  Deletes a key, if its value is still this one.

  KEYS[1] key
  ARGV[1] value
  Returns 1 when it was deleted, else 0.
]==]
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])

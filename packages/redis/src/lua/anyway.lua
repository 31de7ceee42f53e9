#!lua flags=allow-oom
--[==[
  One small write that the way out needs, also with memory full: a cool-down, an access token, the lock of its refresh.

  KEYS[1] key
  ARGV[1] command   ARGV[2…] what follows the key
  Returns the command's answer.
]==]
return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))

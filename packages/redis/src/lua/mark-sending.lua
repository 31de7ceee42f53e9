#!lua flags=allow-oom
--[==[
  allow-oom: with memory full the way out must stay open.

  Notes on a job that a request with its events goes out, and by whom. One that is not there any more, or that another
  worker has noted (this one lost its lock), must not be sent.

  KEYS[1] job   ARGV[1] note: time and a word of chance, so that the same call made twice is recognised
  Returns 1 when the request may go out, else 0.
]==]
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSETNX', KEYS[1], 'snd', ARGV[1])
return redis.call('HGET', KEYS[1], 'snd') == ARGV[1] and 1 or 0

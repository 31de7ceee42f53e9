--[==[
  Keeps what a platform said later about a request on the receipt of one of its deliveries.

  KEYS[1] receipt
  ARGV[1] field   ARGV[2] value
  Returns 1, or 0 when the receipt is gone (writing would bring it back without an end).
]==]
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1

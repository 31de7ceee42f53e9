-- Jobs that wait for their account to be connected again, and how many events that are.
local function held_key(acct) return tag .. ':held:' .. req.platform .. ':' .. acct end

-- Takes a job out of the hold; its events are pending again.
local function unhold(op)
  if heldByAccount[op.acct] == nil then
    heldByAccount[op.acct] = redis.call('HEXISTS', KEYS[4], op.acct) == 1
  end
  if not heldByAccount[op.acct] then return 0 end
  local held = tonumber(redis.call('HGET', held_key(op.acct), op.id) or 0)
  if held == 0 then return 0 end
  redis.call('HDEL', held_key(op.acct), op.id)
  if redis.call('HINCRBY', KEYS[4], op.acct, -held) <= 0 then redis.call('HDEL', KEYS[4], op.acct) end
  redis.call('HINCRBY', KEYS[1], 'held', -held)
  redis.call('HINCRBY', KEYS[1], 'pending', held)
  return held
end

local function hold(op)
  local open = count_open(redis.call('HGET', op.job, 'sv'), op.n)
  if open == 0 then return 0 end
  -- Counted also where it is held already: a release that made it due before must not take it out of the hold after.
  redis.call('HINCRBY', op.job, 'hc', 1)
  if redis.call('HSETNX', held_key(op.acct), op.id, open) == 0 then return 0 end
  redis.call('HINCRBY', KEYS[4], op.acct, open)
  redis.call('HINCRBY', KEYS[1], 'pending', -open)
  redis.call('HINCRBY', KEYS[1], 'held', open)
  heldByAccount[op.acct] = true
  return open
end

#!lua flags=allow-oom
--[==[
  allow-oom: with memory full the way out must stay open. What this writes is small, and what it ends frees memory.

  Writes what became of events: receipts, books, holds. Every change of state goes through here, so that the counters
  move together with what they count. Safe to repeat: a job's hash remembers in `sv` which of its events are settled
  ('*': all; else one '0' or '1' an event), and what is settled is not counted again.

  KEYS[1] ledger   KEYS[2] backlog   KEYS[3] open jobs   KEYS[4] held counts   (of one platform and lane)
  ARGV[1] JSON {
    tag, platform, now (ms), ttl (s), replies (channel prefix),
    jobs: [key, …] (what the same transaction added: dead letters, status looks),
    later: [receipt field, value] (what is known so far of what was taken, where the platform says more later),
    ops: [{ job (job's key), id (job id), acct, dest ("account|destination"), n,
            o: 'ok' | 'dead' | 'retry' | 'held' | 'release',
            pos: [start, count, …] (positions in the job; absent: all),
            parts: [[delivery id, chunk, count], …],
            at (attempts), ms (of the request, text), tr (trace id), code, msg, amb (1: the platform may have taken it),
            fails: [[delivery id, index, json], …],
            holds (release: how often the job had been held when it was made due) }] }
  Returns, per op, how many events changed state. Fails, and writes nothing, when one of `jobs` is not there: an event must
  not be dead without its letter.
]==]
local req = cjson.decode(ARGV[1])
for _, key in ipairs(req.jobs or {}) do
  if redis.call('EXISTS', key) == 0 then return redis.error_reply('NOJOB the dead letters of this settlement were not added') end
end
local out, replies, heldByAccount = {}, {}, {}

-- Lua would hand numbers to Redis through printf("%.17g"), the slowest part of a small write: whole numbers become text here, each once.
local texts = {}
local function text(number)
  if not texts[number] then texts[number] = string.format('%d', number) end
  return texts[number]
end
-- Values handed to a command at a time: Lua's stack is bounded.
local MOST_VALUES = 1000
local tag, now, ttl = req.tag, text(req.now), text(req.ttl)

-- All that the answer to the caller says of a request that went well; without a trace he has to look.
local function reply(channel, id, ok, trace)
  replies[channel] = replies[channel] or {}
  table.insert(replies[channel], trace and { id, ok, trace } or { id })
end

-- Whether all that is to be told is that the platform took it.
local function is_plain(op) return op.o == 'ok' and op.at and not op.msg and not req.later end

--- @include "settle/marks.lua"
--- @include "settle/holds.lua"
--- @include "settle/shared-receipts.lua"
--- @include "settle/receipts.lua"

local function settle(op)
  local new, byPart, whole = mark(op)
  if new > 0 then
    -- The worker has the job in hand. Not where there is nothing new: then this was written before, and another may hold it since.
    unhold(op)
    -- Before the receipts: the one that becomes final gives its failures their end too.
    for _, fail in ipairs(op.fails or {}) do
      local key = tag .. ':dlv:' .. fail[1]
      if own_receipt(fail[1]) and redis.call('EXISTS', key) == 1 then redis.call('HSET', key .. ':f', fail[2], fail[3]) end
    end
    local write_whole = whole_writer(op)
    local done = new == op.n and is_plain(op) and settle_shared(op) or {}
    for i, part in ipairs(op.parts) do
      local count = byPart[i]
      if count > 0 and not done[i] and not write_whole(part, count) then
        if op.o == 'ok' then write_receipt(op, part, count, 0) else write_receipt(op, part, 0, count) end
      end
    end
    redis.call('HINCRBY', KEYS[1], 'pending', -new)
    redis.call('HINCRBY', KEYS[1], op.o == 'ok' and 'delivered' or 'dead', new)
    if redis.call('HINCRBY', KEYS[2], op.dest, -new) <= 0 then redis.call('HDEL', KEYS[2], op.dest) end
  end
  if whole then redis.call('ZREM', KEYS[3], op.id) end
  return new
end

local function note(op, state)
  for _, part in ipairs(op.parts) do write_receipt(op, part, 0, 0, state) end
end

for i, op in ipairs(req.ops) do
  out[i] = 0
  if redis.call('EXISTS', op.job) == 1 then
    if op.o == 'ok' or op.o == 'dead' then
      out[i] = settle(op)
    elseif op.o == 'held' then
      out[i] = hold(op)
      if out[i] > 0 then note(op, 'h') end
    elseif op.o == 'release' then
      if not op.holds or op.holds == tonumber(redis.call('HGET', op.job, 'hc') or 0) then out[i] = unhold(op) end
      if out[i] > 0 then note(op, 'q') end
    else
      note(op, 'r')
      redis.call('HSETNX', op.job, 'fa', now)
      if op.amb then redis.call('HSETNX', op.job, 'amb', now) end
    end
  elseif op.o == 'release' then
    out[i] = unhold(op)
  end
end
for channel, ids in pairs(replies) do
  redis.call('PUBLISH', req.replies .. channel, cjson.encode(ids))
end
return out

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

local function count_open(sv, n)
  if sv == '*' then return 0 end
  if not sv then return n end
  local _, settled = string.gsub(sv, '1', '')
  return n - settled
end

-- Marks positions as settled. Returns how many are new, in all and by part, and whether the whole job is settled.
local function mark(op)
  local sv = redis.call('HGET', op.job, 'sv')
  if sv == '*' then return 0, {}, true end
  local byPart = {}
  if not op.pos and not sv then
    for i, part in ipairs(op.parts) do byPart[i] = part[3] end
    redis.call('HSET', op.job, 'sv', '*')
    return op.n, byPart, true
  end
  local bits = {}
  if sv then
    for i = 1, op.n do bits[i] = string.sub(sv, i, i) end
  else
    for i = 1, op.n do bits[i] = '0' end
  end
  local partAt = {}
  local at = 0
  for i, part in ipairs(op.parts) do
    byPart[i] = 0
    for _ = 1, part[3] do
      at = at + 1
      partAt[at] = i
    end
  end
  local new = 0
  local ranges = op.pos or { 0, op.n }
  for i = 1, #ranges, 2 do
    for p = ranges[i] + 1, ranges[i] + ranges[i + 1] do
      if bits[p] == '0' then
        bits[p] = '1'
        new = new + 1
        byPart[partAt[p]] = byPart[partAt[p]] + 1
      end
    end
  end
  local settled = table.concat(bits)
  local whole = not string.find(settled, '0', 1, true)
  redis.call('HSET', op.job, 'sv', whole and '*' or settled)
  return new, byPart, whole
end

-- Receipts in one hash (shared-receipts.ts): its key and the entry there; nil for a delivery that never was in one.
local function shared_place(id)
  local entry = string.sub(id, 25, 27)
  if #entry < 3 or string.sub(entry, 1, 1) == '_' then return nil end
  return tag .. ':dlvs:' .. string.sub(id, 5, 24), entry
end

local function less_open(key, count)
  if redis.call('HINCRBY', key, 'open', -count) <= 0 then redis.call('EXPIRE', key, ttl) end
end

-- Fields and values that receipts of a shape have in common; of one field the value.
local function shared_fields(key, shape)
  return cjson.decode(redis.call('HGET', key, 's' .. shape))
end
local function shared_field(key, shape, name)
  local fields = shared_fields(key, shape)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
end

-- Gives a receipt that is in a shared hash one of its own. `false`: it is of a job that was taken whole, and nothing more is to be told.
local function own_receipt(id)
  local key, entry = shared_place(id)
  local found = key and redis.call('HGET', key, entry)
  if not found then return true end
  local shape, job, at, eventIds = string.match(found, '^(%d+)|(%d+)|(%d+)|(.*)$')
  if redis.call('HEXISTS', key, 'o' .. job) == 1 then return false end
  local fields = shared_fields(key, shape)
  fields[#fields + 1] = 'at'
  fields[#fields + 1] = at
  if eventIds ~= '' then
    fields[#fields + 1] = 'ei'
    fields[#fields + 1] = eventIds
  end
  redis.call('HSET', tag .. ':dlv:' .. id, unpack(fields))
  redis.call('HDEL', key, entry)
  less_open(key, 1)
  return true
end

-- Chunk field: state|events|delivered|dead|attempts|last attempt ms|request ms|trace id|code
local CHUNK = '^%a|(%d+)|(%d+)|(%d+)|(%d*)|(%d*)|([^|]*)|([^|]*)|(.*)$'

-- Nil when all of the chunk's events are settled and there is only a state to note: other parts of the job may still be
-- open, but this one has had its last word.
local function chunk_text(old, op, ok, dead, state)
  local n, wasOk, wasDead, attempts, last, ms, trace, code = string.match(old or '', CHUNK)
  n = tonumber(n or 0)
  ok = ok + tonumber(wasOk or 0)
  dead = dead + tonumber(wasDead or 0)
  if state and ok + dead >= n then return nil end
  if not state then
    if ok + dead < n then state = 'r' elseif dead == 0 then state = 'd' elseif ok == 0 then state = 'x' else state = 'p' end
  end
  -- Holds, releases and what expires unsent are no attempts: they leave the last attempt's numbers alone.
  if op.at then attempts, last, ms, trace = text(op.at), now, op.ms or '', op.tr or '' end
  code = op.code or (state ~= 'd' and code) or ''
  return table.concat({ state, text(n), text(ok), text(dead), attempts or '0', last or '', ms or '', trace or '', code }, '|')
end

-- All that the answer to the caller says of a request that went well; without a trace he has to look.
local function reply(channel, id, ok, trace)
  replies[channel] = replies[channel] or {}
  table.insert(replies[channel], trace and { id, ok, trace } or { id })
end

local function write_receipt(op, part, ok, dead, state)
  if not own_receipt(part[1]) then return end
  local key = tag .. ':dlv:' .. part[1]
  local chunk = 'c' .. part[2]
  local r = redis.call('HMGET', key, 'n', 'rf', 'ok', 'dd', 'rp', 'tc', chunk, 'dn')
  if not r[1] then return end
  local chunkText = chunk_text(r[7], op, ok, dead, state)
  if not chunkText then return end
  local okAll, deadAll = tonumber(r[3] or 0) + ok, tonumber(r[4] or 0) + dead
  local fields = { 'ok', text(okAll), 'dd', text(deadAll), chunk, chunkText }
  if op.tr then
    fields[#fields + 1] = 'tr'
    fields[#fields + 1] = op.tr
  end
  if op.at and op.at > tonumber(r[6] or 0) then
    fields[#fields + 1] = 'tc'
    fields[#fields + 1] = text(op.at)
  end
  if op.msg then
    fields[#fields + 1] = 'm' .. part[2]
    fields[#fields + 1] = op.msg
  end
  if ok > 0 and req.later then
    fields[#fields + 1] = req.later[1]
    fields[#fields + 1] = req.later[2]
  end
  local final = okAll + deadAll + tonumber(r[2] or 0) >= tonumber(r[1])
  if final and not r[8] then
    fields[#fields + 1] = 'dn'
    fields[#fields + 1] = now
  end
  redis.call('HSET', key, unpack(fields))
  if final then
    redis.call('EXPIRE', key, ttl)
    local refused = tonumber(r[2] or 0)
    if refused + deadAll > 0 then redis.call('EXPIRE', key .. ':f', ttl) end
    -- What went otherwise has more to tell: he looks.
    if r[5] then reply(r[5], part[1], okAll, refused + deadAll == 0 and op.tr) end
  end
end

-- Whether all that is to be told is that the platform took it.
local function is_plain(op) return op.o == 'ok' and op.at and not op.msg and not req.later end

-- Writes the receipts of a job that was taken whole and at once, as far as they are in a shared hash: one field for all of them.
-- Returns which parts are done with.
local function settle_shared(op)
  local done = {}
  local key = shared_place(op.parts[1][1])
  if not key then return done end
  -- A job's requests share its write, but for those that never were in the hash; of what is elsewhere it has nothing.
  local group, entries = string.sub(op.parts[1][1], 1, 24), {}
  for i, part in ipairs(op.parts) do
    entries[i] = string.sub(part[1], 1, 24) == group and string.sub(part[1], 25, 27) or '-'
  end
  local job, channel
  local count, head = 0, '-'
  for from = 1, #entries, MOST_VALUES do
    local last = math.min(from + MOST_VALUES - 1, #entries)
    local found = redis.call('HMGET', key, unpack(entries, from, last))
    for i = from, last do
      local entry = found[i - from + 1]
      if entry then
        -- Neighbours are mostly alike.
        if string.sub(entry, 1, #head) ~= head then
          local shape
          head, shape, job = string.match(entry, '^((%d+)|(%d+)|)')
          channel = shared_field(key, shape, 'rp')
        end
        done[i], count = true, count + 1
        if channel then reply(channel, op.parts[i][1], op.parts[i][3], op.tr) end
      end
    end
  end
  if job then
    redis.call('HSET', key, 'o' .. job, table.concat({ text(op.at), now, op.ms or '', op.tr or '', op.code or '' }, '|'))
    less_open(key, count)
  end
  return done
end

-- Writes the receipts of requests in one chunk that nothing happened to yet and all of whose events were taken at once, where each has
-- a hash of its own: for those of one job all is the same but their names. `false`: not such a one, and nothing is written.
local function whole_writer(op)
  if not is_plain(op) or not op.tr then return function() return false end end
  local counts = {}
  local function texts_of(count)
    local n, at = text(count), text(op.at)
    counts[count] = {
      n = n,
      at = at,
      before = 'q|' .. n .. '|0|0|0||||',
      after = table.concat({ 'd', n, n, '0', at, now, op.ms or '', op.tr, op.code or '' }, '|'),
    }
    return counts[count]
  end
  return function(part, ok)
    local key, chunk = tag .. ':dlv:' .. part[1], 'c' .. part[2]
    local r = redis.call('HMGET', key, 'n', 'rf', chunk, 'rp')
    local t = counts[ok] or texts_of(ok)
    if r[1] ~= t.n or r[2] ~= '0' or r[3] ~= t.before then return false end
    redis.call('HSET', key, 'ok', t.n, 'dd', '0', chunk, t.after, 'tr', op.tr, 'tc', t.at, 'dn', now)
    redis.call('EXPIRE', key, ttl)
    if r[4] then reply(r[4], part[1], ok, op.tr) end
    return true
  end
end

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

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

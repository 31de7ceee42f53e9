--[==[
  Writes the receipts, log rows, event index and books of one group of requests. Runs inside the MULTI that adds the jobs.

  KEYS[1] ledger of the platform      hash  accepted, pending, refused …
  KEYS[2] backlog of the platform     hash  "account|destination" -> events without a final answer
  KEYS[3] open jobs of the platform   zset  job id by time of acceptance
  ARGV[1] JSON {
    tag, prefix (start of the jobs' keys), ttl (s, for requests that are final at once), logMax, logMinId, evTtl (s): text,
      as are the values of fields, since Lua hands numbers to Redis through printf("%.17g"), the slowest part of a small write,
    accepted, refused,
    shapes: [{ log (account id), fields: [field, value, …] }] (what receipts of the group have in common),
    deliveries: [{ id, s (index of its shape), f: [field, value, …] (its own), fails: [index, json, …], final }]
      (without `f`: its receipt is in `shared`),
    shared: { key, fields: [field, value, …] } (receipts in one hash, see shared-receipts.ts; may be absent),
    jobs: [[job id, "account|destination", events, accepted at ms]],
    index: [{ key, entries: [field, value, …] }],
    idem: [[key, value, ttl ms]] }
  Returns the number of deliveries written; 0 when they are there already (the same transaction was sent twice).
  Fails, and writes nothing, when the jobs are not there.
]==]
local req = cjson.decode(ARGV[1])
local tag = req.tag
local CHUNK = 1000

local first = req.deliveries[1]
if redis.call('EXISTS', first.f and tag .. ':dlv:' .. first.id or req.shared.key) == 1 then return 0 end
for _, job in ipairs(req.jobs) do
  if redis.call('EXISTS', req.prefix .. job[1]) == 0 then return redis.error_reply('NOJOB the jobs of this group were not added') end
end

local function hset_many(key, list, n)
  for i = 1, n, CHUNK do
    redis.call('HSET', key, unpack(list, i, math.min(i + CHUNK - 1, n)))
  end
end

for _, shape in ipairs(req.shapes) do
  shape.n = #shape.fields
  shape.log = tag .. ':log:' .. shape.log
end
if req.shared then hset_many(req.shared.key, req.shared.fields, #req.shared.fields) end
local logs = {}
for _, d in ipairs(req.deliveries) do
  local shape = req.shapes[d.s + 1]
  if d.f then
    local key = tag .. ':dlv:' .. d.id
    local fields, n = shape.fields, shape.n
    -- Behind what is common, in its list: a list of its own for each receipt would cost more than what it holds.
    for i = 1, #d.f do fields[n + i] = d.f[i] end
    hset_many(key, fields, n + #d.f)
    if d.fails then hset_many(key .. ':f', d.fails, #d.fails) end
    if d.final then
      redis.call('EXPIRE', key, req.ttl)
      redis.call('EXPIRE', key .. ':f', req.ttl)
    end
  end
  redis.call('XADD', shape.log, 'MAXLEN', '~', req.logMax, '*', 'd', d.id)
  logs[shape.log] = true
end
-- Retention: what is older goes, and with the last row the whole log.
for log in pairs(logs) do
  redis.call('XTRIM', log, 'MINID', '~', req.logMinId)
  redis.call('EXPIRE', log, req.ttl)
end

local backlog = {}
for _, job in ipairs(req.jobs) do
  redis.call('ZADD', KEYS[3], job[4], job[1])
  backlog[job[2]] = (backlog[job[2]] or 0) + job[3]
end
for destination, events in pairs(backlog) do
  redis.call('HINCRBY', KEYS[2], destination, events)
end

for _, index in ipairs(req.index) do
  local entries = index.entries
  for i = 1, #entries, CHUNK do
    local last = math.min(i + CHUNK - 1, #entries)
    local fields = {}
    for j = i, last, 2 do fields[#fields + 1] = entries[j] end
    local known = redis.call('HMGET', index.key, unpack(fields))
    local latest = {}
    for j = 1, #fields do
      -- The same event id again, within the hour or within this group: keep the latest few deliveries, newest first.
      local before = latest[fields[j]] or known[j]
      local at = i + (j - 1) * 2 + 1
      if before and #before < 200 then entries[at] = entries[at] .. ',' .. before end
      latest[fields[j]] = entries[at]
    end
    redis.call('HSET', index.key, unpack(entries, i, last))
  end
  redis.call('EXPIRE', index.key, req.evTtl)
end

for _, idem in ipairs(req.idem) do
  redis.call('SET', idem[1], idem[2], 'PX', idem[3])
end

if req.accepted > 0 then
  redis.call('HINCRBY', KEYS[1], 'accepted', req.accepted)
  redis.call('HINCRBY', KEYS[1], 'pending', req.accepted)
end
if req.refused > 0 then redis.call('HINCRBY', KEYS[1], 'refused', req.refused) end
return #req.deliveries

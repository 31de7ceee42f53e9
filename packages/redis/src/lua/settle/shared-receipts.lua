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

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

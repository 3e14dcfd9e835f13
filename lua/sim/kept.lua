--- Answers that a scenario keeps under a name, for the input of later calls: "${NAME.services.1.status}" as a
-- whole text stands for a member of such an answer, whatever its type.

local util = require "sim.util"

local kept = {}

--- Keeps an answer under a name.
function kept.keep(world, name, answer)
  world.data.kept = world.data.kept or {}
  world.data.kept[name] = util.copy(answer)
end

local function value_of(world, text)
  local name, path = text:match("^%${([%w_]+)%.([%w_.]+)}$")
  local value = name and (world.data.kept or {})[name]
  if not value then
    error(("no answer was kept for %s; a call keeps its own by 'keep'"):format(text), 0)
  end
  for key in path:gmatch("[^.]+") do
    value = type(value) == "table" and value[tonumber(key) or key] or nil
  end
  if value == nil then
    error(("the answer that was kept has nothing at %s"):format(text), 0)
  end
  return util.copy(value)
end

--- A copy of plain data with what its texts stand for.
function kept.fill(world, value)
  if type(value) == "string" and value:find("^%${.*}$") then
    return value_of(world, value)
  elseif type(value) ~= "table" then
    return value
  end
  local out = {}
  for key, item in pairs(value) do
    out[key] = kept.fill(world, item)
  end
  return out
end

return kept

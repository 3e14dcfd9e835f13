--- Reading the arguments of a command or of a line of a scenario, with words for what is wrong.

local util = require "sim.util"

local arguments = {}

local function names_of(map)
  local names = {}
  for name in util.sorted_pairs(map) do
    names[#names + 1] = name
  end
  return table.concat(names, ", ")
end

-- Fields mean the same wherever they occur.
local types = {}
for type_name, names in pairs {
  string = "app env name cluster service operation image container key kind command action host path method "
    .. "architecture code message resource state why arn",
  number = "count skip seed port desired bytes per_minute number",
  table = "args input",
} do
  for name in names:gmatch("%S+") do
    types[name] = type_name
  end
end

--- Refuses a field that `known` does not have, or of the wrong type, for `what`; gives a copy of the arguments.
function arguments.check(what, args, known)
  args = args or {}
  if type(args) ~= "table" then
    error(("%s takes a table of fields: %s"):format(what, names_of(known)), 0)
  end
  for name in util.sorted_pairs(args) do
    if not known[name] then
      error(("%s has no field '%s'; it has %s"):format(what, tostring(name), names_of(known)), 0)
    elseif types[name] and type(args[name]) ~= types[name] then
      error(("%s: '%s' must be a %s, and is a %s"):format(what, name, types[name], type(args[name])), 0)
    end
  end
  return util.copy(args)
end

--- A field that must be there.
function arguments.need(what, args, name)
  if args[name] == nil then
    error(("%s needs the field '%s'"):format(what, name), 0)
  end
  return args[name]
end

--- Refuses fields that are there and of another type: "number", "string", "table" or "boolean".
function arguments.types(what, args, type_name, names)
  for name in names:gmatch("[%w_]+") do
    if args[name] ~= nil and type(args[name]) ~= type_name then
      error(("%s: '%s' must be a %s, and is a %s"):format(what, name, type_name, type(args[name])), 0)
    end
  end
end

--- A field as seconds, or `default` when it is not there.
function arguments.seconds(what, args, name, default)
  if args[name] == nil then
    return default
  end
  local seconds = util.seconds(args[name])
  if not seconds or seconds < 0 then
    error(("%s: '%s' is a number of seconds or a text such as \"90s\" or \"5m\""):format(what, name), 0)
  end
  return seconds
end

--- The set of these names, for arguments.check.
function arguments.set(names)
  local out = {}
  for name in names:gmatch("[%w_]+") do
    out[name] = true
  end
  return out
end

return arguments

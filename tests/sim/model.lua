--- Whether a value has the members and types that a service's model gives an operation, in the names of
-- the simulator. What does not fit would never reach a client.

local model = {}

local function flatten(name)
  return (name:gsub("IPv", "Ipv"))
end

-- Names that have special casing in the product (src/aws/model/snake.c) do not occur in what is simulated.
local function snake(name)
  if name:find("_", 1, true) then
    return name
  end
  local plain = flatten(name)
  plain = plain:gsub("(%u%u+)s$", function(word)
    return "_" .. word:lower() .. "s"
  end)
  plain = plain:gsub("^_", "")
  plain = plain:gsub("(.)(%u%l+)", "%1_%2")
  plain = plain:gsub("([%l%d])(%u)", "%1_%2")
  return (plain:lower():gsub("__", "_"))
end

local function read_member(shape, line)
  local name, target, rest = line:match("^ (%S+) (%S+)(.*)$")
  if target == "." then
    target = name:sub(1, 1):upper() .. name:sub(2)
  end
  if shape.kind == "structure" then
    shape.members[snake(name)] = { shape = target, required = rest:find(" !", 1, true) ~= nil }
  else
    shape[name] = target
  end
end

local cache = {}

local function load_model(service)
  if cache[service] then
    return cache[service]
  end
  local shapes, operations, current = {}, {}, nil
  for line in io.lines("src/aws/models/" .. service .. ".model") do
    if line:sub(1, 1) == " " then
      if current and current.kind then
        read_member(current, line)
      end
    else
      current = nil
      local kind, name, rest = line:match("^(%l+) (%S+)%s*(.*)$")
      if kind == "operation" then
        local input, output = rest:match("^(%S+) (%S+)")
        operations[snake(name)] = { input = input:gsub("^%+", name), output = output:gsub("^%+", name) }
      elseif name and not shapes[name] then
        current = { kind = kind, members = {}, error = rest:find("error", 1, true) ~= nil, text = rest }
        if kind == "structure" or kind == "list" or kind == "map" or not kind:match("^[mprfw]") then
          shapes[name] = current
        else
          current = nil
        end
      end
    end
  end
  cache[service] = { shapes = shapes, operations = operations }
  return cache[service]
end

local scalars = {
  string = function(value) return type(value) == "string" end,
  blob = function(value) return type(value) == "string" end,
  boolean = function(value) return type(value) == "boolean" end,
  integer = function(value) return math.type(value) == "integer" or type(value) == "number" and value % 1 == 0 end,
  timestamp = function(value) return type(value) == "number" end,
  double = function(value) return type(value) == "number" end,
  document = function() return true end,
}
scalars.long, scalars.float = scalars.integer, scalars.double

local check

local function check_structure(known, shape, value, path)
  for name, item in next, value do
    local member = shape.members[name]
    if not member then
      return ("%s has no member '%s'"):format(path, tostring(name))
    end
    local problem = check(known, member.shape, item, path .. "." .. name)
    if problem then
      return problem
    end
  end
  for name, member in next, shape.members do
    if member.required and value[name] == nil then
      return ("%s lacks '%s'"):format(path, name)
    end
  end
end

local function check_list(known, shape, value, path)
  local count = 0
  for _ in next, value do
    count = count + 1
  end
  if count ~= #value then
    return path .. " is not a list"
  end
  for index, item in ipairs(value) do
    local problem = check(known, shape.member, item, ("%s[%d]"):format(path, index))
    if problem then
      return problem
    end
  end
end

local function check_map(known, shape, value, path)
  for key, item in next, value do
    if type(key) ~= "string" then
      return path .. " is not a map"
    end
    local problem = check(known, shape.value, item, ("%s[%q]"):format(path, key))
    if problem then
      return problem
    end
  end
end

local containers = { structure = check_structure, list = check_list, map = check_map }

function check(known, name, value, path)
  local shape = known.shapes[name]
  local container = shape and containers[shape.kind]
  if container then
    if type(value) ~= "table" then
      return ("%s is %s, not a %s"):format(path, type(value), shape.kind)
    end
    return container(known, shape, value, path)
  end
  local scalar = shape and scalars[shape.kind]
  if scalar and not scalar(value) then
    return ("%s is %s, not a %s"):format(path, tostring(value), shape.kind)
  end
end

--- Nil when the value fits, else what does not. `side`: "input" or "output".
function model.problem(service, operation, side, value)
  local known = load_model(service)
  local found = known.operations[operation]
  if not found then
    return ("%s has no operation '%s'"):format(service, operation)
  elseif found[side] == "-" then
    return next(value) ~= nil and ("%s.%s has no %s"):format(service, operation, side) or nil
  end
  return check(known, found[side], value, ("%s.%s %s"):format(service, operation, side))
end

-- ---- any input -----------------------------------------------------------------------------------

local invent

local function invent_structure(known, shape, options, depth)
  local out, names = {}, {}
  for name in next, shape.members do
    names[#names + 1] = name
  end
  table.sort(names) -- the same chance gives the same value
  for _, name in ipairs(names) do
    local member = shape.members[name]
    if member.required or depth < options.depth and options.random(1, 100) <= options.optional then
      out[name] = invent(known, member.shape, options, depth + 1, name)
    end
  end
  return out
end

local function invent_items(known, shape, options, depth, name)
  local out = {}
  for index = 1, options.random(shape.text:find("min=1", 1, true) and 1 or 0, 3) do
    if shape.kind == "map" then
      out[options.text(name)] = invent(known, shape.value, options, depth + 1, name)
    else
      out[index] = invent(known, shape.member, options, depth + 1, name)
    end
  end
  return out
end

function invent(known, shape_name, options, depth, name)
  local shape = known.shapes[shape_name] or { kind = "string" }
  if shape.kind == "structure" then
    return depth > 12 and {} or invent_structure(known, shape, options, depth)
  elseif shape.kind == "list" or shape.kind == "map" then
    return depth > 12 and {} or invent_items(known, shape, options, depth, name)
  elseif shape.kind == "boolean" then
    return options.random(0, 1) == 1
  elseif shape.kind == "integer" or shape.kind == "long" then
    local numbers = { 0, 1, 2, 7, 80, 300, 3600, 100000, -1 }
    local least = tonumber(shape.text:match("min=(%d+)")) or -1
    return math.max(numbers[options.random(1, #numbers)], least)
  elseif shape.kind == "timestamp" then
    return 1767225600 + options.random(-100000, 100000)
  elseif shape.kind == "double" or shape.kind == "float" then
    return options.random(-10, 1000) / 10
  end
  return options.text(name)
end

--- An input that the model allows. `options`: random(low, high), text(member's name), `optional` members in
-- percent, and down to which `depth`.
function model.input(service, operation, options)
  local known = load_model(service)
  local found = known.operations[operation]
  return found.input == "-" and {} or invent(known, found.input, options, 0, "")
end

model.snake = snake
return model

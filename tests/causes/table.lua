-- Whether moonbook.explain names the true cause of each fault of faults.lua first: runs `moonbook test` on them,
-- prints a table, and fails when fewer than nine in ten are right.
--
--     lua5.4 tests/causes/table.lua MOONBOOK [part of a fault's name] [what to add to the seeds]
--
-- Run from the top folder. `moonbook test` reads data alone, so the faults are written out as data first.

local moonbook, only, more_seed = arg[1], arg[2] or "", math.tointeger(tonumber(arg[3] or "0"))
local WANTED = 0.9
local FEWEST = 40
local AT_ONCE = 25

-- ---- faults as data ------------------------------------------------------------------------------

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    return tostring(a) < tostring(b)
  end)
  return keys
end

local function as_data(value)
  if type(value) ~= "table" then
    return type(value) == "string" and ("%q"):format(value) or tostring(value)
  end
  local parts = {}
  for index, item in ipairs(value) do
    parts[index] = as_data(item)
  end
  for _, key in ipairs(sorted_keys(value)) do
    if type(key) == "string" then
      parts[#parts + 1] = ("[%q] = %s"):format(key, as_data(value[key]))
    end
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

-- ---- running -------------------------------------------------------------------------------------

-- What was said of each fault, by its name: the codes in order, or why there are none.
local function read_output(output)
  local said, name = {}, nil
  for line in output:gmatch("[^\n]+") do
    name = line:match("^ok %d+ %- .-%.spec%.lua: (.*)$") or line:match("^not ok %d+ %- .-%.spec%.lua: (.*)$") or name
    if line:find("^ok ") then
      said[name] = { right = true }
    elseif line:find("^not ok ") then
      said[name] = { right = false, lines = {} }
    elseif line:find("^#") and name then
      table.insert(said[name].lines, line)
    end
  end
  return said
end

local function what_was_named(lines)
  local text = table.concat(lines or {}, "\n")
  local first, rest = text:match("the run said: done: first: ([%w_]+); then: ([%w_, ]+)")
  return first and ("%s (then %s)"):format(first, rest) or text:gsub("\n", " "):sub(1, 300)
end

local function run_some(faults)
  local name = os.tmpname()
  local file = name .. ".spec.lua"
  write(file, "return " .. as_data(faults) .. "\n")
  local command = ("MOONBOOK_PATH=tests/causes/runbooks '%s' test '%s' 2>&1"):format(moonbook, file)
  local pipe = assert(io.popen(command))
  local output = pipe:read("a")
  pipe:close()
  os.remove(file)
  os.remove(name)
  return output
end

-- A file of specs may have 64 KiB.
local function run(faults)
  local outputs = {}
  for first = 1, #faults, AT_ONCE do
    local some = table.move(faults, first, math.min(first + AT_ONCE - 1, #faults), 1, {})
    outputs[#outputs + 1] = run_some(some)
  end
  local output = table.concat(outputs)
  return read_output(output), output
end

-- ---- the table -----------------------------------------------------------------------------------

-- The same faults with other chances, to see that a hit is no accident of one seed.
local function reseed(world)
  local first = type(world) == "table" and world[1]
  if type(first) == "table" and first[1] == "reset" then
    first[2].seed = first[2].seed + more_seed
  end
end

local function chosen(all)
  local out, seen = {}, {}
  for _, fault in ipairs(all) do
    assert(not seen[fault.name], "two faults are called " .. fault.name)
    seen[fault.name] = true
    if fault.name:find(only, 1, true) then
      reseed(fault.world)
      out[#out + 1] = fault
    end
  end
  return out
end

local function known_causes(faults)
  local causes, distinct = dofile "lua/moonbook/explain/causes.lua", {}
  for _, fault in ipairs(faults) do
    assert(fault.cause == "none" or causes[fault.cause], fault.cause .. " is no cause that explain knows")
    distinct[fault.cause] = true
  end
  return #sorted_keys(distinct)
end

local faults = chosen(dofile "tests/causes/faults.lua")
local distinct = known_causes(faults)
local said, output = run(faults)
local right, misses = 0, {}
for _, fault in ipairs(faults) do
  local found = said[fault.name]
  if not found then
    print(output)
    error("moonbook test said nothing of: " .. fault.name)
  end
  right = right + (found.right and 1 or 0)
  print(("%-5s %-26s %s"):format(found.right and "right" or "MISS", fault.cause, fault.name))
  if not found.right then
    misses[#misses + 1] = ("  %s: is %s, named %s"):format(fault.name, fault.cause, what_was_named(found.lines))
  end
end
print(("\n%d of %d first-named causes right (%.1f %%), %d different causes"):format(
  right, #faults, 100 * right / #faults, distinct
))
if #misses > 0 then
  print("misses:\n" .. table.concat(misses, "\n"))
end
local enough = only ~= "" or #faults >= FEWEST
if not enough or right < WANTED * #faults then
  print(("wanted: at least %d %% of at least %d"):format(100 * WANTED, FEWEST))
  os.exit(1)
end

-- Prints the endings of tests/endings as JSON, for compare.py: lua5.4 tests/compare/endings.lua FILE...

package.path = "lua/?.lua;" .. package.path
local json = require "sim.json"

local function read(path)
  local chunk = assert(loadfile(path, "t", {}))
  local endings = chunk()
  for _, ending in ipairs(endings) do
    ending.file = path:match("([^/]+)%.spec%.lua$")
  end
  return endings
end

local all = {}
for _, path in ipairs(arg) do
  local endings = read(path)
  table.move(endings, 1, #endings, #all + 1, all)
end
print(json.encode(all))

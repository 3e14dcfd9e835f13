-- Every stock runbook has specs for success and for failure.
--
--     lua5.4 tests/runbooks/covers.lua FOLDER...      each .../NAME/vMAJOR of a runbook
--
-- A spec is data: its file is read as the command reads it, without anything to call.

local GOOD = { done = true, nothing_to_do = true }

local function spec_files(folder)
  local list = io.popen(("ls '%s/tests' 2>/dev/null"):format(folder))
  local files = {}
  for name in list:lines() do
    if name:find("%.spec%.lua$") then
      files[#files + 1] = folder .. "/tests/" .. name
    end
  end
  list:close()
  return files
end

-- Whether any of these runs ends well, and whether any does not.
local function tally(found, runs)
  for _, one in ipairs(runs) do
    if one.runs then
      tally(found, one.runs)
    else
      local verdict = (one.expect or {}).verdict or "done"
      for _, name in ipairs(type(verdict) == "table" and verdict or { verdict }) do
        found[GOOD[name] and "success" or "failure"] = true
      end
    end
  end
end

local failed = 0
for _, folder in ipairs(arg) do
  local found = {}
  for _, file in ipairs(spec_files(folder)) do
    tally(found, assert(loadfile(file, "t", {}))())
  end
  for _, what in ipairs { "success", "failure" } do
    print(("%sok - %s has specs for %s"):format(found[what] and "" or "not ", folder, what))
    failed = failed + (found[what] and 0 or 1)
  end
end
os.exit(failed == 0 and #arg > 0)

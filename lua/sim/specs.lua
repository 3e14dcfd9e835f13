--- Specs of runbooks: puts a world in order, and judges how a run in it ended. A spec is plain data, so
-- that a file of specs can be read without running it (docs/runbooks.md says what it holds).

local arguments = require "sim.arguments"
local journal = require "sim.journal"
local truth = require "sim.truth"
local util = require "sim.util"

local specs = {}

-- ---- before the run ------------------------------------------------------------------------------

-- A copy of fields in which "$each" is the number that the spec is tested with.
local function filled(fields, each)
  if fields == "$each" then
    return each
  elseif type(fields) ~= "table" then
    return fields
  end
  local out = {}
  for key, value in util.sorted_pairs(fields) do
    out[key] = filled(value, each)
  end
  return out
end

-- One entry of `world`: the name of a stock scenario, or { command, fields }.
local function do_entry(world, entry, each)
  if type(entry) == "string" then
    require("sim.scenarios." .. entry)(world)
    return
  end
  local command = require("sim.control")[entry[1]]
  if not command then
    error(("world: there is no command '%s'"):format(tostring(entry[1])), 0)
  end
  command(world, filled(entry[2] or {}, each))
end

local function do_all(world, entries, each)
  for _, entry in ipairs(type(entries) == "table" and entries or { entries }) do
    do_entry(world, entry, each)
  end
  return { now = world:now() }
end

--- Does what `world` of a spec says, in order. A spec with a `recorded` world begins in that one.
function specs.prepare(world, args)
  return do_all(world, args.world or world.data.recorded and {} or "service", args.each)
end

--- Before each run of a spec that has several: does what that run's own `world` says. Its calls are
-- counted from here on.
function specs.next_run(world, args)
  journal.forget(world)
  return do_all(world, args.world or {}, args.each)
end

-- ---- after the run -------------------------------------------------------------------------------

local function show(value)
  if type(value) == "table" then
    return require("sim.json").encode(value)
  end
  return tostring(value)
end

local function differ(failures, what, got, wanted)
  if not util.equal(got, wanted) then
    failures[#failures + 1] = ("%s: got %s, expected %s"):format(what, show(got), show(wanted))
  end
end

-- `wanted` may be a list: any of them will do.
local function judge_verdict(failures, verdict, wanted)
  if type(wanted) ~= "table" or not util.holds(wanted, verdict) then
    differ(failures, "verdict", verdict, wanted)
  end
end

-- "services.1.running_count" in an answer.
local function value_at(answer, path)
  for key in path:gmatch("[^.]+") do
    if type(answer) ~= "table" then
      return nil
    end
    answer = answer[tonumber(key) or key]
  end
  return answer
end

local function judge_calls(failures, world, calls)
  for name, wanted in util.sorted_pairs(calls) do
    local service, operation = name:match("^([^.]+)%.(.+)$")
    local count = #journal.calls(world, service, operation)
    local most = type(wanted) == "table" and (wanted.at_most or math.huge) or wanted
    local least = type(wanted) == "table" and (wanted.at_least or 0) or wanted
    if count < least or count > most then
      failures[#failures + 1] = ("calls of %s: got %d, expected %s"):format(name, count, show(wanted))
    end
  end
end

local function judge_checks(failures, made, wanted)
  for name, state in util.sorted_pairs(wanted) do
    differ(failures, ("check \"%s\""):format(name), made[name] or "not made", state)
  end
end

-- What the world must be like in the end, asked of it as a client would.
local function judge_world(failures, world, wanted)
  for _, look in ipairs(wanted) do
    local service, operation = look.call:match("^([^.]+)%.(.+)$")
    local answer = world:call(service, operation, look.input or {}, { scenario = true, request_id = "spec" })
    if answer.error then
      failures[#failures + 1] = ("%s: %s: %s"):format(look.call, answer.error.code, answer.error.message)
    else
      differ(failures, ("%s at %s"):format(look.call, look.at), value_at(answer.output, look.at), look.is)
    end
  end
end

-- What really happened, by the names that sim.truth gives it; only what is said is compared.
local function judge_truth(failures, what, found, wanted)
  for name, value in util.sorted_pairs(wanted) do
    differ(failures, ("%s: %s"):format(what, name), found[name], value)
  end
end

-- What was to happen later (`at`) and could not: the world was not what the spec says.
local function judge_commands(failures, world)
  for _, line in ipairs(world.data.failed_commands or {}) do
    failures[#failures + 1] = "world: at: " .. line
  end
end

-- Every text of `wanted` must be in some line.
local function judge_lines(failures, what, lines, wanted)
  for _, text in ipairs(wanted) do
    local found = false
    for _, line in ipairs(lines) do
      found = found or line:find(text, 1, true) ~= nil
    end
    if not found then
      failures[#failures + 1] = ("%s: no line says %s; there are %s"):format(what, show(text), show(lines))
    end
  end
end

-- Only the members that are said are compared, at every level.
local function judge_result(failures, path, got, wanted)
  if type(wanted) ~= "table" or type(got) ~= "table" then
    if wanted ~= nil then
      differ(failures, path, got, wanted)
    end
    return
  end
  for key, value in util.sorted_pairs(wanted) do
    judge_result(failures, ("%s.%s"):format(path, key), got[key], value)
  end
end

local known = arguments.set [[verdict exit_code message cause evidence error checks calls writes at_most within world
  truth later lines steps phrase takes result]]

--- What of `expect` did not come true, a list of lines. `outcome` is what the run came to: {verdict,
-- exit_code, message, cause?, evidence?, error, seconds, checks, writes, calls, lines?, steps?,
-- phrase?, result?}.
function specs.judge(world, args)
  local expect, outcome = arguments.check("expect", args.expect or {}, known), args.outcome
  local failures = {}
  judge_verdict(failures, outcome.verdict, expect.verdict or "done")
  if expect.exit_code then
    differ(failures, "exit code", outcome.exit_code, expect.exit_code)
  end
  if expect.cause then
    differ(failures, "cause", outcome.cause, expect.cause)
  end
  if expect.error then
    differ(failures, "error", outcome.error, expect.error)
  end
  if expect.message and not (outcome.message or ""):find(expect.message, 1, true) then
    failures[#failures + 1] = ("message: %s does not say %s"):format(show(outcome.message), show(expect.message))
  end
  if expect.writes then
    differ(failures, "writes", outcome.writes or {}, expect.writes)
  end
  if expect.at_most and outcome.calls > expect.at_most then
    failures[#failures + 1] = ("calls: %d, expected at most %d"):format(outcome.calls, expect.at_most)
  end
  if expect.within and outcome.seconds > arguments.seconds("expect", expect, "within") then
    failures[#failures + 1] = ("it took %.0f seconds, expected at most %s"):format(outcome.seconds, expect.within)
  end
  if expect.takes and outcome.seconds < arguments.seconds("expect", expect, "takes") then
    failures[#failures + 1] = ("it took %d seconds, expected at least %s"):format(outcome.seconds, expect.takes)
  end
  judge_lines(failures, "evidence", outcome.evidence or {}, expect.evidence or {})
  judge_lines(failures, "lines", outcome.lines or {}, expect.lines or {})
  if expect.steps then
    differ(failures, "steps", outcome.steps or {}, expect.steps)
  end
  if expect.phrase then
    differ(failures, "phrase", outcome.phrase, expect.phrase)
  end
  judge_result(failures, "result", outcome.result, expect.result)
  judge_checks(failures, outcome.checks or {}, expect.checks or {})
  judge_calls(failures, world, expect.calls or {})
  judge_world(failures, world, expect.world or {})
  if expect.truth then
    judge_truth(failures, "truth", truth.of(world, {}), expect.truth)
  end
  if expect.later then -- last, as it moves the clock
    judge_truth(failures, "truth, later", truth.settled(world, {}), expect.later)
  end
  judge_commands(failures, world)
  if #failures > 0 then
    failures[#failures + 1] = ("the run said: %s: %s"):format(outcome.verdict, outcome.message or "")
  end
  return { failures = failures }
end

return specs

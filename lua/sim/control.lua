--- Commands to a world: for specs, for the server's control interface, and as the words of a scenario
-- file. Each takes the world and one table of fields, and gives plain data or nothing.
--
--     service { app = "shop", env = "dev", desired = 2, image = "shop:v1" }
--     image { name = "shop:v2", crash = { exit = 1, after = "8s" } }
--     at { time = "5m", command = "throttle", args = { service = "ecs", percent = 30, lasting = "2m" } }

local arguments = require "sim.arguments"
local build = require "sim.build"
local dates = require "sim.dates"
local faults = require "sim.faults"
local journal = require "sim.journal"
local kept = require "sim.kept"
local people = require "sim.people"
local specs = require "sim.specs"
local truth = require "sim.truth"
local util = require "sim.util"

local control = {
  -- Building a world, and what others do in it: see sim.build.
  service = build.service,
  image = build.image,
  behave = build.behave,
  secret = build.secret,
  parameter = build.parameter,
  deploy = build.deploy,
  move_tag = build.move_tag,
  delete_image = build.delete_image,
  someone_calls = build.someone_calls,
  settle = build.settle,
  -- What people and AWS do to it: see sim.people.
  stop_tasks = people.stop_tasks,
  protect_tasks = people.protect_tasks,
  interrupt_tasks = people.interrupt_tasks,
  stop_deployment = people.stop_deployment,
  continue_deployment = people.continue_deployment,
  change_health_check = people.change_health_check,
  remove_listeners = people.remove_listeners,
  -- What `moonbook test` asks: see sim.specs.
  spec_prepare = specs.prepare,
  spec_next_run = specs.next_run,
  spec_judge = specs.judge,
}

-- ---- time ----------------------------------------------------------------------------------------

--- The time, as seconds since 1970 and as text.
function control.now(world)
  return { now = world:now(), text = dates.iso(world:now()) }
end

--- Moves the clock: { time = "5m" }, or { to = seconds since 1970 }.
function control.advance(world, args)
  args = arguments.check("advance", args, arguments.set "time to")
  arguments.types("advance", args, "number", "to")
  local time = args.to or world:now() + arguments.seconds("advance", args, "time", 0)
  if time < world:now() then
    error("advance: the clock only goes forward", 0)
  end
  world:advance_to(time)
  return control.now(world)
end

--- Does a command when `time` has passed from now.
function control.at(world, args)
  args = arguments.check("at", args, arguments.set "time command args")
  local command = arguments.need("at", args, "command")
  if not control[command] or command == "at" then
    error(("at: there is no command '%s'"):format(command), 0)
  end
  world:after(arguments.seconds("at", args, "time", 0), "faults.command", { command = command, args = args.args or {} })
end

-- ---- looking -------------------------------------------------------------------------------------

--- What there is to know of the world as a whole.
function control.info(world)
  return {
    now = world:now(), account = world.data.account, region = world.data.region, calls = world.data.calls,
    next_event = world:next_event(), recorded = util.copy(world.data.recorded),
  }
end

local truth_fields = arguments.set "cluster service settled"

--- What really happened, see sim.truth: { cluster, service }, needless when there is one service. With `settled`
-- the clock moves until no deployment is under way.
function control.truth(world, args)
  args = arguments.check("truth", args, truth_fields)
  arguments.types("truth", args, "string", "cluster service")
  return (args.settled and truth.settled or truth.of)(world, args)
end

--- The state of a service, for specs to look at: { service = "ecs" }.
function control.snapshot(world, args)
  args = arguments.check("snapshot", args, arguments.set "service")
  local state = world:state(arguments.need("snapshot", args, "service"))
  if not state then
    error(("snapshot: there is no service '%s'"):format(args.service), 0)
  end
  return util.copy(state)
end

--- The calls that were made, oldest first; with `service` and `operation` only these.
function control.calls(world, args)
  args = arguments.check("calls", args, arguments.set "service operation")
  return util.copy(journal.calls(world, args.service, args.operation))
end

--- Does an operation as a client would, faults and all: { service, operation, input }.
function control.call(world, args)
  args = arguments.check("call", args, arguments.set "service operation input arn")
  local caller = {
    access_key = "AKIACONTROL", request_id = world:uuid(),
    arn = args.arn or ("arn:aws:iam::%s:user/control"):format(world.data.account),
  }
  local service, operation = arguments.need("call", args, "service"), arguments.need("call", args, "operation")
  return world:call(service, operation, args.input or {}, caller)
end

--- Asks the application through its load balancer: { host, path }.
function control.ask(world, args)
  args = arguments.check("ask", args, arguments.set "host path method")
  local answer = require("sim.elbv2").http(world, {
    host = arguments.need("ask", args, "host"), path = args.path or "/", method = args.method or "GET", headers = {},
  })
  return answer or error(("ask: no load balancer is called %s"):format(args.host), 0)
end

-- ---- faults of the world -------------------------------------------------------------------------

local fault_fields = arguments.set "kind key value after lasting"

--- Says something of the world, from `after` on and for as long as `lasting`: see docs/simulator.md.
function control.fault(world, args)
  args = arguments.check("fault", args, fault_fields)
  local kind, key = arguments.need("fault", args, "kind"), args.key or "*"
  local value = args.value
  if value == nil then
    value = true
  end
  local after = arguments.seconds("fault", args, "after", 0)
  local lasting = arguments.seconds("fault", args, "lasting")
  if after == 0 then
    faults.set(world, kind, key, value)
  else
    world:after(after, "faults.set", { kind = kind, key = key, value = value })
  end
  if lasting then
    world:after(after + lasting, "faults.clear", { kind = kind, key = key })
  end
end

--- Takes back a fault of the world: of one key, of a kind, or without fields everything that was said.
function control.clear(world, args)
  args = arguments.check("clear", args, arguments.set "kind key")
  faults.clear(world, args.kind, args.key)
end

-- A command that sets one kind of fault by the name of its key.
local function about(command, kind, key_name, value_name, default)
  control[command] = function(world, args)
    args = arguments.check(command, args, arguments.set(key_name .. " " .. (value_name or "") .. " after lasting"))
    arguments.types(command, args, "string", key_name)
    local value = value_name and args[value_name]
    if value == nil then
      value = default
    end
    return control.fault(world, {
      kind = kind, key = args[key_name], value = value, after = args.after, lasting = args.lasting,
    })
  end
end

about("no_capacity", "capacity", "service", "why", "unavailable") -- why: unavailable or limit
about("no_route", "network", "to", nil, "blocked")                -- to: ecr, secretsmanager, ssm, logs
about("force_alarm", "alarm", "name", "state", "ALARM")
about("load", "load", "service", "percent")                       -- percent: {cpu = 90, memory = 40}
about("requests", "requests", "load_balancer", "per_minute")
about("deny", "denied", "action", nil, true)                      -- of tasks' roles: "ROLE action" or "action"
about("no_log_group", "log_group_missing", "name", nil, true)

local results = { SUCCEEDED = true, FAILED = true, IN_PROGRESS = true }

--- Says what the function of a lifecycle hook answers: { name or stage, result, after }. `after`: so long it is in
-- progress first.
function control.hook(world, args)
  args = arguments.check("hook", args, arguments.set "stage name result after")
  arguments.types("hook", args, "string", "stage result")
  local key = args.name or arguments.need("hook", args, "stage")
  local result = args.result or "SUCCEEDED"
  if not results[result] then
    error(("hook: 'result' is SUCCEEDED, FAILED or IN_PROGRESS, not %s"):format(result), 0)
  end
  faults.set(world, "hook", key, { result = result, after = arguments.seconds("hook", args, "after") })
end

-- ---- trouble of the API --------------------------------------------------------------------------

local rule_fields = "service operation action percent skip count after lasting "

-- A command that adds a rule of the API's trouble; gives its number.
local function trouble(command, kind, more)
  local known = arguments.set(rule_fields .. (more or ""))
  control[command] = function(world, args)
    args = arguments.check(command, args, known)
    args.kind = kind
    args.seconds = args.by and arguments.seconds(command, args, "by") or nil
    args.from = world:now() + arguments.seconds(command, args, "after", 0)
    local lasting = arguments.seconds(command, args, "lasting")
    args.till = lasting and args.from + lasting or nil
    args.by, args.after, args.lasting = nil, nil, nil
    return { number = faults.rule(world, args) }
  end
end

trouble("throttle", "throttle")
trouble("fail_calls", "error", "code status message")
trouble("slow_calls", "latency", "by")
trouble("reset_calls", "reset")
trouble("cut_answers", "truncate", "bytes")
trouble("expire_credentials", "expired_token")
trouble("skew_clock", "clock_skew", "by")
trouble("lag_reads", "read_lag", "by")
trouble("deny_calls", "access_denied", "resource")
trouble("change_answers", "changed_answer", "at is")

local add_change = control.change_answers

--- Changes a member of the answers that come: { operation, at = "services.1.status", is = value }; without `is`
-- it is missing. For what AWS may say and this world never does. Texts in `is` may stand for kept answers.
function control.change_answers(world, args)
  arguments.need("change_answers", args, "at")
  arguments.types("change_answers", args, "string", "at")
  args = util.copy(args)
  args.is = kept.fill(world, args.is)
  return add_change(world, args)
end

--- Ends the API's trouble: one rule by its number, or all.
function control.calm(world, args)
  args = arguments.check("calm", args, arguments.set "number")
  faults.end_rule(world, args.number)
end

--- Makes the world anew: empty, at the same time and place, or with another seed.
function control.reset(world, args)
  args = arguments.check("reset", args, arguments.set "seed now")
  arguments.types("reset", args, "number", "now")
  local fresh = require("sim.world").new({
    seed = args.seed, now = args.now or world:now(), account = world.data.account, region = world.data.region,
  })
  world.data = fresh.data
end

return control

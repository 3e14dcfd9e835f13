--- What goes wrong: things said of the world, which services look up, and trouble of the API itself,
-- decided call by call. All of it is data of the world, so that a saved world keeps its faults.

local dates = require "sim.dates"
local facts = require "sim.facts.api"
local util = require "sim.util"

local faults = { operations = {}, handlers = {} }

function faults.init(_, state)
  state.said = {}   -- by kind, then key
  state.rules = {}  -- of the API, in the order they were made
  state.past = {}   -- by service: states that reads may still see, oldest first
  state.number = 0
end

-- ---- faults of the world -------------------------------------------------------------------------

local kinds = facts.kinds

--- Says something of the world. A `value` of nil takes it back.
function faults.set(world, kind, key, value)
  if not kinds[kind] then
    error(("there is no fault '%s'; there are %s"):format(tostring(kind), table.concat(faults.kinds(), ", ")), 0)
  end
  local said = world:state("faults").said
  said[kind] = said[kind] or {}
  said[kind][key] = util.copy(value)
  if kind == "behaviour" then
    require("sim.app").changed(world)
  end
end

--- Takes back what was said of a key, of all keys of a kind, or everything.
function faults.clear(world, kind, key)
  local state = world:state("faults")
  if not kind then
    state.said, state.rules, state.past = {}, {}, {}
  elseif not key then
    state.said[kind] = nil
  elseif state.said[kind] then
    state.said[kind][key] = nil
  end
  require("sim.app").changed(world)
end

--- The kinds of faults of the world, in order.
function faults.kinds()
  local names = {}
  for name in util.sorted_pairs(kinds) do
    names[#names + 1] = name
  end
  return names
end

-- The names by which a person may have spoken of `key`, longest first.
local function names_of(key)
  local names = { key }
  local function add(name)
    if name and name ~= names[#names] then
      names[#names + 1] = name
    end
  end
  if key:match("^arn:") then
    add(key:match("^arn:[^:]*:[^:]*:[^:]*:[^:]*:(.*)$"))
    add(key:match(":secret:(.*)%-%w%w%w%w%w%w$"))
    add(key:match(":parameter(/.*)$"))
    add(key:match(":parameter/([^/]+)$"))
    add(key:match("[:/]([^:/]+)$"))
  else
    add(key:match("^[^/]+%.[^/]+/(.*)$")) -- an image without its registry
    add(key:match("([^/]+)$"))
  end
  return names
end

--- What a scenario said of `key` itself, or nil.
function faults.of(world, kind, key)
  local said = world:state("faults").said[kind]
  for _, name in ipairs(said and names_of(key) or {}) do
    if said[name] ~= nil then
      return said[name]
    end
  end
end

--- What a scenario said of `key` or of everything ("*"), or nil.
function faults.get(world, kind, key)
  local found = faults.of(world, kind, key or "*")
  if found == nil then
    found = faults.of(world, kind, "*")
  end
  return found
end

-- ---- trouble of the API: rules -------------------------------------------------------------------

--- Adds a rule: {kind, service, operation, action, percent, skip, count, seconds, bytes, code, status,
-- message, from, till}; the first `skip` calls that it concerns are left alone. Gives its number, for
-- faults.end_rule.
function faults.rule(world, rule)
  if not facts.rules[rule.kind] then
    error(("there is no trouble '%s' of the API"):format(tostring(rule.kind)), 0)
  end
  local state = world:state("faults")
  state.number = state.number + 1
  rule = util.copy(rule)
  rule.number = state.number
  state.rules[#state.rules + 1] = rule
  return rule.number
end

--- Ends a rule, or without a number all of them.
function faults.end_rule(world, number)
  local state = world:state("faults")
  local kept = {}
  for _, rule in ipairs(state.rules) do
    if number and rule.number ~= number then
      kept[#kept + 1] = rule
    end
  end
  state.rules = kept
end

-- "ecs:Describe*" against "ecs:DescribeServices"; case does not matter to IAM.
local function action_matches(pattern, action)
  local expression = pattern:lower():gsub("[^%w*?]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".")
  return action:lower():match("^" .. expression .. "$") ~= nil
end

local function camel(operation)
  return (operation:gsub("^%l", string.upper):gsub("_(%w)", string.upper))
end

--- "ecs:DescribeServices", as policies and refusals say it.
function faults.action(service, operation)
  return (facts.prefixes[service] or service) .. ":" .. camel(operation)
end

local function in_time(world, rule)
  local now = world:now()
  return (not rule.from or now >= rule.from) and (not rule.till or now < rule.till)
end

local function concerns(rule, service, operation)
  if rule.action then
    return action_matches(rule.action, faults.action(service, operation))
  end
  return (not rule.service or rule.service == service)
    and (not rule.operation or rule.operation == operation)
end

-- Whether the rule strikes this time. Chance, skip and count are used up only by calls that it concerns.
local function strikes(world, rule)
  if rule.skip and rule.skip > 0 then
    rule.skip = rule.skip - 1
    return false
  end
  if rule.percent and world:random() * 100 >= rule.percent then
    return false
  end
  if rule.count then
    if rule.count <= 0 then
      return false
    end
    rule.count = rule.count - 1
  end
  return true
end

-- ---- trouble of the API: outcomes ----------------------------------------------------------------

-- What an action would have been done to, as the refusal names it.
local function resource_of(world, service, operation, input)
  if operation:match("^list_") or operation:match("^describe_") and service ~= "ecs" then
    return "*"
  end
  for key, value in util.sorted_pairs(input or {}) do
    if type(value) == "string" and value:match("^arn:aws") and not key:match("role") then
      return value
    end
  end
  local cluster = input and util.last_part(input.cluster or "default")
  local name = input and (input.service or input.services and input.services[1])
  if service == "ecs" and type(name) == "string" then
    return world:arn("ecs", ("service/%s/%s"):format(cluster, util.last_part(name)))
  end
  return "*"
end

--- The refusal of an action, in the words of IAM.
function faults.refusal(world, service, operation, input, caller, rule)
  local query = facts.query[service]
  local action = faults.action(service, operation)
  return {
    code = service == "ec2" and "UnauthorizedOperation" or query and "AccessDenied" or "AccessDeniedException",
    status = query and 403 or 400,
    message = facts.texts.denied:format(
      caller and caller.arn or world:arn("iam", "user/operator"), action,
      rule and rule.resource or resource_of(world, service, operation, input), action),
  }
end

local outcomes = {}

function outcomes.throttle(_, _, service)
  local code = facts.throttling[service] or facts.query[service] and "Throttling" or "ThrottlingException"
  return { code = code, status = 400, message = facts.texts.rate }
end

function outcomes.error(_, rule, service)
  local known = facts.internal[service] or facts.internal.other
  return { code = rule.code or known.code, status = rule.status or 500, message = rule.message or known.message }
end

function outcomes.latency(_, rule)
  return { latency = rule.seconds or 1 }
end

function outcomes.reset()
  return { reset = true }
end

function outcomes.truncate(_, rule)
  return { truncate = rule.bytes or 20 }
end

function outcomes.expired_token(_, _, service)
  local query = facts.query[service]
  return {
    code = query and "ExpiredToken" or "ExpiredTokenException", status = query and 403 or 400,
    message = facts.texts.expired,
  }
end

function outcomes.access_denied(world, rule, service, operation, input, caller)
  return faults.refusal(world, service, operation, input, caller, rule)
end

-- A time as signatures write it: 20260101T000000Z.
local function basic_time(time)
  local p = dates.parts(time)
  return ("%04d%02d%02dT%02d%02d%02dZ"):format(p.year, p.month, p.day, p.hour, p.minute, p.second)
end

-- The service's clock is `seconds` ahead of the world's: signatures of the world's time are too old,
-- or not valid yet. A caller that signs by the service's clock (from the Date header) gets through.
function outcomes.clock_skew(world, rule, service, _, _, caller)
  local theirs = world:now() + rule.seconds
  local signed = caller and caller.signed_at or world:now()
  local slack = facts.durations.signature_slack
  if math.abs(theirs - signed) <= slack then
    return { date = theirs }
  end
  local early = signed < theirs
  local bound = theirs + (early and -slack or slack)
  local text = early and facts.texts.signature_expired or facts.texts.signature_early
  return {
    code = facts.query[service] and "SignatureDoesNotMatch" or "InvalidSignatureException",
    status = facts.query[service] and 403 or 400, date = theirs,
    message = text:format(basic_time(signed), basic_time(bound), basic_time(theirs)),
  }
end

--- Rules of several members add up: each is a change of the answer.
function outcomes.changed_answer(_, rule)
  return { changes = { { at = rule.at, is = rule.is } } }
end

function outcomes.read_lag() -- see faults.past
  return {}
end

local function join(into, outcome)
  local latency = (into.latency or 0) + (outcome.latency or 0)
  local changes = into.changes or {}
  table.move(outcome.changes or {}, 1, #(outcome.changes or {}), #changes + 1, changes)
  for key, value in util.sorted_pairs(outcome) do
    into[key] = value
  end
  into.latency = latency > 0 and latency or nil
  into.changes = #changes > 0 and changes or nil
end

--- Whether a rule refuses an action ("ecs:UpdateService") now.
function faults.denies(world, action)
  for _, rule in ipairs(world:state("faults").rules) do
    local denies = rule.kind == "access_denied" and rule.action and in_time(world, rule)
    if denies and action_matches(rule.action, action) then
      return true
    end
  end
  return false
end

-- A caller with credentials of a role is that role's session, until they expire.
local function expired(world, service, caller)
  local session = caller and require("sim.sts").session(world, caller.access_key)
  if not session then
    return nil
  elseif world:now() >= session.expires then
    return outcomes.expired_token(world, nil, service)
  end
  caller.arn = session.arn
end

--- What happens instead of the call, or to its answer; see docs/simulator.md. Nil for nothing.
function faults.before(world, service, operation, input, caller)
  local rules = world:state("faults").rules
  local stale = expired(world, service, caller)
  if stale or #rules == 0 or caller and caller.scenario then
    return stale
  end
  local result = {}
  for _, rule in ipairs(rules) do
    local stopped = result.code or result.reset
    if not stopped and in_time(world, rule) and concerns(rule, service, operation) and strikes(world, rule) then
      join(result, outcomes[rule.kind](world, rule, service, operation, input, caller))
    end
  end
  return next(result) ~= nil and result or nil
end

--- What happens instead of a request that is no AWS call, to an application or a storage: {reset} or {status,
-- body}; nil for nothing. Only rules that name the service "http" are about such requests.
function faults.of_pages(world)
  for _, rule in ipairs(world:state("faults").rules) do
    local about = rule.service == "http" and (rule.kind == "reset" or rule.kind == "error")
    if about and in_time(world, rule) and strikes(world, rule) then
      local outcome = outcomes[rule.kind](world, rule, "http")
      return outcome.reset and outcome or { status = outcome.status, body = outcome.message }
    end
  end
end

-- ---- answers that are changed --------------------------------------------------------------------

-- Puts a value in the place of a member, "services.1.status"; nil takes it away. What the answer does not have
-- on the way there is not made: such an answer stays as it is.
local function change(output, at, is)
  local parent, last = at:match("^(.*)%.([^.]+)$")
  local target = output
  for key in (parent or ""):gmatch("[^.]+") do
    target = target[tonumber(key) or key]
    if type(target) ~= "table" then
      return
    end
  end
  target[tonumber(last or at) or last or at] = util.copy(is)
end

--- An answer as the rules of kind changed_answer make it: `changes` is a list of {at, is}. An answer of an
-- error has no members to change.
function faults.changed(output, changes)
  local out = util.copy(output)
  for _, entry in ipairs(changes) do
    change(out, entry.at, entry.is)
  end
  return out
end

-- ---- reads that lag ------------------------------------------------------------------------------

local function reads(operation)
  for _, prefix in ipairs(facts.reading) do
    if operation:sub(1, #prefix) == prefix then
      return true
    end
  end
  return false
end

local function lag_of(world, service, operation)
  local longest
  for _, rule in ipairs(world:state("faults").rules) do
    if rule.kind == "read_lag" and in_time(world, rule) and (not rule.service or rule.service == service) then
      local touched = not operation or not rule.operation or rule.operation == operation
      longest = touched and math.max(longest or 0, rule.seconds or 5) or longest
    end
  end
  return longest
end

--- The state that a read of now still sees: the service's as it was before the writes of the last
-- seconds, or nil for the present one. Before a write, it keeps the state as it is.
function faults.past(world, service, operation, caller)
  if #world:state("faults").rules == 0 or caller and caller.scenario then
    return nil
  end
  local reading = reads(operation)
  local lag = lag_of(world, service, reading and operation or nil)
  if not lag then
    return nil
  end
  local all = world:state("faults").past
  local kept = {}
  for _, entry in ipairs(all[service] or {}) do
    if entry.at > world:now() - lag then
      kept[#kept + 1] = entry
    end
  end
  all[service] = kept
  if reading then
    return kept[1] and util.copy(kept[1].state)
  end
  kept[#kept + 1] = { at = world:now(), state = util.copy(world:state(service)) }
end

-- ---- what the queue brings -----------------------------------------------------------------------

function faults.handlers.set(world, args)
  faults.set(world, args.kind, args.key, args.value)
end

function faults.handlers.clear(world, args)
  faults.clear(world, args.kind, args.key)
end

--- A command of the control interface whose time has come.
function faults.handlers.command(world, args)
  local ok, err = pcall(require("sim.control")[args.command], world, args.args)
  if not ok then
    world.data.failed_commands = world.data.failed_commands or {}
    table.insert(world.data.failed_commands, ("%s: %s"):format(args.command, tostring(err)))
    error(err, 0)
  end
end

return faults

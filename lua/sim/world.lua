--- The simulated world: one clock, one queue of things to come, one source of chance, and the state of
-- every service as plain data.
--
-- Everything that happens follows from the state, the queue and the seed, so the same seed and the
-- same calls give the same world, byte for byte. State and queue hold nothing but plain data
-- (strings, numbers, booleans, tables): a world can be written to a file and read back.
--
-- A service is a module `sim.NAME` that returns
--
--     {
--       operations = { describe_services = function(world, input, caller) ... end, ... },
--       handlers   = { tick = function(world, args) ... end, ... },   -- what the queue can name
--       init       = function(world, state) ... end,                  -- fills an empty state
--     }
--
-- Operations take input and give output in snake_case, exactly as runbooks see them; timestamps are
-- seconds since 1970. An operation whose answer no codec can write gives a second result, the answer
-- itself: {status, headers, body}. One that fails calls `world:fail(code, message)`. A service reads and
-- changes its own state (`world:state("ecs")`), and talks to others through the functions their
-- modules export (`require "sim.elbv2".register(world, ...)`), never through their state.

local journal = require "sim.journal"

local world = {}
world.__index = world

-- ---- time and the queue --------------------------------------------------------------------------

--- Seconds since 1970, with a fraction.
function world:now()
  return self.data.now
end

local function earlier(a, b)
  return a.at < b.at or (a.at == b.at and a.number < b.number)
end

--- Calls handler "SERVICE.NAME" with `args` (plain data) in `delay` seconds. Entries of the same moment
-- keep their order. Returns a number for world:cancel.
function world:after(delay, handler, args)
  assert(delay >= 0, "the queue holds what is to come")
  local queue = self.data.queue
  self.data.number = self.data.number + 1
  local entry = { at = self.data.now + delay, number = self.data.number, handler = handler, args = args }
  local index = #queue + 1
  queue[index] = entry
  while index > 1 do -- a binary heap, earliest first
    local parent = index // 2
    if not earlier(queue[index], queue[parent]) then
      break
    end
    queue[index], queue[parent] = queue[parent], queue[index]
    index = parent
  end
  return entry.number
end

--- Takes back an entry that has not come up. Unknown numbers are ignored.
function world:cancel(number)
  for _, entry in ipairs(self.data.queue) do
    if entry.number == number then
      entry.handler = nil
    end
  end
end

local function take_first(queue)
  local first, last = queue[1], table.remove(queue)
  if first ~= last then
    queue[1] = last
    local index, count = 1, #queue
    while true do
      local child = 2 * index
      if child > count then
        break
      end
      if child < count and earlier(queue[child + 1], queue[child]) then
        child = child + 1
      end
      if not earlier(queue[child], queue[index]) then
        break
      end
      queue[index], queue[child] = queue[child], queue[index]
      index = child
    end
  end
  return first
end

--- When the next thing happens, or nil when nothing is to come.
function world:next_event()
  local queue = self.data.queue
  while queue[1] and not queue[1].handler do
    take_first(queue)
  end
  return queue[1] and queue[1].at
end

--- Moves the clock to `time`, doing everything that comes up on the way, in order.
function world:advance_to(time)
  local data = self.data
  while true do
    local at = self:next_event()
    if not at or at > time then
      break
    end
    local entry = take_first(data.queue)
    data.now = math.max(data.now, entry.at)
    local service, name = entry.handler:match("^([%w_]+)%.([%w_]+)$")
    self.services[service].handlers[name](self, entry.args)
  end
  data.now = math.max(data.now, time)
end

-- ---- chance and names ----------------------------------------------------------------------------

-- SplitMix-like mixing on 64-bit integers: the state is one number, so it can be saved.
local function next_random(data)
  data.random = data.random + 0x9e3779b97f4a7c15
  local z = data.random
  z = (z ~ (z >> 30)) * 0xbf58476d1ce4e5b9
  z = (z ~ (z >> 27)) * 0x94d049bb133111eb
  return z ~ (z >> 31)
end

--- A number in [0, 1), or with arguments an integer in [low, high].
function world:random(low, high)
  local unit = (next_random(self.data) >> 11) / (1 << 53)
  if not low then
    return unit
  end
  return low + math.floor(unit * (high - low + 1))
end

--- Spreads a duration: `seconds` give or take `part` of it (0.1 when not said).
function world:about(seconds, part)
  return seconds * (1 + (self:random() * 2 - 1) * (part or 0.1))
end

--- `count` characters of an alphabet; hex digits when none is given.
function world:id(count, alphabet)
  alphabet = alphabet or "0123456789abcdef"
  local out = {}
  for index = 1, count do
    local at = self:random(1, #alphabet)
    out[index] = alphabet:sub(at, at)
  end
  return table.concat(out)
end

function world:uuid()
  return ("%s-%s-4%s-%s%s-%s"):format(
    self:id(8), self:id(4), self:id(3), self:id(1, "89ab"), self:id(3), self:id(12))
end

--- "arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE"
function world:arn(service, resource)
  return ("arn:aws:%s:%s:%s:%s"):format(service, self.data.region, self.data.account, resource)
end

-- ---- state ---------------------------------------------------------------------------------------

--- A service's own state, a table of plain data.
function world:state(service)
  return self.data.state[service]
end

-- ---- answering -----------------------------------------------------------------------------------

--- Ends the operation with an error of the service. `more`: {status = HTTP status, fields = {...}}.
function world:fail(code, message, more)
  error({ sim_failure = true, code = code, message = message, status = more and more.status, fields = more and more.fields }, 0)
end

--- Cuts one page out of a list: returns the page and the token of the next one (nil at the end).
-- Tokens are opaque to clients; a token that is not one of ours ends the operation with `bad_token`.
function world:page(list, token, size, bad_token)
  local first = 1
  if token and token ~= "" then
    first = tonumber(token:match("^page%-(%d+)$"))
    if not first or first > #list + 1 then
      self:fail(bad_token or "InvalidParameterException", "The specified token is not valid.")
    end
  end
  local page = table.move(list, first, math.min(first + size - 1, #list), 1, {})
  local after = first + size
  return page, after <= #list and ("page-%d"):format(after) or nil
end

local function answer(self, service, operation, input, caller)
  local known = self.services[service]
  local run = known and known.operations[operation]
  if not run then
    return { error = {
      code = "NotSimulated", status = 501,
      message = ("The simulator does not have %s.%s."):format(service, operation),
    } }
  end
  self.data.calls = self.data.calls + 1
  local past = self.faults.past(self, service, operation, caller)
  local present = self.data.state[service]
  if past then -- a read that lags
    self.data.state[service] = past
  end
  local ok, result, raw = pcall(run, self, input, caller)
  if past then
    self.data.state[service] = present
  end
  if ok then
    return { output = result or {}, raw = raw }
  elseif type(result) == "table" and result.sim_failure then
    return { error = { code = result.code, message = result.message, status = result.status, fields = result.fields } }
  end
  error(result, 0)
end

--- Does one operation. Returns {output = ...} or {error = {code, message, status?, fields?}}; a defect
-- of the simulator itself is raised. `caller`: {access_key, arn, request_id}. What the faults do to
-- the way back comes beside it: `latency` in seconds, `truncate` in bytes; or stands alone:
-- {reset = true}, {raw = {status, body}}. `date` is what the service takes for the time, when its clock
-- is wrong.
function world:call(service, operation, input, caller)
  local fault = self.faults.before(self, service, operation, input, caller)
  local result
  if fault and fault.code then
    result = { error = fault }
  elseif fault and fault.reset then
    result = { reset = true }
  elseif fault and fault.status then
    result = { raw = { status = fault.status, body = fault.body or "" } }
  else
    result = answer(self, service, operation, input, caller)
    result.truncate = fault and fault.truncate
    if result.output and fault and fault.changes then
      result.output = self.faults.changed(result.output, fault.changes)
    end
  end
  result.latency = fault and fault.latency
  result.date = fault and fault.date
  journal.record(self, service, operation, input, result, caller)
  return result
end

-- ---- making one ----------------------------------------------------------------------------------

local names = {
  "faults", "journal", "ecs", "elbv2", "ecr", "cloudwatch", "logs", "ssm", "secretsmanager", "sts",
  "application_autoscaling", "cloudformation", "s3", "iam", "ec2", "wafv2", "app",
}

--- Makes a world. `options`: {seed, now, account, region}; `saved`: what world:save gave.
local function new(options, saved)
  local self = setmetatable({ services = {}, names = names }, world)
  self.data = saved or {
    now = options.now or 1767225600, -- 2026-01-01 00:00:00 UTC
    random = options.seed or 1,
    account = options.account or "123456789012",
    region = options.region or "eu-west-1",
    queue = {}, number = 0, calls = 0, state = {},
  }
  for _, name in ipairs(names) do
    local module = require("sim." .. name)
    self.services[name] = module
    if not self.data.state[name] then
      self.data.state[name] = {}
      if module.init then
        module.init(self, self.data.state[name])
      end
    end
  end
  self.faults = require "sim.faults"
  return self
end

--- All of the world as plain data, for a file.
function world:save()
  return self.data
end

return { new = new }

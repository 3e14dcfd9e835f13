--- Whatever a client may send, the simulated services answer or refuse it; none of them breaks. And what
-- they answer fits the models.

local t = dofile "tests/sim/harness.lua"
local model = dofile "tests/sim/model.lua"
local control = require "sim.control"
local util = require "sim.util"

local rounds = 60 -- of each operation, per seed

-- Chance of the test's own: it must not move the world's.
local function chance(seed)
  local state = seed * 2654435761 + 1
  return function(low, high)
    state = (state * 6364136223846793005 + 1442695040888963407) & 0x7fffffffffffffff
    return low + (state >> 20) % (high - low + 1)
  end
end

-- Texts that occur in a world: names, ARNs, ids, and ones that mean something to a parser.
local function collect(value, into, seen)
  if type(value) == "string" then
    if #value < 200 and not seen[value] then
      seen[value] = true
      into[#into + 1] = value
    end
  elseif type(value) == "table" then
    for key, item in util.sorted_pairs(value) do
      collect(key, into, seen)
      collect(item, into, seen)
    end
  end
end

local odd = {
  "", "x", "*", "/", ":", "a:b", "a/b", "%", "%d", "[", "{", "}", "{}", "[]", "null", "-1", "0", "1e9", "10.0.0.9",
  "arn:aws:ecs:eu-west-1:123456789012:service/a/b", "arn:", "sha256:00", "page-1", "page-99", "true", "200-299",
  "aistudio-dev", "/ecs/aistudio-dev", "forward", "path-pattern", "Sum", "AWS/ECS", "RUNNING", "STOPPED", "FARGATE",
  "default", "ACTIVE", "latest", "\u{e9}\u{4e2d}", ("x"):rep(300),
}

local function options_for(world, seed)
  local random = chance(seed)
  local texts, seen = {}, {}
  collect(world:save().state, texts, seen)
  return {
    random = random, depth = 4, optional = 40,
    text = function()
      if random(1, 3) == 1 then
        return odd[random(1, #odd)]
      end
      return texts[random(1, #texts)]
    end,
  }
end

-- Calls an operation a number of times with anything; gives what broke, with its input.
local function try(world, service, operation, options)
  for _ = 1, rounds do
    local input = model.input(service, operation, options)
    local ok, problem = pcall(world.call, world, service, operation, util.copy(input), t.caller)
    if not ok then
      return ("%s.%s %s: %s"):format(service, operation, t.show(input),
        type(problem) == "table" and t.show(problem) or tostring(problem))
    end
  end
end

local services = {
  "application_autoscaling", "cloudformation", "cloudwatch", "ec2", "ecr", "ecs", "elbv2", "iam", "logs", "s3",
  "secretsmanager", "ssm", "sts", "wafv2",
}

for _, service in ipairs(services) do
  t.test(service .. " answers or refuses anything", function()
    local broken = {}
    for seed = 1, 3 do
      local world = t.world { seed = seed }
      control.service(world, { app = "aistudio", alarms = true, secrets = { TOKEN = "aistudio/token" } })
      local options = options_for(world, seed)
      for operation in util.sorted_pairs(require("sim." .. service).operations) do
        broken[#broken + 1] = try(world, service, operation, options)
      end
      local ok, problem = pcall(t.advance, world, 900)
      if not ok then
        broken[#broken + 1] = "afterwards: " .. (type(problem) == "table" and t.show(problem) or tostring(problem))
      end
    end
    t.equal(broken, {})
  end)
end

t.finish()

-- Goes back to what really ran, from ECS's own history of service deployments: never "revision minus one",
-- never to what somebody else registered, never forth and back between two. See moonbook.rollback.

local guess = require "moonbook.rollback.guess"
local rollback = require "moonbook.rollback"

local runbook = {}

local function options_of(run, args)
  local options = { run = run.id, guess = guess.target }
  for name, value in pairs(args) do
    options[name] = value
  end
  return options
end

function runbook.plan(run, args)
  return rollback.plan(options_of(run, args))
end

function runbook.apply(run, args, plan)
  return rollback.apply(options_of(run, args), plan)
end

function runbook.verify(run, args, plan, applied)
  return rollback.verify(options_of(run, args), applied)
end

return runbook

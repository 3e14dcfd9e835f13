--- When the service scheduler looks at a service next. At most one pass is planned per service: the
-- earliest that anything asked for.

local durations = require "sim.facts.durations"

local wake = {}

--- Plans a pass in `delay` seconds unless one comes earlier.
function wake.after(world, service, delay)
  local at = world:now() + delay
  if service.next_pass and service.next_pass <= at then
    return
  end
  local state = world:state("ecs")
  state.passes = state.passes + 1
  service.next_pass, service.pass_number = at, state.passes
  world:after(delay, "ecs.pass", { service = service.key, number = state.passes })
end

--- Plans a pass after a duration of the facts.
function wake.in_about(world, service, name)
  wake.after(world, service, durations.take(world, name))
end

--- The service of a planned pass, or nil when the plan has changed since.
function wake.due(world, args)
  local service = world:state("ecs").services[args.service]
  if not service or service.pass_number ~= args.number then
    return nil
  end
  service.next_pass, service.pass_number = nil, nil
  return service
end

return wake

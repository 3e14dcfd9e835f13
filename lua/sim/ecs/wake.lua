--- When the service scheduler looks at a service next. At most one pass is planned per service: the
-- earliest that anything asked for.

local durations = require "sim.facts.durations"

local wake = {}

--- Plans a pass in `delay` seconds unless one comes earlier.
function wake.after(world, service, delay)
  local at = math.max(world:now() + delay, service.quiet_until or 0)
  if service.next_pass and service.next_pass <= at then
    return
  end
  local state = world:state("ecs")
  state.passes = state.passes + 1
  service.next_pass, service.pass_number = at, state.passes
  world:after(at - world:now(), "ecs.pass", { service = service.key, number = state.passes })
end

--- Plans a pass after a duration of the facts.
function wake.in_about(world, service, name)
  wake.after(world, service, durations.take(world, name))
end

--- Gives up the pass that is planned: the next one comes after a duration of the facts, and none before.
function wake.only_in(world, service, name)
  service.next_pass, service.pass_number = nil, nil
  local delay = durations.take(world, name)
  service.quiet_until = world:now() + delay
  wake.after(world, service, delay)
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

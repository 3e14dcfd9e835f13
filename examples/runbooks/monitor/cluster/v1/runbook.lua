local services = require "moonbook.services"

local runbook = {}

-- verify() may only read. It makes checks; a failed one fails the run.
function runbook.verify(run, args)
  -- all() follows every page of a listing.
  local arns = all(ecs.list_services, { cluster = args.cluster }).service_arns or {}

  -- DescribeServices takes ten at a time; each() asks for several tens at once.
  local tens = {}
  for index, arn in ipairs(arns) do
    local ten = math.ceil(index / 10)
    tens[ten] = tens[ten] or {}
    table.insert(tens[ten], arn)
  end
  local answers = each(tens, function(ten)
    return ecs.describe_services { cluster = args.cluster, services = ten }.services
  end)

  local rows, short = {}, {}
  for _, answer in ipairs(answers) do
    for _, service in ipairs(answer) do
      rows[#rows + 1] = { service.service_name, service.status, services.counts(service) }
      if service.running_count < service.desired_count then
        short[#short + 1] = service.service_name
      end
    end
  end
  table_of({ "service", "status", "tasks" }, rows)
  check("every service has its tasks", #short == 0, table.concat(short, ", "))
  return { message = ("%d services in %s, %d short of tasks."):format(#rows, args.cluster, #short) }
end

return runbook

--- What could not be read but must be there for the service to run: subnets, groups, images, secrets. A read
-- that was denied does not mean that a thing is missing, so it is made up; one that AWS says is missing stays so.

local util = require "sim.util"
local walk = require "sim.recorded.walk"

local gaps = {}

-- ---- what was answered ---------------------------------------------------------------------------

-- Whether AWS itself said that the thing is not there.
local function says_missing(code)
  return code:find("NotFound", 1, true) ~= nil or code == "MISSING"
end

-- Whether an operation was denied; with `what`, for this thing.
local function denied(file, operation, what)
  for _, missing in ipairs(file.not_read or {}) do
    if missing.operation == operation and (not what or missing.what == what) and not says_missing(missing.code) then
      return true
    end
  end
  return false
end

-- ---- the network ---------------------------------------------------------------------------------

local function address_in(file, subnet_id)
  for _, task in ipairs(file.ecs.tasks or {}) do
    local said = walk.attached(task)
    if said.subnetId == subnet_id then
      return said.privateIPv4Address
    end
  end
end

local function vpc_of(file)
  local group = ((file.elbv2 or {}).target_groups or {})[1] or {}
  local subnet = ((file.ec2 or {}).subnets or {})[1] or {}
  return subnet.vpc_id or group.vpc_id
end

--- Subnets and groups that services, revisions and load balancers name.
function gaps.network(world, file)
  local adopt, vpc_id = require "sim.ec2.adopt", vpc_of(file)
  local function needed(vpc)
    for _, id in ipairs(vpc.subnets or {}) do
      adopt.need_subnet(world, id, vpc_id, address_in(file, id))
    end
    for _, id in ipairs(vpc.security_groups or {}) do
      adopt.need_group(world, id, vpc_id)
    end
  end
  for _, list in ipairs { file.ecs.services, file.ecs.service_revisions or {} } do
    for _, thing in ipairs(list) do
      needed((thing.network_configuration or {}).awsvpc_configuration or {})
    end
  end
  for _, balancer in ipairs((file.elbv2 or {}).load_balancers or {}) do
    needed { security_groups = balancer.security_groups }
  end
end

-- ---- load balancing ------------------------------------------------------------------------------

-- The addresses of the tasks that a target group of the service sends requests to.
local function targets_of(file, service, port)
  local out = {}
  for _, task in ipairs(file.ecs.tasks or {}) do
    local address = walk.attached(task).privateIPv4Address
    if address and task.last_status == "RUNNING" and task.group == "service:" .. service.service_name then
      out[#out + 1] = { target = { id = address, port = port }, target_health = { state = "healthy" } }
    end
  end
  return out
end

--- Target groups of services that were denied, and load balancers in front of those that were.
function gaps.balancing(world, file)
  local adopt = require "sim.elbv2.adopt_gaps"
  for _, service in ipairs(file.ecs.services) do
    for _, balancer in ipairs(service.load_balancers or {}) do
      local arn = balancer.target_group_arn
      if arn and denied(file, "elbv2.describe_target_groups", "target group " .. arn) then
        adopt.group(world, arn, { port = balancer.container_port, vpc_id = vpc_of(file) })
      end
      if arn and (denied(file, "elbv2.describe_target_health", "target health of " .. arn)
        or denied(file, "elbv2.describe_target_groups", "target group " .. arn)) then
        adopt.targets(world, arn, targets_of(file, service, balancer.container_port))
      end
      if arn then
        adopt.in_use(world, arn)
      end
    end
  end
end

-- ---- images --------------------------------------------------------------------------------------

local ecr_reads = { "ecr.describe_repositories", "ecr.describe_images", "ecr.batch_get_image" }

-- {name, tag, digest} of an image of the account's own registry, or nil. `digest`: what its tag was seen to mean.
local function own_image(file, image, digest)
  local prefix = ("%s.dkr.ecr.%s.amazonaws.com/"):format(file.account, file.region)
  if not image or image:sub(1, #prefix) ~= prefix then
    return nil
  end
  local rest, pinned = image:sub(#prefix + 1):match("^([^@]+)@?(.*)$")
  local name, tag = rest:match("^(.*):([^/:]+)$")
  return {
    name = name or rest, tag = tag or pinned == "" and "latest" or nil, digest = pinned ~= "" and pinned or digest,
  }
end

-- An image of which only the name is known: any digest will do.
local function make_up(world, file, definition, container)
  local image = own_image(file, container.image)
  local known = not image or require("sim.ecr").resolve(world, container.image)
  if not known and image.tag then
    local wanted = (definition.runtime_platform or {}).cpu_architecture
    require("sim.ecr").add_image(world, {
      repository = image.name, tag = image.tag, platforms = { wanted == "ARM64" and "linux/arm64" or "linux/amd64" },
    })
  end
end

--- Images of repositories that were denied: as the tasks that run them know them, else by their names.
function gaps.images(world, file, platforms)
  local any = false
  for _, operation in ipairs(ecr_reads) do
    any = any or denied(file, operation)
  end
  if not any then
    return
  end
  walk.images(file, function(container) -- the oldest first: a tag means what it meant last
    local image = own_image(file, container.image, container.image_digest)
    if image and image.digest then
      require("sim.ecr.adopt_gaps")(world, image, platforms[image.digest])
    end
  end)
  walk.containers(file, function(container, definition)
    make_up(world, file, definition, container)
  end)
end

-- ---- names ---------------------------------------------------------------------------------------

local function add_log_groups(world, file)
  local groups = {}
  walk.containers(file, function(container)
    local log = container.log_configuration or {}
    local name = log.log_driver == "awslogs" and (log.options or {})["awslogs-group"]
    if name and denied(file, "logs.describe_log_groups", "log group " .. name)
      and not require("sim.logs").exists(world, name) then
      groups[#groups + 1] = { log_group_name = name }
    end
  end)
  for _, group in ipairs(groups) do
    if not require("sim.logs").exists(world, group.log_group_name) then
      require("sim.logs.adopt")(world, { log_groups = { group } })
    end
  end
end

local function secret_of(arn)
  return { arn = arn, name = arn:match(":secret:(.+)%-%w%w%w%w%w%w$") or arn:match(":secret:(.+)$"),
    version_ids_to_stages = { ["00000000-0000-4000-8000-000000000000"] = { "AWSCURRENT" } } }
end

-- The name of a parameter that is named by itself or by its ARN.
local function parameter_of(source)
  local path = source:match(":parameter/(.+)$")
  return { name = path and "/" .. path or source, type = "SecureString" }
end

local function add_secret(world, file, source)
  local arn = source:match("^(arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:[^:]+)")
  if arn then
    local unknown = denied(file, "secretsmanager.describe_secret", "secret " .. arn)
      and require("sim.secretsmanager").read(world, arn) == nil
    return unknown and require("sim.secretsmanager.adopt")(world, { secrets = { secret_of(arn) } })
  end
  if denied(file, "ssm.describe_parameters") and require("sim.ssm").read(world, source) == nil then
    require("sim.ssm.adopt")(world, { parameters = { parameter_of(source) } })
  end
end

--- The values of parameters that follow from what else was recorded, by name.
function gaps.parameter_values(file)
  local balancer = ((file.elbv2 or {}).load_balancers or {})[1] or {}
  local repository = ((file.ecr or {}).repositories or {})[1] or {}
  local known, out = { load_balancer = balancer.dns_name, repository = repository.repository_uri }, {}
  for name, what in pairs((file.ssm or {}).stand_for or {}) do
    out[name] = known[what]
  end
  return out
end

local function add_settings_parameters(world, file)
  local values = gaps.parameter_values(file)
  for name in util.sorted_pairs((file.ssm or {}).stand_for or {}) do
    if denied(file, "ssm.describe_parameters") then
      require("sim.ssm.adopt")(world, { parameters = { { name = name } } }, values)
    end
  end
end

--- Log groups, secrets and parameters that containers or the project's settings name and whose reads were denied.
function gaps.names(world, file)
  add_log_groups(world, file)
  add_settings_parameters(world, file)
  walk.containers(file, function(container)
    local log = container.log_configuration or {}
    for _, list in ipairs { container.secrets or {}, log.secret_options or {} } do
      for _, secret in ipairs(list) do
        add_secret(world, file, secret.value_from)
      end
    end
  end)
end

return gaps

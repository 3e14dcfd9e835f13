--- Secrets, parameters and roles that task definitions name: that they are there, never what they hold.

local lists = require "lib.lists"

local names = {}

-- "arn:...:secret:NAME-AbCdEf:json-key:stage:version" without what selects a part of it; nil for a parameter.
local function secret_arn(text)
  return text:match("^(arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:[^:]+)")
end

local function each_container(world, visit)
  for _, found in ipairs(world.task_definitions) do
    for _, container in ipairs(found.task_definition.container_definitions or {}) do
      visit(container)
    end
  end
end

-- Where each secret of the containers comes from.
local function sources_of(world)
  local out, add = lists.set()
  each_container(world, function(container)
    for _, secret in ipairs(container.secrets or {}) do
      add(secret.value_from)
    end
    for _, secret in ipairs((container.log_configuration or {}).secret_options or {}) do
      add(secret.value_from)
    end
  end)
  return out
end

--- {secrets}: what DescribeSecret says of each.
function names.secrets(reader, world)
  local arns, add = lists.set()
  for _, source in ipairs(sources_of(world)) do
    add(secret_arn(source))
  end
  local out = {}
  local answers = each(arns, function(arn)
    return reader:read("secret " .. arn, secretsmanager.describe_secret, { secret_id = arn }) or false
  end)
  for _, answer in ipairs(answers) do
    out[#out + 1] = answer or nil
  end
  return { secrets = out }
end

-- The ARN of "db" and that of "/db" are the same, so both are asked for.
local function add_parameter(add, source)
  local path = source:match("^arn:[^:]*:ssm:[^:]*:[^:]*:parameter/(.+)$")
  if path then
    add("/" .. path)
    add(not path:find("/", 1, true) and path or nil)
  else
    add(source)
  end
end

--- {parameters, stand_for}: what DescribeParameters says of those of the containers, and of those that the
-- project's settings name (`args`); of these, what their values are, which are not read: the simulator puts the
-- recorded load balancer's and repository's there.
function names.parameters(reader, world, args)
  local wanted, add = lists.set()
  for _, source in ipairs(sources_of(world)) do
    if not secret_arn(source) then
      add_parameter(add, source)
    end
  end
  add(args.alb_dns_parameter)
  add(args.repository_uri_parameter)
  local out = {}
  each(lists.parts(wanted, 50), function(part)
    local answer = reader:all("parameters", ssm.describe_parameters, {
      parameter_filters = { { key = "Name", option = "Equals", values = part } },
    })
    for _, parameter in ipairs(answer.parameters or {}) do
      out[#out + 1] = parameter
    end
  end)
  local stand_for = {}
  stand_for[args.alb_dns_parameter or ""] = "load_balancer"
  stand_for[args.repository_uri_parameter or ""] = "repository"
  stand_for[""] = nil
  return { parameters = out, stand_for = stand_for }
end

--- {roles, attached_policies by role}: the roles of the tasks.
function names.roles(reader, world)
  local wanted, add = lists.set()
  for _, found in ipairs(world.task_definitions) do
    for _, member in ipairs { "execution_role_arn", "task_role_arn" } do
      add((found.task_definition[member] or ""):match("([^/]+)$"))
    end
  end
  local out = { roles = {} }
  local function ask(name)
    return { role_name = name }
  end
  together {
    function()
      local answers = each(wanted, function(name)
        return reader:read("role " .. name, iam.get_role, ask(name)) or false
      end)
      for _, answer in ipairs(answers) do
        out.roles[#out.roles + 1] = answer and answer.role or nil
      end
    end,
    function()
      out.attached_policies = reader:gather_by(
        wanted, "attached_policies", "policies of role", iam.list_attached_role_policies, ask)
    end,
  }
  return out
end

return names

--- What the types of resources are: which there are, and what is done to one of a type.
--
-- A type is {required, replace, keep, create, update, delete, ready, gone}:
--
--     required                   properties that must be there
--     replace                    properties whose change needs a new resource: a set, or "all" but `keep`
--     create(world, given, about)  makes one; gives its physical id, its attributes, and a note for `ready`
--     update(world, resource, given, changed)  changes one in place; gives a note, and attributes
--     delete(world, resource)    takes it away
--     ready(world, resource, note), gone(world, resource)  whether that is done
--
-- `about` is {logical, stack, name(limit), short_name()}: names that CloudFormation makes up.

local facts = require "sim.facts.cloudformation"
local util = require "sim.util"

local types = {}
local known = {}

for _, part in ipairs {
  require "sim.cloudformation.types.ecs", require "sim.cloudformation.types.balancing",
  require "sim.cloudformation.types.access", require "sim.cloudformation.types.other",
} do
  for name, kind in util.sorted_pairs(part) do
    known[name] = kind
  end
end

-- ---- types that the simulator does not have ------------------------------------------------------

local prefixes = {
  ["AWS::EC2::RouteTable"] = "rtb-",
  ["AWS::EC2::InternetGateway"] = "igw-", ["AWS::EC2::NatGateway"] = "nat-", ["AWS::EC2::VPCEndpoint"] = "vpce-",
  ["AWS::EC2::SubnetRouteTableAssociation"] = "rtbassoc-", ["AWS::EC2::EIP"] = "eipalloc-",
}

local opaque = { replace = {} }

function opaque.create(world, given, about)
  local prefix = prefixes[about.type]
  if prefix then
    local id = prefix .. world:id(17)
    return id, { Id = id, [about.type:match("(%w+)$") .. "Id"] = id }
  end
  local service = about.type:match("^%w+::(%w+)::")
  local name = about.name(128)
  local arn = service and world:arn(service:lower(), ("%s/%s"):format(about.type:match("(%w+)$"):lower(), name))
  return name, { Arn = arn }
end

function opaque.update() end

function opaque.delete() end

--- What is done to resources of a type; the second result says that the simulator does not have it.
function types.of(name)
  return known[name] or opaque, known[name] == nil
end

--- For a resource of a type whose operations turn out to be missing.
types.opaque = opaque

-- ---- changes -------------------------------------------------------------------------------------

--- The properties that differ, as a set, and whether their change needs a new resource.
function types.difference(name, before, after)
  local kind, changed, replace, any = types.of(name), {}, false, false
  for _, pair in ipairs { { before, after }, { after, before } } do
    for key, value in util.sorted_pairs(pair[1]) do
      if not util.equal(value, pair[2][key]) and not changed[key] then
        changed[key], any = true, true
        local needs = kind.replace == "all" and not (kind.keep and kind.keep[key])
          or type(kind.replace) == "table" and kind.replace[key]
        replace = replace or needs or false
      end
    end
  end
  return any and changed or nil, replace
end

--- A required property that is not there, or nil.
function types.missing(name, given)
  for _, key in ipairs(types.of(name).required or {}) do
    if given[key] == nil then
      return key
    end
  end
end

-- What properties of these names are wherever they stand: lists of objects, lists of texts, objects.
local shapes = {
  objects = {
    "Actions", "CapacityProviderStrategy", "Certificates", "ClusterSettings", "Conditions", "ContainerDefinitions",
    "DefaultActions", "DependsOn", "Dimensions", "Environment", "LoadBalancerAttributes", "LoadBalancers", "Metrics",
    "MountPoints", "Policies", "PortMappings", "Secrets", "SecurityGroupEgress", "SecurityGroupIngress",
    "ServiceRegistries", "SubnetMappings", "Tags", "TargetGroupAttributes", "TargetGroups", "Targets", "Volumes",
  },
  texts = {
    "AlarmActions", "AlarmNames", "CapacityProviders", "Command", "EntryPoint", "InsufficientDataActions",
    "ManagedPolicyArns", "OKActions", "RequiresCompatibilities", "Roles", "SecurityGroups", "Subnets",
  },
  object = {
    "Alarms", "AwsvpcConfiguration", "BucketEncryption", "DeploymentCircuitBreaker", "DeploymentConfiguration",
    "FixedResponseConfig", "ForwardConfig", "GenerateSecretString", "HealthCheck", "HostHeaderConfig", "LifecyclePolicy",
    "LogConfiguration", "Matcher", "NetworkConfiguration", "Options", "PathPatternConfig",
    "PredefinedMetricSpecification", "PublicAccessBlockConfiguration", "RedirectConfig", "RuntimePlatform",
    "TargetTrackingScalingPolicyConfiguration", "VersioningConfiguration",
  },
}
-- And these are one text or number.
shapes.scalar = {
  "AlarmName", "Bucket", "BucketName", "CidrIp", "Cluster", "ClusterName", "ComparisonOperator", "ContainerName",
  "ContainerPort", "Cpu", "DesiredCount", "EvaluationPeriods", "ExecutionRoleArn", "Family", "FromPort", "GroupDescription",
  "GroupId", "GroupName", "HealthCheckPath", "Image", "IpProtocol", "Key", "LaunchType", "ListenerArn", "LoadBalancerArn",
  "LogGroupName", "MaxCapacity", "Memory", "MetricName", "MinCapacity", "Name", "Namespace", "NetworkMode", "Path", "Period",
  "PolicyArn", "PolicyName", "PolicyType", "Port", "Priority", "Protocol", "RepositoryName", "ResourceId", "RetentionInDays",
  "RoleName", "ScalableDimension", "ScalingTargetId", "SecretString", "ServiceName", "ServiceNamespace", "Statistic",
  "TargetGroupArn", "TargetType", "TargetValue", "TaskDefinition", "TaskRoleArn", "Threshold", "ToPort", "TreatMissingData",
  "Unit", "Value", "ValueFrom", "VpcId",
}
local shape_of = {}
for shape, names in util.sorted_pairs(shapes) do
  for _, name in ipairs(names) do
    shape_of[name] = shape
  end
end

local found_words = { string = "String", number = "Integer", boolean = "Boolean", table = "JSONObject" }

-- Whether a list (or what should be one) holds only values of one kind; a text that should be a list is none.
local function misfit(value, shape, path)
  if shape == "scalar" then
    local found = type(value) == "table" and (#value > 0 and "JSONArray" or "JSONObject")
    return found and ("%s: expected type: String, found: %s"):format(path, found) or nil
  elseif type(value) ~= "table" or shape == "object" and #value > 0 then
    local wanted = shape == "object" and "JSONObject" or "JSONArray"
    return ("%s: expected type: %s, found: %s"):format(path, wanted,
      type(value) == "table" and "JSONArray" or found_words[type(value)])
  elseif shape == "object" then
    return nil
  elseif #value == 0 and next(value) ~= nil then
    return ("%s: expected type: JSONArray, found: JSONObject"):format(path)
  end
  for index, item in ipairs(value) do
    if (type(item) == "table") ~= (shape == "objects") then
      return ("%s/%d: expected type: %s, found: %s"):format(path, index - 1,
        shape == "objects" and "JSONObject" or "String", found_words[type(item)])
    end
  end
end

--- What is wrong with the kinds of some properties, in CloudFormation's words, or nil.
function types.misshaped(given, path)
  path = path or "#"
  for key, value in util.sorted_pairs(given) do
    local own = ("%s/%s"):format(path, tostring(type(key) == "number" and key - 1 or key))
    local problem = shape_of[key] and misfit(value, shape_of[key], own)
      or type(value) == "table" and types.misshaped(value, own)
    if problem then
      return problem
    end
  end
end

--- How long a step of a resource takes: "create", "update" or "delete".
function types.seconds(name, step)
  local entry = facts.seconds[name]
  local index = ({ create = 1, update = 2, delete = 3 })[step]
  return entry and entry[index] or facts.durations.opaque
end

-- ---- names ---------------------------------------------------------------------------------------

local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
local mixed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

--- What a type may know when it makes a resource.
function types.about(world, stack, logical, name)
  return {
    logical = logical, stack = stack.name, type = name,
    name = function(limit) -- STACK-LOGICAL-RANDOM
      local text = ("%s-%s"):format(stack.name, logical):sub(1, limit - 13)
      return ("%s-%s"):format(text, world:id(12, mixed))
    end,
    short_name = function() -- at most 32 characters, five of each name
      return ("%s-%s-%s"):format(stack.name:sub(1, 5):gsub("%-+$", ""), logical:sub(1, 5), world:id(12, letters))
    end,
  }
end

return types

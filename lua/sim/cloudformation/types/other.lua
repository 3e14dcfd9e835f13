--- Resources of the other services: log groups, repositories, scaling, alarms, dashboards, buckets, the network.

local ask = require "sim.cloudformation.ask"
local properties = require "sim.cloudformation.properties"

local call, document = ask.call, properties.document
local types = {}

local function tag_map(list)
  local out = {}
  for _, tag in ipairs(list or {}) do
    out[tag.Key] = tostring(tag.Value)
  end
  return next(out) ~= nil and out or nil
end

-- ---- logs ----------------------------------------------------------------------------------------

local log_group = { replace = { LogGroupName = true } }
types["AWS::Logs::LogGroup"] = log_group

local function set_retention(world, name, days)
  if days then
    call(world, "logs", "put_retention_policy", { log_group_name = name, retention_in_days = tonumber(days) })
  else
    call(world, "logs", "delete_retention_policy", { log_group_name = name })
  end
end

function log_group.create(world, given, about)
  local name = given.LogGroupName or about.name(512)
  call(world, "logs", "create_log_group", {
    log_group_name = name, kms_key_id = given.KmsKeyId, log_group_class = given.LogGroupClass, tags = tag_map(given.Tags),
  })
  if given.RetentionInDays then
    set_retention(world, name, given.RetentionInDays)
  end
  return name, { Arn = world:arn("logs", ("log-group:%s:*"):format(name)) }
end

function log_group.update(world, resource, given)
  set_retention(world, resource.physical, given.RetentionInDays)
end

function log_group.delete(world, resource)
  ask.remove(world, "logs", "delete_log_group", { log_group_name = resource.physical })
end

-- ---- images --------------------------------------------------------------------------------------

local repository = { replace = { RepositoryName = true, EncryptionConfiguration = true } }
types["AWS::ECR::Repository"] = repository

local function set_policies(world, name, given)
  local lifecycle = given.LifecyclePolicy and given.LifecyclePolicy.LifecyclePolicyText
  if lifecycle then
    call(world, "ecr", "put_lifecycle_policy", { repository_name = name, lifecycle_policy_text = lifecycle })
  end
  if given.RepositoryPolicyText then
    call(world, "ecr", "set_repository_policy", {
      repository_name = name, policy_text = document(given.RepositoryPolicyText),
    })
  end
end

function repository.create(world, given, about)
  local input = properties.pick(properties.input(given), {
    "image_tag_mutability", "image_scanning_configuration", "encryption_configuration", "tags",
  })
  input.repository_name = given.RepositoryName or about.name(256):lower()
  local made = call(world, "ecr", "create_repository", input).repository
  set_policies(world, made.repository_name, given)
  return made.repository_name, { Arn = made.repository_arn, RepositoryUri = made.repository_uri }
end

function repository.update(world, resource, given, changed)
  if changed.ImageTagMutability then
    call(world, "ecr", "put_image_tag_mutability", {
      repository_name = resource.physical, image_tag_mutability = given.ImageTagMutability or "MUTABLE",
    })
  end
  if changed.ImageScanningConfiguration then
    call(world, "ecr", "put_image_scanning_configuration", {
      repository_name = resource.physical,
      image_scanning_configuration = properties.input(given.ImageScanningConfiguration) or { scan_on_push = false },
    })
  end
  set_policies(world, resource.physical, given)
end

function repository.delete(world, resource)
  ask.remove(world, "ecr", "delete_repository", {
    repository_name = resource.physical, force = resource.properties.EmptyOnDelete == true or nil,
  })
end

-- ---- scaling -------------------------------------------------------------------------------------

local target = {
  replace = { ResourceId = true, ScalableDimension = true, ServiceNamespace = true },
  required = { "MaxCapacity", "MinCapacity", "ResourceId", "ScalableDimension", "ServiceNamespace" },
}
types["AWS::ApplicationAutoScaling::ScalableTarget"] = target

local function target_input(given)
  local input = properties.input(given, { RoleARN = "role_arn" })
  input.scheduled_actions, input.tags = nil, tag_map(given.Tags)
  return input
end

function target.create(world, given)
  call(world, "application_autoscaling", "register_scalable_target", target_input(given))
  local id = ("%s|%s|%s"):format(given.ResourceId, given.ScalableDimension, given.ServiceNamespace)
  return id, { Id = id }
end

function target.update(world, _, given)
  call(world, "application_autoscaling", "register_scalable_target", target_input(given))
end

local function target_names(id)
  local resource, dimension, namespace = id:match("^(.-)|(.-)|(.-)$")
  return { resource_id = resource, scalable_dimension = dimension, service_namespace = namespace }
end

function target.delete(world, resource)
  ask.remove(world, "application_autoscaling", "deregister_scalable_target", target_names(resource.physical))
end

local policy = {
  replace = {
    PolicyName = true, ScalingTargetId = true, ResourceId = true, ScalableDimension = true, ServiceNamespace = true,
  },
  required = { "PolicyName", "PolicyType" },
}
types["AWS::ApplicationAutoScaling::ScalingPolicy"] = policy

local function policy_input(given)
  local input = properties.input(given)
  if given.ScalingTargetId then
    for name, value in pairs(target_names(given.ScalingTargetId)) do
      input[name] = value
    end
    input.scaling_target_id = nil
  end
  return input
end

function policy.create(world, given)
  local made = call(world, "application_autoscaling", "put_scaling_policy", policy_input(given))
  return made.policy_arn, { Arn = made.policy_arn }
end

function policy.update(world, _, given)
  call(world, "application_autoscaling", "put_scaling_policy", policy_input(given))
end

function policy.delete(world, resource)
  local input = properties.pick(policy_input(resource.properties), {
    "policy_name", "service_namespace", "resource_id", "scalable_dimension",
  })
  ask.remove(world, "application_autoscaling", "delete_scaling_policy", input)
end

-- ---- watching ------------------------------------------------------------------------------------

local alarm = { replace = { AlarmName = true }, required = { "ComparisonOperator", "EvaluationPeriods" } }
types["AWS::CloudWatch::Alarm"] = alarm

local function put_alarm(world, name, given)
  local input = properties.input(given)
  input.alarm_name = name
  call(world, "cloudwatch", "put_metric_alarm", input)
end

function alarm.create(world, given, about)
  local name = given.AlarmName or about.name(255)
  put_alarm(world, name, given)
  return name, { Arn = world:arn("cloudwatch", "alarm:" .. name) }
end

function alarm.update(world, resource, given)
  put_alarm(world, resource.physical, given)
end

function alarm.delete(world, resource)
  ask.remove(world, "cloudwatch", "delete_alarms", { alarm_names = { resource.physical } })
end

local dashboard = { replace = { DashboardName = true }, required = { "DashboardBody" } }
types["AWS::CloudWatch::Dashboard"] = dashboard

local function put_dashboard(world, name, given)
  call(world, "cloudwatch", "put_dashboard", { dashboard_name = name, dashboard_body = document(given.DashboardBody) })
  return name, {}
end

function dashboard.create(world, given, about)
  return put_dashboard(world, given.DashboardName or about.name(255), given)
end

function dashboard.update(world, resource, given)
  put_dashboard(world, resource.physical, given)
end

function dashboard.delete(world, resource)
  ask.remove(world, "cloudwatch", "delete_dashboards", { dashboard_names = { resource.physical } })
end

-- ---- buckets -------------------------------------------------------------------------------------

local bucket = { replace = { BucketName = true } }
types["AWS::S3::Bucket"] = bucket

local function configure(world, name, given)
  if given.VersioningConfiguration then
    call(world, "s3", "put_bucket_versioning", {
      bucket = name, versioning_configuration = { status = given.VersioningConfiguration.Status },
    })
  end
  local encryption = given.BucketEncryption and given.BucketEncryption.ServerSideEncryptionConfiguration
  if encryption then
    local rules = properties.input(encryption, nil)
    for _, rule in ipairs(rules) do
      rule.apply_server_side_encryption_by_default = rule.server_side_encryption_by_default
      rule.server_side_encryption_by_default = nil
    end
    call(world, "s3", "put_bucket_encryption", { bucket = name, server_side_encryption_configuration = { rules = rules } })
  end
  if given.PublicAccessBlockConfiguration then
    call(world, "s3", "put_public_access_block", {
      bucket = name, public_access_block_configuration = properties.input(given.PublicAccessBlockConfiguration),
    })
  end
end

function bucket.create(world, given, about)
  local name, region = given.BucketName or about.name(63):lower(), world.data.region
  call(world, "s3", "create_bucket", {
    bucket = name, create_bucket_configuration = region ~= "us-east-1" and { location_constraint = region } or nil,
  })
  configure(world, name, given)
  return name, {
    Arn = "arn:aws:s3:::" .. name, DomainName = name .. ".s3.amazonaws.com",
    RegionalDomainName = ("%s.s3.%s.amazonaws.com"):format(name, region),
    WebsiteURL = ("http://%s.s3-website-%s.amazonaws.com"):format(name, region),
  }
end

function bucket.update(world, resource, given)
  configure(world, resource.physical, given)
end

function bucket.delete(world, resource)
  ask.remove(world, "s3", "delete_bucket", { bucket = resource.physical })
end

local bucket_policy = { replace = { Bucket = true }, required = { "Bucket", "PolicyDocument" } }
types["AWS::S3::BucketPolicy"] = bucket_policy

function bucket_policy.create(world, given)
  call(world, "s3", "put_bucket_policy", { bucket = given.Bucket, policy = document(given.PolicyDocument) })
  return given.Bucket, {}
end

function bucket_policy.update(world, _, given)
  bucket_policy.create(world, given)
end

function bucket_policy.delete(world, resource)
  ask.remove(world, "s3", "delete_bucket_policy", { bucket = resource.physical })
end

-- ---- the network ---------------------------------------------------------------------------------

local function check_block(text)
  if not require("sim.ec2").is_block(tostring(text)) then
    ask.fail(("Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block."):format(tostring(text))) -- K
  end
end

local function remove_network(world, resource)
  if not require("sim.ec2").remove(world, resource.physical) then
    ask.fail(("%s has dependencies and cannot be deleted."):format(resource.physical), "GeneralServiceException") -- K
  end
end

local vpc = { replace = { CidrBlock = true }, required = { "CidrBlock" }, delete = remove_network }
types["AWS::EC2::VPC"] = vpc

function vpc.create(world, given)
  check_block(given.CidrBlock)
  local ec2 = require "sim.ec2"
  local id = ec2.add_vpc(world, given.CidrBlock, tag_map(given.Tags))
  return id, {
    VpcId = id, CidrBlock = given.CidrBlock, DefaultSecurityGroup = ec2.default_group(world, id).group_id,
    CidrBlockAssociations = { ec2.vpc(world, id).cidr_block_association_set[1].association_id }, Ipv6CidrBlocks = {},
    DefaultNetworkAcl = "acl-" .. world:id(17),
  }
end

function vpc.update() end -- what can change in place is not simulated

local subnet = {
  replace = { CidrBlock = true, VpcId = true, AvailabilityZone = true }, required = { "CidrBlock", "VpcId" },
  delete = remove_network,
}
types["AWS::EC2::Subnet"] = subnet

function subnet.create(world, given)
  check_block(given.CidrBlock)
  local ec2 = require "sim.ec2"
  if not ec2.vpc(world, given.VpcId) then
    ask.fail(("The vpc ID '%s' does not exist"):format(tostring(given.VpcId)), "NotFound") -- K
  end
  local id = ec2.add_subnet(world, given.VpcId, given.CidrBlock, given.AvailabilityZone, tag_map(given.Tags))
  return id, {
    SubnetId = id, VpcId = given.VpcId, CidrBlock = given.CidrBlock, Ipv6CidrBlocks = {},
    AvailabilityZone = ec2.subnet(world, id).availability_zone, NetworkAclAssociationId = "aclassoc-" .. world:id(17),
  }
end

function subnet.update() end

local group = { replace = { GroupName = true, GroupDescription = true, VpcId = true }, required = { "GroupDescription" } }
types["AWS::EC2::SecurityGroup"] = group

local function permission_of(rule)
  local peer = rule.SourceSecurityGroupId or rule.DestinationSecurityGroupId
  local cidr = rule.CidrIp and { { cidr_ip = rule.CidrIp, description = rule.Description } } or nil
  local six = rule.CidrIpv6 and { { cidr_ipv6 = rule.CidrIpv6, description = rule.Description } } or nil
  return {
    ip_protocol = tostring(rule.IpProtocol), from_port = tonumber(rule.FromPort), to_port = tonumber(rule.ToPort),
    ip_ranges = cidr or {}, ipv6_ranges = six,
    user_id_group_pairs = peer and { { group_id = peer, description = rule.Description } } or {},
  }
end

local function permit(world, operation, id, rules)
  for _, rule in ipairs(rules or {}) do
    call(world, "ec2", operation, { group_id = id, ip_permissions = { permission_of(rule) } })
  end
end

local everything_out = { { IpProtocol = "-1", CidrIp = "0.0.0.0/0" } }

function group.create(world, given, about)
  local id = call(world, "ec2", "create_security_group", {
    group_name = given.GroupName or about.name(255), description = given.GroupDescription, vpc_id = given.VpcId,
    tag_specifications = given.Tags and { { resource_type = "security-group", tags = properties.input(given.Tags) } },
  }).group_id
  permit(world, "authorize_security_group_ingress", id, given.SecurityGroupIngress)
  if given.SecurityGroupEgress then
    permit(world, "revoke_security_group_egress", id, everything_out)
    permit(world, "authorize_security_group_egress", id, given.SecurityGroupEgress)
  end
  local found = call(world, "ec2", "describe_security_groups", { group_ids = { id } }).security_groups[1]
  return id, { GroupId = id, Id = id, VpcId = found.vpc_id }
end

function group.update(world, resource, given)
  local before = resource.properties
  permit(world, "revoke_security_group_ingress", resource.physical, before.SecurityGroupIngress)
  permit(world, "authorize_security_group_ingress", resource.physical, given.SecurityGroupIngress)
  permit(world, "revoke_security_group_egress", resource.physical, before.SecurityGroupEgress or everything_out)
  permit(world, "authorize_security_group_egress", resource.physical, given.SecurityGroupEgress or everything_out)
end

function group.delete(world, resource)
  ask.remove(world, "ec2", "delete_security_group", { group_id = resource.physical })
end

-- A rule of a group that is a resource of its own.
local function rule_type(direction)
  local rule = { replace = "all", required = { "IpProtocol" } }
  function rule.create(world, given)
    permit(world, "authorize_security_group_" .. direction, given.GroupId, { given })
    return "sgr-" .. world:id(17), {}
  end
  function rule.delete(world, resource)
    local given = resource.properties
    ask.remove(world, "ec2", "revoke_security_group_" .. direction, {
      group_id = given.GroupId, ip_permissions = { permission_of(given) },
    })
  end
  return rule
end

types["AWS::EC2::SecurityGroupIngress"] = rule_type("ingress")
types["AWS::EC2::SecurityGroupEgress"] = rule_type("egress")

return types

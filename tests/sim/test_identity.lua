--- Roles, sessions, and who a call comes from.

local t = dofile "tests/sim/harness.lua"
local faults = require "sim.faults"
local iam = require "sim.iam"

local trust = '{"Version":"2012-10-17"}'

local function refused(world, service, operation, input, caller)
  return function() return world:call(service, operation, input, caller or t.caller) end
end

local function role(world, name, more)
  local input = { role_name = name, assume_role_policy_document = trust }
  for key, value in pairs(more or {}) do
    input[key] = value
  end
  return t.call(world, "iam", "create_role", input).role
end

t.test("a role is shown with its document encoded", function()
  local world = t.world()
  local made = role(world, "deployer")
  t.equal(made.arn, "arn:aws:iam::123456789012:role/deployer")
  local found = t.call(world, "iam", "get_role", { role_name = "deployer" }).role
  t.equal(found.assume_role_policy_document, "%7B%22Version%22%3A%222012-10-17%22%7D")
  t.raises("EntityAlreadyExists", refused(world, "iam", "create_role",
    { role_name = "deployer", assume_role_policy_document = trust }))
  local missing = t.raises("NoSuchEntity", refused(world, "iam", "get_role", { role_name = "no" }))
  t.equal({ missing.message, missing.status }, { "The role with name no cannot be found.", 404 })
end)

t.test("policies are attached, listed, read and detached; a role with policies stays", function()
  local world = t.world()
  role(world, "r")
  local arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
  t.call(world, "iam", "attach_role_policy", { role_name = "r", policy_arn = arn })
  t.call(world, "iam", "put_role_policy", { role_name = "r", policy_name = "own", policy_document = "{}" })
  t.equal(t.call(world, "iam", "list_attached_role_policies", { role_name = "r" }).attached_policies,
    { { policy_arn = arn, policy_name = "AmazonECSTaskExecutionRolePolicy" } })
  t.equal(t.call(world, "iam", "list_role_policies", { role_name = "r" }).policy_names, { "own" })
  t.equal(t.call(world, "iam", "get_role_policy", { role_name = "r", policy_name = "own" }).policy_document, "%7B%7D")
  t.contains(t.call(world, "iam", "get_policy_version", { policy_arn = arn,
    version_id = "v1" }).policy_version.document,
    "ecr%3AGetAuthorizationToken")
  t.raises("DeleteConflict", refused(world, "iam", "delete_role", { role_name = "r" }))
  t.call(world, "iam", "detach_role_policy", { role_name = "r", policy_arn = arn })
  t.call(world, "iam", "delete_role_policy", { role_name = "r", policy_name = "own" })
  t.call(world, "iam", "delete_role", { role_name = "r" })
  t.equal(#t.call(world, "iam", "list_roles").roles, 0)
end)

t.test("everything is allowed that is not denied", function()
  local world = t.world()
  local arn = role(world, "r").arn
  t.equal(iam.allows(world, arn, "ecr:GetAuthorizationToken", "*"), true)
  faults.set(world, "denied", "r ecr:*", true)
  t.equal(iam.allows(world, arn, "ecr:GetAuthorizationToken", "*"), false)
  t.equal(iam.allows(world, "arn:aws:iam::123456789012:role/other", "ecr:GetAuthorizationToken", "*"), true)
  local results = t.call(world, "iam", "simulate_principal_policy",
    { policy_source_arn = arn, action_names = { "ecr:PutImage", "ecs:UpdateService" } }).evaluation_results
  t.equal({ results[1].eval_decision, results[2].eval_decision }, { "implicitDeny", "allowed" })
end)

t.test("who assumes a role is its session, until it expires", function()
  local world = t.world()
  t.equal(t.call(world, "sts", "get_caller_identity").arn, t.caller.arn)
  local arn = role(world, "deployer").arn
  local session = t.call(world, "sts", "assume_role", { role_arn = arn, role_session_name = "ci" })
  local caller = { access_key = session.credentials.access_key_id, request_id = "1", arn = "?" }
  local function who()
    return world:call("sts", "get_caller_identity", {}, caller)
  end
  t.equal(who().output.arn, "arn:aws:sts::123456789012:assumed-role/deployer/ci")
  t.advance(world, 3599)
  t.equal(who().error, nil)
  t.advance(world, 2)
  t.equal(t.raises("ExpiredToken", who).status, 403)
  t.equal(t.raises("ExpiredTokenException", refused(world, "ssm", "get_parameter", { name = "/a" }, caller)).status,
    400)
end)

t.test("an unknown role, a long session and a session of a session are refused", function()
  local world = t.world()
  local unknown = { role_arn = "arn:aws:iam::123456789012:role/no", role_session_name = "x" }
  t.contains(t.raises("AccessDenied", refused(world, "sts", "assume_role", unknown)).message,
    "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/no")
  local arn = role(world, "r").arn
  t.raises("ValidationError", refused(world, "sts", "assume_role",
    { role_arn = arn, role_session_name = "x", duration_seconds = 7200 }))
  local session = t.call(world, "sts", "assume_role", { role_arn = arn, role_session_name = "x" })
  t.raises("AccessDenied", refused(world, "sts", "get_session_token", {},
    { access_key = session.credentials.access_key_id, arn = "?", request_id = "1" }))
  t.equal(#t.call(world, "sts", "get_session_token").credentials.access_key_id, 20)
end)

t.test("web ACLs are made, described and put before something", function()
  local world = t.world()
  local visible = { sampled_requests_enabled = true, cloud_watch_metrics_enabled = true, metric_name = "m" }
  local made = t.call(world, "wafv2", "create_web_acl",
    { name = "front", scope = "REGIONAL", default_action = { allow = {} }, visibility_config = visible }).summary
  t.equal(#t.call(world, "wafv2", "list_web_acls", { scope = "REGIONAL" }).web_acls, 1)
  t.equal(#t.call(world, "wafv2", "list_web_acls", { scope = "CLOUDFRONT" }).web_acls, 0)
  t.equal(t.call(world, "wafv2", "get_web_acl", { name = "front", scope = "REGIONAL", id = made.id }).web_acl.arn,
    made.arn)
  local balancer = world:arn("elasticloadbalancing", "loadbalancer/app/x/0123456789abcdef")
  t.equal(t.call(world, "wafv2", "get_web_acl_for_resource", { resource_arn = balancer }), {})
  t.call(world, "wafv2", "associate_web_acl", { web_acl_arn = made.arn, resource_arn = balancer })
  t.equal(t.call(world, "wafv2", "get_web_acl_for_resource", { resource_arn = balancer }).web_acl.name, "front")
  t.raises("WAFNonexistentItemException", refused(world, "wafv2", "get_web_acl", { name = "no", scope = "REGIONAL",
    id = "1" }))
end)

t.finish()

--- Takes recorded roles over, with the names of the policies that are attached to them.

-- Documents travel percent-encoded.
local function decoded(text)
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

local function policy_arns(list)
  local out = {}
  for index, policy in ipairs(list or {}) do
    out[index] = policy.policy_arn
  end
  return out
end

-- A policy of the account is known by its name alone: what it says was not recorded.
local function know_policies(world, arns)
  local policies = world:state("iam").policies
  for _, arn in ipairs(arns) do
    if not arn:find("^arn:aws:iam::aws:") and not policies[arn] then
      policies[arn] = { arn = arn, name = arn:match("([^/]+)$"), document = '{"Version":"2012-10-17","Statement":[]}',
        created = world:now() }
    end
  end
end

--- Makes `recorded` part of the world: {roles, attached_policies by role}.
return function(world, recorded)
  for _, shown in ipairs(recorded.roles or {}) do
    local attached = policy_arns((recorded.attached_policies or {})[shown.role_name])
    local tags = {}
    for _, tag in ipairs(shown.tags or {}) do
      tags[tag.key] = tag.value
    end
    know_policies(world, attached)
    world:state("iam").roles[shown.role_name] = {
      name = shown.role_name, id = shown.role_id, path = shown.path or "/", arn = shown.arn,
      created = shown.create_date, trust = decoded(shown.assume_role_policy_document or ""),
      description = shown.description, max_session = shown.max_session_duration or 3600, tags = tags,
      attached = attached, inline = {},
    }
  end
end

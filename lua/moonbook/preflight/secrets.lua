--- Secrets and parameters that containers are given: whether they exist and have a value, without reading
-- any value. Of a JSON key inside a secret nothing can be said that way.
-- Uses: secretsmanager.describe_secret, ssm.describe_parameters.

local subject = {}

-- ---- what the task definition names --------------------------------------------------------------

-- "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME:JSON-KEY:STAGE:VERSION"; the last three may be absent
-- or empty.
local function parse_secret(text)
  local arn, rest = text:match("^(arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:[^:]+)(.*)$")
  if not arn then
    return nil
  end
  local key, stage, version = rest:match("^:([^:]*):([^:]*):([^:]*)$")
  local function given(part)
    return part ~= "" and part or nil
  end
  return {
    kind = "secret",
    id = arn,
    region = arn:match("^arn:[^:]*:secretsmanager:([^:]*)"),
    name = arn:match(":secret:(.+)$"),
    key = given(key or rest:match("^:([^:]*)$")),
    stage = given(stage),
    version = given(version),
  }
end

-- A parameter by its ARN or its name. The ARN of "/a/b" ends in "parameter/a/b", that of "a" in "parameter/a".
local function parse_parameter(text)
  local region, account, path = text:match("^arn:[^:]*:ssm:([^:]*):([^:]*):parameter(/.+)$")
  local name = path or text
  if path and not path:find("/", 2, true) then
    name = path:sub(2)
  end
  return { kind = "parameter", id = name, arn = path and text or nil, region = region, account = account, name = name }
end

local function add(list, pass, container, what, text)
  local found = parse_secret(text) or parse_parameter(text)
  found.where = ("%s of container %s"):format(what, container.name)
  found.region = found.region or pass.region
  list[#list + 1] = found
end

-- Where a thing is that this pass cannot look at, or nil: in another region, or a parameter that another
-- account shares, which is described by nobody else.
local function elsewhere(pass, item)
  if item.region ~= pass.region then
    return item.region
  elseif item.account and item.account ~= pass.account then
    return "account " .. item.account
  end
end

--- Everything of this kind that the containers name, a list of { kind = "secret" or "parameter", id, name,
-- region, account, where, key, stage, version, arn }.
function subject.named(pass)
  local list = {}
  for _, container in ipairs(pass.definition.container_definitions) do
    for _, secret in ipairs(container.secrets or {}) do
      add(list, pass, container, secret.name, secret.value_from)
    end
    local credentials = container.repository_credentials or {}
    if credentials.credentials_parameter then
      -- The model takes this ARN for a credential; what it names is not secret.
      add(list, pass, container, "the registry's credentials", reveal(credentials.credentials_parameter))
    end
    for _, secret in ipairs((container.log_configuration or {}).secret_options or {}) do
      add(list, pass, container, "log option " .. secret.name, secret.value_from)
    end
  end
  return list
end

-- The ids of one kind that can be looked at, each once.
local function ids_of(pass, kind)
  local ids = {}
  for _, item in ipairs(subject.named(pass)) do
    if item.kind == kind and not elsewhere(pass, item) then
      ids[#ids + 1] = item.id
    end
  end
  return pass.unique(ids)
end

-- ---- reading -------------------------------------------------------------------------------------

-- Not secretsmanager.get_secret_value: what is described holds no value.
local function describe(id)
  local secret, err = attempt(secretsmanager.describe_secret, { secret_id = id })
  if secret then
    return secret
  elseif err.kind == "denied" then
    return { denied = true } -- the policies of one secret say nothing of the others
  elseif err.code == "ResourceNotFoundException" then
    return { missing = true }
  end
  error(err, 0)
end

local MOST_NAMES = 50 -- DescribeParameters takes no more in one filter

local function describe_parameters(names)
  local found = {}
  for first = 1, #names, MOST_NAMES do
    local batch = table.move(names, first, math.min(first + MOST_NAMES - 1, #names), 1, {})
    local answer = all(ssm.describe_parameters, {
      parameter_filters = { { key = "Name", option = "Equals", values = batch } },
    })
    for _, parameter in ipairs(answer.parameters or {}) do
      found[parameter.name] = parameter
    end
  end
  return found
end

function subject.read(pass)
  local ids, names = ids_of(pass, "secret"), ids_of(pass, "parameter")
  local found = {}
  pass.seen.secrets = found
  together {
    function()
      for index, secret in ipairs(each(ids, describe)) do
        found[ids[index]] = secret
      end
    end,
    function()
      pass:read("parameters", "ssm:DescribeParameters", function()
        return describe_parameters(names)
      end)
    end,
  }
end

-- ---- judging -------------------------------------------------------------------------------------

local function has_stage(secret, stage)
  for _, stages in pairs(secret.version_ids_to_stages or {}) do
    for _, name in ipairs(stages) do
      if name == stage then
        return true
      end
    end
  end
  return false
end

local function existence_problem(item, secret)
  if secret.missing then
    return ("there is no secret %s (%s)"):format(item.name, item.where)
  elseif secret.deleted_date then
    return ("secret %s is scheduled for deletion (%s): restore it with secretsmanager.restore_secret"):format(
      item.name,
      item.where
    )
  end
end

local function version_problem(item, secret)
  if item.version then
    local known = (secret.version_ids_to_stages or {})[item.version]
    return not known and ("secret %s has no version %s (%s)"):format(item.name, item.version, item.where) or nil
  end
  local stage = item.stage or "AWSCURRENT"
  if not has_stage(secret, stage) then
    return ("secret %s has no version %s (%s): put a value into it"):format(item.name, stage, item.where)
  end
end

-- The items of a kind that were looked for; those of other regions are listed as unread.
local function judged(pass, kind, check_name)
  local list = {}
  for _, item in ipairs(subject.named(pass)) do
    local place = item.kind == kind and elsewhere(pass, item)
    if place then
      pass:unread(check_name, ("%s (%s) is in %s and was not looked at"):format(item.name, item.where, place))
    elseif item.kind == kind then
      list[#list + 1] = item
    end
  end
  return list
end

local function judge_secrets(pass)
  local items, secrets = judged(pass, "secret", "secrets exist"), pass:get("secrets")
  local missing, valueless, keys, denied = {}, {}, {}, {}
  for _, item in ipairs(items) do
    local secret = secrets[item.id]
    local problem = existence_problem(item, secret)
    denied[#denied + 1] = secret.denied and item.name or nil
    missing[#missing + 1] = problem
    if not problem and not secret.denied then
      valueless[#valueless + 1] = version_problem(item, secret)
    end
    if item.key then
      keys[#keys + 1] = ("%s in %s"):format(item.key, item.name)
    end
  end
  if #denied > 0 then
    local why = table.concat(pass.unique(denied), ", ") .. " could not be read (denied: secretsmanager:DescribeSecret)"
    pass:unread("secrets exist", why)
    pass:unread("secrets have a value", why)
  end
  if #items > #denied then
    local seen = #items - #denied
    pass:require_none("secrets exist", missing, ("%d of %d"):format(seen, #items))
    pass:require_none("secrets have a value", valueless, "each has the version that is asked for")
  end
  if #keys > 0 then
    pass:unread("keys in secrets", table.concat(keys, ", ") .. ": only their values would tell", "warn")
  end
end

local function judge_parameters(pass)
  local items = judged(pass, "parameter", "parameters exist")
  if #items == 0 then
    return
  end
  local found, why = pass:get("parameters")
  if not found then
    pass:unread("parameters exist", why)
    return
  end
  local missing = {}
  for _, item in ipairs(items) do
    -- By ARN "a" and "/a" are the same.
    if not found[item.name] and not found["/" .. item.name] then
      missing[#missing + 1] = ("there is no parameter %s (%s)"):format(item.name, item.where)
    end
  end
  pass:require_none("parameters exist", missing, ("%d of %d"):format(#items, #items))
end

function subject.judge(pass)
  judge_secrets(pass)
  judge_parameters(pass)
end

return subject

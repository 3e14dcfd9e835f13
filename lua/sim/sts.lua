--- Who one is, and credentials for being somebody else.

local facts = require "sim.facts.sts"
local util = require "sim.util"

local sts = { operations = {} }
local operations = sts.operations

function sts.init(_, state)
  state.sessions = {} -- by access key: {arn, id, expires}
end

local upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
local any = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"

-- Roles that tools assume in every account that was prepared for them.
local function prepared(name)
  return name:match("^cdk%-") ~= nil
end

--- The session of an access key: {arn, id, expires}, or nil when it is nobody's.
function sts.session(world, access_key)
  return access_key and world:state("sts").sessions[access_key]
end

local function credentials(world, identity, seconds)
  local key = "ASIA" .. world:id(16, upper)
  world:state("sts").sessions[key] = { arn = identity.arn, id = identity.id, expires = world:now() + seconds }
  return {
    access_key_id = key, secret_access_key = world:id(40, any),
    session_token = "IQoJb3JpZ2luX2Vj" .. world:id(200, any), expiration = math.floor(world:now() + seconds),
  }
end

local function user_id(caller)
  local name = util.last_part(caller.arn)
  local sum = 0
  for index = 1, #name do
    sum = (sum * 31 + name:byte(index)) & 0xffffffffff
  end
  local out = {}
  for index = 1, 17 do
    local at = (sum >> (index * 2)) % #upper + 1
    out[index] = upper:sub(at, at)
  end
  return "AIDA" .. table.concat(out)
end

function operations.get_caller_identity(world, _, caller)
  local session = sts.session(world, caller.access_key)
  if session then
    return { user_id = session.id, account = world.data.account, arn = session.arn }
  end
  return { user_id = user_id(caller), account = world.data.account, arn = caller.arn }
end

function operations.assume_role(world, input, caller)
  local path = input.role_arn:match("^arn:aws[%w-]*:iam::%d+:role/(.+)$")
  local name = path and util.last_part(path)
  local role = name and world:state("iam").roles[name]
  if not name then
    world:fail("ValidationError", facts.errors.bad_arn:format(input.role_arn))
  elseif not (role and role.arn == input.role_arn) and not prepared(name) then
    world:fail("AccessDenied", facts.errors.denied:format(caller.arn, input.role_arn), { status = 403 })
  end
  local seconds = input.duration_seconds or facts.session
  if seconds > (role and role.max_session or facts.session) then
    world:fail("ValidationError", facts.errors.long)
  end
  local identity = {
    id = ("%s:%s"):format(role and role.id or "AROASIMULATEDSIMULATE", input.role_session_name),
    arn = ("arn:aws:sts::%s:assumed-role/%s/%s"):format(world.data.account, name, input.role_session_name),
  }
  return {
    credentials = credentials(world, identity, seconds),
    assumed_role_user = { assumed_role_id = identity.id, arn = identity.arn },
    packed_policy_size = input.policy and 6 or nil, source_identity = input.source_identity,
  }
end

function operations.get_session_token(world, input, caller)
  if sts.session(world, caller.access_key) then
    world:fail("AccessDenied", facts.errors.session, { status = 403 })
  end
  local identity = { id = user_id(caller), arn = caller.arn }
  return { credentials = credentials(world, identity, input.duration_seconds or facts.token_session) }
end

return sts

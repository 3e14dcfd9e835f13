--- Takes out of a recording what may hold secrets. What primitives mark as secret (values of environment
-- variables) goes unless it is wanted; what only looks like one goes always.

local redact = {}

local word = "redacted"

-- ---- text that looks like a credential -----------------------------------------------------------

local telling = { "password", "passwd", "secret", "token", "apikey", "api_key", "api-key", "accesskey", "access_key",
  "credential", "authorization", "private_key" }

local function tells(name)
  local plain = name:lower()
  for _, part in ipairs(telling) do
    if plain:find(part, 1, true) then
      return true
    end
  end
  return false
end

-- "--db-password=x", "TOKEN: x" and "https://user:password@host" without x and the password.
local function without_credentials(text)
  text = text:gsub("(://[^/:@%s]*:)[^/@%s]+@", "%1" .. word .. "@")
  return (text:gsub("([%w_%-]+)(%s*[=:]%s*)([^%s,;&'\"]+)", function(name, mark, value)
    if tells(name) and not value:find("^//") then
      return name .. mark .. word
    end
  end))
end

-- A list of words, where "--password" and "x" may be two.
local function command(list)
  local out, hide = {}, false
  for index, text in ipairs(list) do
    out[index] = hide and word or without_credentials(text)
    hide = text:find("^%-%-?[%w_%-]+$") ~= nil and tells(text)
  end
  return out
end

local function map(values)
  local out = {}
  for name, text in pairs(values) do
    out[name] = tells(name) and word or without_credentials(text)
  end
  return out
end

-- Options of a log driver other than awslogs are often keys of the service that takes the logs.
local function log_options(options)
  local out = {}
  for name, value in pairs(options) do
    local harmless = name:find("^awslogs%-") or name == "mode" or name == "max-buffer-size"
    out[name] = harmless and value or word
  end
  return out
end

-- ---- everything ----------------------------------------------------------------------------------

local special = { options = log_options, command = command, entry_point = command, docker_labels = map }

--- A copy of a recording without secrets. `with_environment`: the values of environment variables stay.
function redact.all(value, with_environment)
  if type(value) == "userdata" then
    return with_environment and reveal(value) or word
  elseif type(value) ~= "table" then
    return value
  end
  local out = {}
  for name, item in pairs(value) do
    local change = type(item) == "table" and special[name]
    out[name] = change and change(item) or redact.all(item, with_environment)
  end
  return out
end

return redact

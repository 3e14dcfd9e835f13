--- What the last lines of a container's log hint at. Inference: words of programs that nobody agreed on,
-- so that what comes of it is "likely" at best. Pure.

local log = {}

local LISTENING = {
  "listening", "ready to accept", "now accepting", "server started", "started server", "running on http",
  "started on port", "server is running", "server running",
}
local STARTING = {
  "starting", "initializing", "initialising", "loading", "warming", "migrat", "booting", "compiling", "connecting",
  "waiting for", "preparing", "downloading", "applying", "installing", "building", "seeding", "indexing",
}
local MISSING = {
  "not set", "missing", "required", "undefined", "must be set", "must be defined", "not defined",
  "environment variable", "keyerror", "unset", "must not be empty", "cannot be empty", "is empty",
  "could not resolve placeholder",
}
local DEPENDENCY = {
  "connection refused", "could not connect", "unable to connect", "cannot connect", "can't connect",
  "failed to connect", "could not translate host name", "no such host", "host not found", "unknown host", "unknownhost",
  "name or service not known", "name resolution", "getaddrinfo", "no route to host", "connection reset",
  "communications link failure", "password authentication failed", "can't reach", "connection timed out",
  "connect timeout", "access denied for user",
}
local DEPENDENCY_CODES = { "ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "ECONNRESET", "EHOSTUNREACH" }
local HEAP = {
  "heap out of memory", "outofmemoryerror", "memoryerror", "cannot allocate memory", "std::bad_alloc",
}
local WRONG_PLATFORM = { "exec format error" }

local function says_any(text, words)
  for _, word in ipairs(words) do
    if text:find(word, 1, true) then
      return true
    end
  end
  return false
end

-- The name of a setting in a line: capitals with an underscore, which error codes (ERR_, E...) are not.
local function setting_in(line)
  for name in line:gmatch("%f[%w_]%u[%u%d]*_[%u%d_]+%f[^%w_]") do
    if not name:find("^ERR_") then
      return name
    end
  end
  return line:match("KeyError: ['\"]([%w_]+)") or line:match("%f[%w_](%u%u[%u%d]+) is not set")
end

local function port_in(line)
  local lower = line:lower()
  local port = lower:match("port[%s:=\"]*(%d+)") or lower:match("https?://[^/%s:]+:(%d+)")
    or lower:match("[%w%.%]%*]:(%d%d%d%d%d?)%f[%D]")
  return port and math.tointeger(tonumber(port))
end

local function on_localhost(line)
  return line:find("127.0.0.1", 1, true) ~= nil or line:find("localhost", 1, true) ~= nil
end

-- What one line hints at, in the order in which it counts.
local readers = {
  { "wrong_platform", function(lower)
    return says_any(lower, WRONG_PLATFORM)
  end },
  { "heap", function(lower)
    return says_any(lower, HEAP)
  end },
  { "dependency", function(lower, line)
    return says_any(lower, DEPENDENCY) or says_any(line, DEPENDENCY_CODES)
  end },
  { "setting", function(lower, line)
    return says_any(lower, MISSING) and setting_in(line)
  end },
  { "listening", function(lower)
    return says_any(lower, LISTENING)
  end },
  { "starting", function(lower)
    return says_any(lower, STARTING) or lower:find("%.%.%.%s*$") ~= nil
  end },
}

local function note(hints, kind, event, value)
  local hint = { line = event.message, at = event.timestamp and event.timestamp / 1000, value = value }
  hints[kind] = hint
  if kind == "listening" then
    hint.port, hint.localhost = port_in(event.message), on_localhost(event.message)
  end
end

--- What log events hint at. `events` as GetLogEvents gives them. Gives a table of { line, at (seconds since
-- 1970), value } by kind, the last line of each kind: `wrong_platform`, `heap`, `dependency`, `setting` (value:
-- its name), `listening` (also `port` and `localhost`), `starting`, and `last` of any kind; `empty` is
-- true when there are none.
function log.hints(events)
  local hints = { empty = #(events or {}) == 0 }
  for _, event in ipairs(events or {}) do
    note(hints, "last", event)
    local lower = event.message:lower()
    for _, reader in ipairs(readers) do
      local value = reader[2](lower, event.message)
      if value then
        note(hints, reader[1], event, value)
        break
      end
    end
  end
  return hints
end

--- The messages of log events.
function log.lines(events)
  local lines = {}
  for index, event in ipairs(events or {}) do
    lines[index] = event.message
  end
  return lines
end

return log

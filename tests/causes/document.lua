-- Writes docs/causes.md from lua/moonbook/explain/causes.lua; with --check compares it with what is there.
--
--     lua5.4 tests/causes/document.lua [--check]
--
-- Run from the top folder.

local DOCUMENT = "docs/causes.md"

local HEAD = [[
# Causes

What `ecs.explain` (`moonbook.explain`) may name as the reason why a deployment or a service fails. Made by
`lua5.4 tests/causes/document.lua` from `lua/moonbook/explain/causes.lua`; codes are not changed once released.

```
moonbook call ecs.explain --cluster CLUSTER --service SERVICE
```

The first cause is the likeliest. `certain` is what AWS itself says: a stop reason, an exit code, the reason of an unhealthy
target. `likely` is inferred, mostly from the last log lines. `possible` is what cannot be ruled out. The circuit breaker and alarms
only tell that something is wrong: they are evidence, unless nothing else explains it.

- **hopeless**: the deployment cannot come right without a change of something outside it, so that a follower may give its
  verdict early (`explain.hopeless`).
- **no fault**: nothing is wrong with the deployment itself.

*rollback_command* stands for `moonbook run rollback/ecs` with the service's names; it is left out when ECS has gone back by itself.

How far that goes: of the seeded faults in `tests/causes/faults.lua` (`lua5.4 tests/causes/table.lua MOONBOOK` makes the table, and
fails below nine in ten) it misses

- what nobody could tell: a silent application that starts slowly looks like one that does not listen, and an hour after its end
  a crash is only a failed task;
- what the log says in words that it does not know. It knows words of common programs, no more: of fourteen faults that tell
  themselves by log words it had never seen it named nine. A crash whose words it does not know is `app_crashed`, with the log's last
  line as evidence; `configuration_missing` and `dependency_unreachable` are what it can make of known words.

What it does not know: whether high CPU or memory makes answers slow (`target_timeout` says that they are slow; the service's
metrics say why), and what stopped tasks said that ECS has forgotten, an hour after they stopped (`tasks_failed`).

## The deployment guide's troubleshooting

| issue | causes |
| --- | --- |
| Tasks failing to start: environment variable missing | `configuration_missing`, `app_crashed` |
| Tasks failing to start: Secrets Manager access denied | `secret_denied`, `secret_missing`, `secret_no_version`, `secrets_unreachable` |
| Tasks failing to start: out of memory | `out_of_memory`, `container_killed` |
| Tasks failing to start: image pull failure | `image_not_found`, `image_denied`, `image_wrong_architecture`, `registry_denied`, `registry_unreachable` |
| Unhealthy targets: health endpoint not responding | `health_path_wrong`, `app_unhealthy`, `target_timeout`, `app_not_listening`, `health_port_wrong` |
| Unhealthy targets: startup too slow | `slow_start` |
| Unhealthy targets: container crash loop | `app_crashed`, `app_exited`, `app_segfault`, `dependency_unreachable` |
| High latency | `target_timeout` when health checks fail of it; CPU and memory are left to the metrics |
| Deployment stuck | `still_in_progress`, `capacity_unavailable`, `quota_exceeded`, `bounds_block`, `tasks_protected`, `target_group_unused`, `hook_waits` |

## All causes
]]

local function cell(text)
  return (text:gsub("|", "\\|"))
end

local function remark(cause)
  return cause.hopeless and "hopeless" or cause.fault == false and "no fault" or ""
end

local function document()
  local causes, codes = dofile "lua/moonbook/explain/causes.lua", {}
  for code in pairs(causes) do
    codes[#codes + 1] = code
  end
  table.sort(codes)
  local lines = { HEAD, "| code | | meaning | what to do |", "| --- | --- | --- | --- |" }
  for _, code in ipairs(codes) do
    local cause = causes[code]
    local todo = {}
    for index, item in ipairs(cause.treatment) do
      local line = type(item) == "table" and item[1] or item
      local command = line:find("^aws ") or line:find("^moonbook ")
      todo[index] = command and "`" .. line .. "`" or line:gsub("{(%l[%l_]*)}", "*%1*")
    end
    lines[#lines + 1] = ("| `%s` | %s | **%s.** %s | %s |"):format(
      code, remark(cause), cell(cause.title), cell(cause.meaning), cell(table.concat(todo, "; "))
    )
  end
  return table.concat(lines, "\n") .. "\n"
end

local wanted = document()
if arg[1] == "--check" then
  local file = io.open(DOCUMENT)
  local found = file and file:read("a")
  if found ~= wanted then
    print(DOCUMENT .. " is out of date; run: lua5.4 tests/causes/document.lua")
    os.exit(1)
  end
else
  local file = assert(io.open(DOCUMENT, "w"))
  file:write(wanted)
  file:close()
end

--- Dashboards: kept and given back.

local facts = require "sim.facts.cloudwatch"
local json = require "sim.json"
local util = require "sim.util"

local operations = {}

local function arn(world, name)
  return ("arn:aws:cloudwatch::%s:dashboard/%s"):format(world.data.account, name)
end

function operations.put_dashboard(world, input)
  local name = input.dashboard_name
  if name:find("[^%w_-]") or name == "" then
    world:fail("InvalidParameterValue", facts.texts.dashboard_name:format(name))
  elseif not json.object_of(input.dashboard_body) then
    world:fail("InvalidParameterInput", facts.texts.dashboard_body, { fields = {
      dashboard_validation_messages = { { message = facts.texts.dashboard_body } },
    } })
  end
  world:state("cloudwatch").dashboards[name] = { body = input.dashboard_body, modified = world:now() }
  return { dashboard_validation_messages = {} }
end

local function required(world, name)
  local dashboard = world:state("cloudwatch").dashboards[name]
  if not dashboard then
    world:fail("ResourceNotFound", facts.texts.dashboard_missing:format(name), { status = 404 })
  end
  return dashboard
end

function operations.get_dashboard(world, input)
  local name = input.dashboard_name
  return {
    dashboard_arn = arn(world, name), dashboard_body = required(world, name).body, dashboard_name = name,
  }
end

function operations.list_dashboards(world, input)
  local list, prefix = {}, input.dashboard_name_prefix or ""
  for name, dashboard in util.sorted_pairs(world:state("cloudwatch").dashboards) do
    if name:sub(1, #prefix) == prefix then
      list[#list + 1] = {
        dashboard_name = name, dashboard_arn = arn(world, name), last_modified = dashboard.modified,
        size = #dashboard.body,
      }
    end
  end
  local page, token = world:page(list, input.next_token, 1000, "InvalidParameterValue")
  return { dashboard_entries = page, next_token = token }
end

function operations.delete_dashboards(world, input)
  for _, name in ipairs(input.dashboard_names) do
    required(world, name) -- all or none
  end
  for _, name in ipairs(input.dashboard_names) do
    world:state("cloudwatch").dashboards[name] = nil
  end
end

return { operations = operations }

--- What happened to alarms, newest first when asked.

local facts = require "sim.facts.cloudwatch"

local history, operations = {}, {}

--- Notes something: kind is ConfigurationUpdate, StateUpdate or Action; data is a JSON text.
function history.note(world, name, kind, summary, data)
  local list = world:state("cloudwatch").history
  list[#list + 1] = { name = name, time = world:now(), kind = kind, summary = summary, data = data }
  while list[1].time < world:now() - facts.durations.history do
    table.remove(list, 1)
  end
end

local function is_wanted(item, input)
  return (not input.alarm_name or item.name == input.alarm_name)
    and (not input.history_item_type or item.kind == input.history_item_type)
    and (not input.start_date or item.time >= input.start_date)
    and (not input.end_date or item.time <= input.end_date)
end

function operations.describe_alarm_history(world, input)
  local all, list = world:state("cloudwatch").history, {}
  for index = 1, #all do
    local item = all[input.scan_by == "TimestampAscending" and index or #all + 1 - index]
    if is_wanted(item, input) then
      list[#list + 1] = {
        alarm_name = item.name, alarm_type = "MetricAlarm", timestamp = item.time,
        history_item_type = item.kind, history_summary = item.summary, history_data = item.data,
      }
    end
  end
  local page, token = world:page(list, input.next_token, input.max_records or 100, "InvalidNextToken")
  return { alarm_history_items = page, next_token = token }
end

history.operations = operations
return history

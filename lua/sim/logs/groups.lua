--- Operations on log groups and streams: making, describing, deleting, retention, tags.

local facts = require "sim.facts.logs"
local faults = require "sim.faults"
local store = require "sim.logs.store"
local util = require "sim.util"

local operations = {}

function operations.create_log_group(world, input)
  local name = input.log_group_name
  if name:find("[^%.%-_/#%w]") or name == "" then
    world:fail("InvalidParameterException", facts.texts.group_name:format(name))
  elseif store.find(world, name) then
    world:fail("ResourceAlreadyExistsException", facts.texts.group_exists)
  end
  store.create(world, name, {
    class = input.log_group_class, tags = util.copy(input.tags), key = input.kms_key_id,
    protected = input.deletion_protection_enabled,
  })
end

function operations.delete_log_group(world, input)
  local group = store.group(world, input.log_group_name)
  if group.protected then
    world:fail("ValidationException", "Log group deletion protection is enabled.") -- I
  end
  world:state("logs").groups[group.name] = nil
end

function operations.put_log_group_deletion_protection(world, input)
  local group = store.group(world, store.name_in(input.log_group_identifier))
  group.protected = input.deletion_protection_enabled
end

local function shown(world, group)
  return {
    log_group_name = group.name, creation_time = group.created, retention_in_days = group.retention,
    metric_filter_count = #group.filters, arn = store.arn(world, group.name) .. ":*", stored_bytes = group.bytes,
    kms_key_id = group.key, log_group_class = group.class, log_group_arn = store.arn(world, group.name),
    deletion_protection_enabled = group.protected,
  }
end

local function wanted(group, input, names)
  local prefix, part = input.log_group_name_prefix, input.log_group_name_pattern
  return (not prefix or group.name:sub(1, #prefix) == prefix)
    and (not part or group.name:find(part, 1, true) ~= nil)
    and (not input.log_group_class or group.class == input.log_group_class)
    and (not names[1] or util.holds(names, group.name))
end

local function groups_like(world, input)
  local list, names = {}, {}
  for index, identifier in ipairs(input.log_group_identifiers or {}) do
    names[index] = store.name_in(identifier)
  end
  for _, group in util.sorted_pairs(world:state("logs").groups) do
    if wanted(group, input, names) and not faults.get(world, "log_group_missing", group.name) then
      list[#list + 1] = shown(world, group)
    end
  end
  return list
end

function operations.describe_log_groups(world, input)
  if input.log_group_name_prefix and input.log_group_name_pattern then
    world:fail("InvalidParameterException", facts.texts.prefix_and_pattern)
  end
  local page, token = world:page(groups_like(world, input), input.next_token, input.limit or facts.limits.groups)
  return { log_groups = page, next_token = token }
end

function operations.list_log_groups(world, input)
  local list = groups_like(world, {
    log_group_name_pattern = input.log_group_name_pattern, log_group_class = input.log_group_class,
  })
  for index, group in ipairs(list) do
    list[index] = {
      log_group_name = group.log_group_name, log_group_arn = group.log_group_arn,
      log_group_class = group.log_group_class,
    }
  end
  local page, token = world:page(list, input.next_token, input.limit or facts.limits.groups)
  return { log_groups = page, next_token = token }
end

function operations.put_retention_policy(world, input)
  local group = store.group(world, input.log_group_name)
  if not util.holds(facts.retention, input.retention_in_days) then
    world:fail("InvalidParameterException",
      facts.texts.retention:format(input.retention_in_days, table.concat(facts.retention, ", ")))
  end
  group.retention = input.retention_in_days
end

function operations.delete_retention_policy(world, input)
  store.group(world, input.log_group_name).retention = nil
end

-- ---- streams -------------------------------------------------------------------------------------

function operations.create_log_stream(world, input)
  local group, name = store.group(world, input.log_group_name), input.log_stream_name
  if name:find("[:*]") then
    world:fail("InvalidParameterException", facts.texts.stream_name:format(name))
  elseif group.streams[name] then
    world:fail("ResourceAlreadyExistsException", facts.texts.stream_exists)
  end
  store.open_stream(world, group, name)
end

function operations.delete_log_stream(world, input)
  local group = store.group(world, input.log_group_name)
  if not group.streams[input.log_stream_name] then
    world:fail("ResourceNotFoundException", facts.texts.stream_missing)
  end
  group.streams[input.log_stream_name] = nil
end

local function shown_stream(world, group, stream)
  local events = {}
  for _, event in ipairs(stream.events) do
    if store.sees(world, group, event) then
      events[#events + 1] = event
    end
  end
  local first, last = events[1], events[#events]
  return {
    log_stream_name = stream.name, creation_time = stream.created, stored_bytes = 0,
    first_event_timestamp = first and first.timestamp, last_event_timestamp = last and last.timestamp,
    last_ingestion_time = last and last.ingested,
    upload_sequence_token = ("%056d"):format(last and last.number or 0),
    arn = ("%s:log-stream:%s"):format(store.arn(world, group.name), stream.name),
  }
end

function operations.describe_log_streams(world, input)
  local group, prefix = store.identified(world, input), input.log_stream_name_prefix
  local by_time = input.order_by == "LastEventTime"
  if by_time and prefix then
    world:fail("InvalidParameterException", facts.texts.prefix_order)
  end
  local list = {}
  for name, stream in util.sorted_pairs(group.streams) do
    if not prefix or name:sub(1, #prefix) == prefix then
      list[#list + 1] = shown_stream(world, group, stream)
    end
  end
  if by_time then
    table.sort(list, function(a, b)
      local x, y = a.last_event_timestamp or 0, b.last_event_timestamp or 0
      if x ~= y then
        return x < y
      end
      return a.log_stream_name < b.log_stream_name
    end)
  end
  if input.descending then
    local turned = {}
    for index = #list, 1, -1 do
      turned[#turned + 1] = list[index]
    end
    list = turned
  end
  local page, token = world:page(list, input.next_token, input.limit or facts.limits.groups)
  return { log_streams = page, next_token = token }
end

-- ---- tags ----------------------------------------------------------------------------------------

local function set_tags(group, tags)
  for key, value in util.sorted_pairs(tags) do
    group.tags[key] = value
  end
end

local function drop_tags(group, keys)
  for _, key in ipairs(keys) do
    group.tags[key] = nil
  end
end

function operations.tag_log_group(world, input)
  set_tags(store.group(world, input.log_group_name), input.tags)
end

function operations.untag_log_group(world, input)
  drop_tags(store.group(world, input.log_group_name), input.tags)
end

function operations.list_tags_log_group(world, input)
  return { tags = util.copy(store.group(world, input.log_group_name).tags) }
end

function operations.tag_resource(world, input)
  set_tags(store.group(world, store.name_in(input.resource_arn)), input.tags)
end

function operations.untag_resource(world, input)
  drop_tags(store.group(world, store.name_in(input.resource_arn)), input.tag_keys)
end

function operations.list_tags_for_resource(world, input)
  return { tags = util.copy(store.group(world, store.name_in(input.resource_arn)).tags) }
end

return { operations = operations }

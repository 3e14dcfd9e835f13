--- Takes recorded parameters over: their names and types, and a value that says nothing.

local hidden = "redacted"

--- Makes `recorded` part of the world: {parameters}, as DescribeParameters shows them.
return function(world, recorded)
  for _, shown in ipairs(recorded.parameters or {}) do
    world:state("ssm").parameters[shown.name] = {
      name = shown.name, tags = {}, versions = { {
        version = shown.version or 1, type = shown.type or "String", value = hidden,
        date = shown.last_modified_date or world:now(), user = shown.last_modified_user,
        description = shown.description, key_id = shown.key_id, tier = shown.tier or "Standard",
        data_type = shown.data_type or "text", allowed_pattern = shown.allowed_pattern, labels = {},
      } },
    }
  end
end

--- Takes recorded parameters over: their names and types. Their values were not read: they say nothing, unless the
-- project's settings tell what they stand for.

local hidden = "redacted"

--- Makes `recorded` part of the world: {parameters}, as DescribeParameters shows them. `values`: those that are
-- known all the same, by name, or nil.
return function(world, recorded, values)
  for _, shown in ipairs(recorded.parameters or {}) do
    world:state("ssm").parameters[shown.name] = {
      name = shown.name, tags = {}, versions = { {
        version = shown.version or 1, type = shown.type or "String",
        value = (values or {})[shown.name] or hidden,
        date = shown.last_modified_date or world:now(), user = shown.last_modified_user,
        description = shown.description, key_id = shown.key_id, tier = shown.tier or "Standard",
        data_type = shown.data_type or "text", allowed_pattern = shown.allowed_pattern, labels = {},
      } },
    }
  end
end

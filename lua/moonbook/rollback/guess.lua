--- What to go back to when there is no history and the operator allows a guess.
--
-- Uses: ecs.list_task_definitions, and what moonbook.rollback.target uses.

local target = require "moonbook.rollback.target"

local guess = {}

-- The newest active revision of a family below a number.
local function revision_below(family, number)
  for page in pages(ecs.list_task_definitions, { family_prefix = family, status = "ACTIVE", sort = "DESC", max_results = 100 }) do
    for _, arn in ipairs(page.task_definition_arns or {}) do
      if tonumber(arn:match(":(%d+)$")) < number then
        return arn
      end
    end
  end
  return nil
end

--- The revision of the family below the present one: a guess, which may never have run here.
function guess.target(service)
  local family, number = service.task_definition:match("([^/]+):(%d+)$")
  local arn = revision_below(family, tonumber(number))
  if not arn then
    return nil, ("The family %s has no active revision below %s."):format(family, number)
  end
  local found, why = target.of_definition(arn)
  if found then
    found.notes = { "a guess: the revision before in its family, which may never have run in this service" }
  end
  return found, why
end

return guess

--- Images that ECR fetches from elsewhere when they are first asked for.
--
-- Uses: ecr.describe_pull_through_cache_rules.

local images = require "moonbook.images"
local patience = require "moonbook.patience"

local pull_through = {}

--- Where ECR would fetch an image from that it does not have yet, by its rules for pulling through; nil where it
-- would not, or the rules may not be read: few registries have any.
function pull_through.source(reference)
  local answer, err = patience.attempt(all, ecr.describe_pull_through_cache_rules, {
    registry_id = images.parse(reference).account,
  })
  if err and err.kind ~= "denied" then
    error(err, 0)
  end
  local repository = images.parse(reference).repository
  for _, rule in ipairs(answer and answer.pull_through_cache_rules or {}) do
    local prefix = rule.ecr_repository_prefix
    if prefix == "ROOT" or repository:sub(1, #prefix + 1) == prefix .. "/" then
      return rule.upstream_registry_url or prefix
    end
  end
  return nil
end

return pull_through

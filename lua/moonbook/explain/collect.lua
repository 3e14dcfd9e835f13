--- What the judges of moonbook.explain put their findings into: a list that is also a map by code. Pure.

local collect = {}

local MOST_LINES = 12 -- of evidence, for one cause

--- Adds to what is known of a cause: `found` is { count, confidence, values, evidence }. Counts add up, values that
-- are known already stay. Gives the finding: { code, count, confidence, evidence, values }.
function collect.add(list, code, found)
  local finding = list[code]
  if not finding then
    finding = { code = code, count = 0, confidence = found.confidence, evidence = {}, values = {} }
    list[code] = finding
    list[#list + 1] = finding
  end
  finding.count = finding.count + (found.count or 0)
  if found.confidence == "certain" then
    finding.confidence = "certain"
  end
  for key, value in pairs(found.values or {}) do
    if finding.values[key] == nil then
      finding.values[key] = value
    end
  end
  for _, line in ipairs(found.evidence or {}) do
    if #finding.evidence < MOST_LINES then
      finding.evidence[#finding.evidence + 1] = line
    end
  end
  return finding
end

--- "1 task", "2 tasks".
function collect.plural(count, one)
  return ("%d %s%s"):format(count, one, count == 1 and "" or "s")
end

return collect

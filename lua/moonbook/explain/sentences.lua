--- Fills the sentences and treatments of moonbook.explain.causes from what was found. Pure.

local causes = require "moonbook.explain.causes"

local sentences = {}

-- The text with its {placeholders} filled, or nil when one of them is not known.
local function fill(text, values)
  local complete = true
  local filled = text:gsub("{([%l_]+)}", function(key)
    local value = values[key]
    complete = complete and value ~= nil
    return value ~= nil and tostring(value) or ""
  end)
  return complete and filled or nil
end

-- The first of some wordings whose values are all known, or nil. `wordings` may be one text.
local function first_known(wordings, values)
  for _, wording in ipairs(type(wordings) == "table" and wordings or { wordings }) do
    local filled = fill(wording, values)
    if filled then
      return filled
    end
  end
  return nil
end

--- The sentence of a finding.
function sentences.summary(code, values)
  local cause = causes[code]
  return first_known(cause.summary, values) or cause.title .. "."
end

--- What to do about it: a list of lines.
function sentences.treatment(code, values)
  local lines = {}
  for _, line in ipairs(causes[code].treatment) do
    lines[#lines + 1] = first_known(line, values)
  end
  return lines
end

return sentences

--- Lists without repeats, and lists in parts.

local lists = {}

--- A list to which `add` adds a text once; nil is left out.
function lists.set()
  local list, seen = {}, {}
  local function add(text)
    if text and not seen[text] then
      seen[text] = true
      list[#list + 1] = text
    end
  end
  return list, add
end

--- The list in parts of at most `size`.
function lists.parts(list, size)
  local out = {}
  for index, item in ipairs(list) do
    local part = (index - 1) // size + 1
    out[part] = out[part] or {}
    table.insert(out[part], item)
  end
  return out
end

--- Whether a list holds a value.
function lists.holds(list, value)
  for _, item in ipairs(list or {}) do
    if item == value then
      return true
    end
  end
  return false
end

return lists

--- Regular expressions in linear time: an automaton without backtracking, over bytes.
--
-- Literals, `.`, classes, \d \w \s \b and their opposites, ^ and $, * + ? {n,m}, |; with `groups` also
-- ( ), (?: ) and a leading (?i). No captures: it only says whether a text fits.

local regex = {}

local max_program = 4000
local max_depth = 30

-- ---- sets of bytes -------------------------------------------------------------------------------

local function set_of(test)
  local set = {}
  for byte = 0, 255 do
    set[byte + 1] = test(string.char(byte)) and true or false
  end
  return set
end

local patterns = {
  d = "[0-9]", D = "[^0-9]", w = "[A-Za-z0-9_]", W = "[^A-Za-z0-9_]", s = "[ \t\r\n\f\v]", S = "[^ \t\r\n\f\v]",
  ["."] = "[^\n]",
}

-- Made when an expression first needs them.
local classes = setmetatable({}, {
  __index = function(self, letter)
    local pattern = patterns[letter]
    if pattern then
      self[letter] = set_of(function(char)
        return char:find(pattern) ~= nil
      end)
      return self[letter]
    end
  end,
})

local control = { t = "\t", n = "\n", r = "\r", f = "\f", v = "\v" }

local function one(char, fold)
  return set_of(function(other)
    return other == char or fold and other:lower() == char:lower()
  end)
end

-- ---- reading -------------------------------------------------------------------------------------
-- A reader is {text, at, groups, fold, depth}. Nodes: {"set", set}, {"list", ...}, {"either", a, b},
-- {"repeat", node, low, high}, {"assert", kind}.

local function fail(message)
  error({ regex_problem = message }, 0)
end

local function read_escape(reader)
  local char = reader.text:sub(reader.at + 1, reader.at + 1)
  if char == "" then
    fail "it ends with a backslash"
  end
  reader.at = reader.at + 2
  if char ~= "." and classes[char] then
    return classes[char]
  elseif char == "b" or char == "B" then
    return nil, char
  elseif control[char] then
    return one(control[char])
  elseif char:find "%w" then
    fail(("\\%s is not supported"):format(char))
  end
  return one(char, reader.fold), nil, char
end

local function add_range(set, low, high, fold)
  if low > high then
    fail(("the range %s-%s is backwards"):format(low, high))
  end
  for byte = low:byte(), high:byte() do
    local char = string.char(byte)
    set[byte + 1] = true
    if fold then
      set[char:lower():byte() + 1], set[char:upper():byte() + 1] = true, true
    end
  end
end

-- One member of a class: a set, or a single character.
local function class_member(reader)
  local char = reader.text:sub(reader.at, reader.at)
  if char == "" then
    fail "a [ has no ]"
  elseif char ~= "\\" then
    reader.at = reader.at + 1
    return nil, char
  end
  local set, assertion, plain = read_escape(reader)
  if assertion then
    fail(("\\%s stands in a class"):format(assertion))
  end
  return set, plain
end

local function read_class(reader)
  reader.at = reader.at + 1
  local text = reader.text
  local negated = text:sub(reader.at, reader.at) == "^"
  reader.at = reader.at + (negated and 1 or 0)
  local set, first = set_of(function() return false end), true
  while first or text:sub(reader.at, reader.at) ~= "]" do
    local members, char = class_member(reader)
    if char then
      local high = char
      if text:find("^%-[^%]]", reader.at) then
        reader.at = reader.at + 1
        local _, other = class_member(reader)
        high = other or fail "a range ends in a class"
      end
      add_range(set, char, high, reader.fold)
    else
      for index = 1, 256 do
        set[index] = set[index] or members[index]
      end
    end
    first = false
  end
  reader.at = reader.at + 1
  for index = 1, negated and 256 or 0 do
    set[index] = not set[index]
  end
  return { "set", set }
end

local read_choice

local function read_group(reader)
  if not reader.groups then
    fail "parentheses are not supported"
  end
  reader.depth = reader.depth + 1
  if reader.depth > max_depth then
    fail "it is nested too deeply"
  end
  local text = reader.text
  if text:sub(reader.at, reader.at + 2) == "(?:" then
    reader.at = reader.at + 3
  elseif text:sub(reader.at + 1, reader.at + 1) == "?" then
    fail(("%s is not supported"):format(text:sub(reader.at, reader.at + 2)))
  else
    reader.at = reader.at + 1
  end
  local node = read_choice(reader)
  if text:sub(reader.at, reader.at) ~= ")" then
    fail "a ( has no )"
  end
  reader.at, reader.depth = reader.at + 1, reader.depth - 1
  return node
end

-- A character of several bytes is one atom.
local function read_literal(reader)
  local bytes = reader.text:match("^[\xc2-\xf4][\x80-\xbf]+", reader.at) or reader.text:sub(reader.at, reader.at)
  reader.at = reader.at + #bytes
  local node = { "list" }
  for char in bytes:gmatch(".") do
    node[#node + 1] = { "set", one(char, reader.fold) }
  end
  return #node == 2 and node[2] or node
end

local function read_atom(reader)
  local char = reader.text:sub(reader.at, reader.at)
  if char == "[" then
    return read_class(reader)
  elseif char == "(" then
    return read_group(reader)
  elseif char == "\\" then
    local set, assertion = read_escape(reader)
    return assertion and { "assert", assertion } or { "set", set }
  elseif char == "*" or char == "+" or char == "?" then
    fail(("there is nothing to repeat before %s"):format(char))
  elseif char == "." then
    reader.at = reader.at + 1
    return { "set", classes["."] }
  elseif char == "^" or char == "$" then
    reader.at = reader.at + 1
    return { "assert", char }
  end
  return read_literal(reader)
end

local counts = { ["*"] = { 0, nil }, ["+"] = { 1, nil }, ["?"] = { 0, 1 } }

-- The bounds of a repetition at the reader's place, or nil.
local function read_count(reader)
  local text = reader.text
  local count = counts[text:sub(reader.at, reader.at)]
  local low, high
  if count then
    low, high, reader.at = count[1], count[2], reader.at + 1
  else
    local first, comma, last, after = text:match("^{(%d+)(,?)(%d*)}()", reader.at)
    if not first then
      return nil
    end
    low = tonumber(first)
    high = comma == "" and low or tonumber(last)
    reader.at = after
    if low > 1000 or high and (high > 1000 or high < low) then
      fail "a repetition is out of bounds"
    end
  end
  if text:sub(reader.at, reader.at) == "?" then
    reader.at = reader.at + 1 -- as few as possible: the same texts fit
  end
  return low, high
end

local function read_list(reader)
  local list = { "list" }
  while reader.at <= #reader.text and not reader.text:find("^[|)]", reader.at) do
    local atom = read_atom(reader)
    local low, high = read_count(reader)
    list[#list + 1] = low and { "repeat", atom, low, high } or atom
  end
  return list
end

function read_choice(reader)
  local node = read_list(reader)
  while reader.text:sub(reader.at, reader.at) == "|" do
    reader.at = reader.at + 1
    node = { "either", node, read_list(reader) }
  end
  return node
end

-- ---- making the automaton ------------------------------------------------------------------------
-- States are made from the end to the start: emit(node, next) gives the node's first state.

local function add(program, state)
  program[#program + 1] = state
  if #program > max_program then
    fail "it is too large"
  end
  return #program
end

local emit

local function emit_repeat(program, node, after)
  local atom, low, high = node[2], node[3], node[4]
  local state = after
  if not high then
    local loop = add(program, { kind = "split" })
    program[loop].a, program[loop].b = emit(program, atom, loop), after
    state = loop
  else
    for _ = low + 1, high do
      state = add(program, { kind = "split", a = emit(program, atom, state), b = after })
    end
  end
  for _ = 1, low do
    state = emit(program, atom, state)
  end
  return state
end

function emit(program, node, after)
  local kind = node[1]
  if kind == "set" then
    return add(program, { kind = "set", set = node[2], a = after })
  elseif kind == "assert" then
    return add(program, { kind = "assert", what = node[2], a = after })
  elseif kind == "either" then
    local a = emit(program, node[2], after)
    return add(program, { kind = "split", a = a, b = emit(program, node[3], after) })
  elseif kind == "repeat" then
    return emit_repeat(program, node, after)
  end
  for index = #node, 2, -1 do
    after = emit(program, node[index], after)
  end
  return after
end

--- Makes a matcher of an expression, or nil and what is wrong with it. `groups` allows parentheses.
function regex.compile(text, groups)
  local fold = groups and text:sub(1, 4) == "(?i)"
  local reader = { text = text, at = fold and 5 or 1, groups = groups, fold = fold, depth = 0 }
  local program = {}
  local ok, problem = pcall(function()
    local node = read_choice(reader)
    if reader.at <= #text then
      fail "a ) has no ("
    end
    program.start = emit(program, node, add(program, { kind = "match" }))
  end)
  if not ok then
    if type(problem) == "table" and problem.regex_problem then
      return nil, problem.regex_problem
    end
    error(problem, 0)
  end
  return program
end

-- ---- matching ------------------------------------------------------------------------------------

local function holds(what, text, at)
  if what == "^" then
    return at == 1
  elseif what == "$" then
    return at == #text + 1
  end
  local word = classes.w
  local before = at > 1 and word[text:byte(at - 1) + 1] or false
  local after = at <= #text and word[text:byte(at) + 1] or false
  return (before ~= after) == (what == "b")
end

-- Adds a state and all that it leads to without a byte. True when the end is among them.
local function follow(program, first, text, at, list, seen)
  local stack = { first }
  while #stack > 0 do
    local index = table.remove(stack)
    local state = program[index]
    if seen[index] ~= at then
      seen[index] = at
      if state.kind == "match" then
        return true
      elseif state.kind == "set" then
        list[#list + 1] = state
      elseif state.kind == "split" then
        stack[#stack + 1], stack[#stack + 2] = state.b, state.a
      elseif holds(state.what, text, at) then
        stack[#stack + 1] = state.a
      end
    end
  end
  return false
end

--- Whether a part of the text fits.
function regex.find(program, text)
  local list, seen = {}, {}
  for at = 1, #text + 1 do
    if follow(program, program.start, text, at, list, seen) then
      return true
    end
    local byte, following, marks = text:byte(at), {}, {}
    if not byte then
      return false
    end
    for _, state in ipairs(list) do
      if state.set[byte + 1] and follow(program, state.a, text, at + 1, following, marks) then
        return true
      end
    end
    list, seen = following, marks
  end
  return false
end

return regex

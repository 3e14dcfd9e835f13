--- MD5 in Lua, for tests only: in the product the host gives it to `sim.native`.

local shifts = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 } }
local mix = {
  function(b, c, d) return b & c | ~b & d end,
  function(b, c, d) return d & b | ~d & c end,
  function(b, c, d) return b ~ c ~ d end,
  function(b, c, d) return c ~ (b | ~d & 0xffffffff) end,
}

local function place_of(round, i)
  return ({ i, 5 * i + 1, 3 * i + 5, 7 * i })[round] % 16 + 1
end

local function compress(state, block)
  local w = { string.unpack("<I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4", block) }
  local a, b, c, d = table.unpack(state)
  for i = 0, 63 do
    local round = i // 16 + 1
    local k = math.floor(math.abs(math.sin(i + 1)) * (1 << 32))
    local f = a + (mix[round](b, c, d) & 0xffffffff) + k + w[place_of(round, i)] & 0xffffffff
    local bits = shifts[round][i % 4 + 1]
    a, d, c, b = d, c, b, b + (f << bits | f >> (32 - bits)) & 0xffffffff
  end
  for i, value in ipairs { a, b, c, d } do
    state[i] = state[i] + value & 0xffffffff
  end
end

return function(text)
  local state = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 }
  local padded = text .. "\128" .. ("\0"):rep((55 - #text) % 64) .. string.pack("<I8", #text * 8)
  for at = 1, #padded, 64 do
    compress(state, padded:sub(at, at + 63))
  end
  return (string.pack("<I4I4I4I4", table.unpack(state)):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

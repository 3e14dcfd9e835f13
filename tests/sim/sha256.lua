--- SHA-256 in Lua, for tests only: in the product the host gives it to `sim.native`.

local k, primes, candidate = {}, 0, 2
local initial = {}

local function is_prime(number)
  for divisor = 2, math.floor(math.sqrt(number)) do
    if number % divisor == 0 then
      return false
    end
  end
  return true
end

-- The first 32 bits of the fraction of a root, in integers: doubles are too short for cube roots.
local function fraction(number, power)
  local low, high = 0, 1 << 37
  while high - low > 1 do -- the largest x with (x / 2^32)^power <= number
    local middle = (low + high) // 2
    local a = middle / (1 << 32)
    local value = power == 2 and a * a or a * a * a
    if value <= number then
      low = middle
    else
      high = middle
    end
  end
  return low & 0xffffffff
end

while primes < 64 do
  if is_prime(candidate) then
    primes = primes + 1
    k[primes] = fraction(candidate, 3)
    if primes <= 8 then
      initial[primes] = fraction(candidate, 2)
    end
  end
  candidate = candidate + 1
end

local function rotate(value, bits)
  return (value >> bits | value << (32 - bits)) & 0xffffffff
end

local function schedule(block)
  local w = { string.unpack(">I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4", block) }
  for i = 17, 64 do
    local a, b = w[i - 15], w[i - 2]
    local s0 = rotate(a, 7) ~ rotate(a, 18) ~ a >> 3
    local s1 = rotate(b, 17) ~ rotate(b, 19) ~ b >> 10
    w[i] = w[i - 16] + s0 + w[i - 7] + s1 & 0xffffffff
  end
  return w
end

local function compress(state, block)
  local w = schedule(block)
  local a, b, c, d, e, f, g, h = table.unpack(state)
  for i = 1, 64 do
    local s1 = rotate(e, 6) ~ rotate(e, 11) ~ rotate(e, 25)
    local t1 = h + s1 + (e & f ~ ~e & g) + k[i] + w[i]
    local s0 = rotate(a, 2) ~ rotate(a, 13) ~ rotate(a, 22)
    local t2 = s0 + (a & b ~ a & c ~ b & c)
    a, b, c, d, e, f, g, h = t1 + t2 & 0xffffffff, a, b, c, d + t1 & 0xffffffff, e, f, g
  end
  for i, value in ipairs { a, b, c, d, e, f, g, h } do
    state[i] = state[i] + value & 0xffffffff
  end
end

return function(text)
  local state = { table.unpack(initial) }
  local padded = text .. "\128" .. ("\0"):rep((55 - #text) % 64) .. string.pack(">I8", #text * 8)
  for at = 1, #padded, 64 do
    compress(state, padded:sub(at, at + 63))
  end
  return ("%08x%08x%08x%08x%08x%08x%08x%08x"):format(table.unpack(state))
end

--- Base64, for the tokens that services put into texts.

local base64 = {}

local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

function base64.encode(text)
  local out = {}
  for at = 1, #text, 3 do
    local a, b, c = text:byte(at, at + 2)
    local bits = a << 16 | (b or 0) << 8 | (c or 0)
    for part = 0, 3 do
      local index = bits >> (18 - 6 * part) & 63
      out[#out + 1] = (part == 2 and not b or part == 3 and not c) and "=" or alphabet:sub(index + 1, index + 1)
    end
  end
  return table.concat(out)
end

--- The bytes of a text, or nil when it is not Base64.
function base64.decode(text)
  if #text % 4 ~= 0 or text:find("[^%w+/=]") or text:find("=[^=]") or text:find("===") then
    return nil
  end
  local out, bits, held = {}, 0, 0
  for letter in text:gmatch("[^=]") do
    bits, held = (bits << 6 | alphabet:find(letter, 1, true) - 1) & 0xffffff, held + 6
    if held >= 8 then
      held = held - 8
      out[#out + 1] = string.char(bits >> held & 255)
    end
  end
  return table.concat(out)
end

return base64

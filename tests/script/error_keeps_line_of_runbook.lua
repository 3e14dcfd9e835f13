-- expect: ok
return {
  plan = function(run, args)
    local M = require "raising"
    local _, e = attempt(M.f)
    assert(e.where:find("^modules/raising.lua:2$") or e.where:find("error_keeps_line"), e.where)
    local ok, err = pcall(function() M.f() end)
    assert(tostring(err):find("modules/raising.lua:2: inside", 1, true), tostring(err))
  end,
}

-- expect: ok
return {
  plan = function(run, args)
    local M = require "good"
    assert(M.double(4) == 8 and require("good") == M)
    local _, e = attempt(require, "broken")
    assert(e.code == "SyntaxError" and e.where == "modules/broken.lua:1")
    assert(not pcall(require, "silent") and not pcall(require, "none"))
    assert(not pcall(require, "cycle_a") and not pcall(require, "cycle_a"))
    assert(require("good").double(1) == 2)
  end,
}

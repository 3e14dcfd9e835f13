-- expect: error too large
return {
  plan = function(run, args)
    local t = { 1 }
    for i = 1, 60 do t = { t, t } end
    return json.encode(t)
  end,
}

-- expect: usage InvalidJson
-- clock: real
return {
  plan = function(run, args)
    return json.decode(("["):rep(100000))
  end,
}

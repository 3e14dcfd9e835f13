-- expect: script SyntaxError
-- clock: real
return [=====[ never closed ]====]

--- An account on its first day: a VPC with three subnets, and nothing else.

return function(_) end

--- Asking the application itself: where its health page is, and what it answers.
--
-- Uses: ssm.get_parameter, http.get.

local patience = require "moonbook.patience"

local application = {}

--- The address of the health page, by what an operator or the environment says: `health_url` itself, or
-- `health_path` at the load balancer whose name the SSM parameter `alb_dns_parameter` holds. nil and why
-- there is none.
function application.address(args)
  if args.health_url then
    return args.health_url
  end
  if not args.alb_dns_parameter then
    return nil, "neither health_url nor alb_dns_parameter is given"
  end
  local answer, err = patience.attempt(ssm.get_parameter, { name = args.alb_dns_parameter })
  if answer then
    -- A SecureString arrives as a secret; a name that everybody may resolve is none.
    return "http://" .. reveal(answer.parameter.value) .. args.health_path
  end
  if err.code == "ParameterNotFound" then
    return nil, ("there is no SSM parameter %s"):format(args.alb_dns_parameter)
  end
  error(err, 0)
end

--- Asks a URL. Gives { ok, message, status }: ok when it answers 200 and, with `want_ok`, the JSON
-- {"status":"ok"}. An application that does not answer is not an error here: it is not ok.
function application.probe(url, timeout, want_ok)
  local answer, err = attempt(http.get, { url = url, timeout = timeout })
  if not answer then
    return { ok = false, message = ("%s: %s"):format(url, err.message) }
  end
  local seen = { ok = answer.status == 200, status = answer.status }
  seen.message = ("%s answered %d"):format(url, answer.status)
  if seen.ok and want_ok then
    local body = attempt(json.decode, answer.body)
    seen.ok = type(body) == "table" and body.status == "ok"
    if not seen.ok then
      seen.message = seen.message .. ', but not {"status":"ok"}'
    end
  end
  return seen
end

return application

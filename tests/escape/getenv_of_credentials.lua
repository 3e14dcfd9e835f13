-- expect: script NotAvailable
return {
  plan = function(run, args)
    return os.getenv('AWS_SECRET_ACCESS_KEY')
  end,
}

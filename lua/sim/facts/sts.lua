--- Texts of the Security Token Service, each with the confidence of its source.

return {
  session = 3600,        -- seconds of a role's session when nobody says; S
  token_session = 43200, -- seconds of a session of one's own; S

  errors = {
    bad_arn = "%s is invalid", -- K
    denied = "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", -- O
    long = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", -- K
    session = "Cannot call GetSessionToken with session credentials", -- K
  },
}

--- Texts and limits of Parameter Store, each with the confidence of its source.

return {
  versions = 100, -- D
  errors = {
    missing = "", -- O1
    version = "Systems Manager could not find version of %s. Verify the version and try again.", -- K
    exists = "The parameter already exists. To overwrite this value, set the overwrite option in the request to "
      .. "true.", -- K
    name = "Parameter name must be a fully qualified name. It can consist of sub-paths divided by slash symbol; each "
      .. "sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_", -- K
    reserved = "No access to reserved parameter name.", -- K
    path = "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward "
      .. "slash \"/\".", -- K
    type = "A parameter type is required when you create a parameter.", -- K
    unsupported = "The parameter type is not supported.", -- S
    change = "Cannot change the type of a parameter to or from SecureString.", -- I
    tags = "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please "
      .. "remove overwrite flag.", -- K
    long = "The length of the parameter value is over %d characters.", -- I
    versions = "Parameter %s has the maximum number of versions and the oldest one has labels.", -- I
  },
}

--- Texts of Secrets Manager, each with the confidence of its source.

return {
  errors = {
    missing = "Secrets Manager can't find the specified secret.", -- K
    stageless = "Secrets Manager can't find the specified secret value for staging label: %s", -- K
    version = "Secrets Manager can't find the specified secret value for VersionId: %s", -- K
    deleted = "You can't perform this operation on the secret because it was marked for deletion.", -- K
    scheduled = "You can't create this secret because a secret with this name is already scheduled for deletion.", -- K
    exists = "The operation failed because the secret %s already exists.", -- K
    token = "You can't use the same ClientRequestToken for a secret value that is not the same.", -- I
    both = "You can't specify both a binary secret value and a string secret value in the same secret.", -- K
    neither = "You must provide either SecretString or SecretBinary.", -- K
    name = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: "
      .. "-/_+=.@!", -- K
    stage = "The staging label %s is currently attached to version %s, so you must explicitly reference that "
      .. "version in RemoveFromVersionId.", -- K
    tag = "You must specify a key for each tag.", -- I
    window = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).", -- K
    window_and_force = "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.", -- K
  },
}

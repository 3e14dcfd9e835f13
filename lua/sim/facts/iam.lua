--- Texts of IAM and what AWS's own policies hold, each with the confidence of its source.

return {
  long_ago = 1423094714, -- when AWS's own policies were made, near enough; I

  opaque = '{"Version":"2012-10-17","Statement":[]}',
  managed = {
    AmazonECSTaskExecutionRolePolicy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":['
      .. '"ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability","ecr:GetDownloadUrlForLayer",'
      .. '"ecr:BatchGetImage",'
      .. '"logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}', -- D
  },

  errors = { -- K
    role = "The role with name %s cannot be found.",
    role_exists = "Role with name %s already exists.",
    policy = "Policy %s does not exist or is not attachable.",
    policy_exists = "A policy called %s already exists. Duplicate names are not allowed.",
    inline_policy = "The role policy with name %s cannot be found.",
    version = "Policy %s version %s does not exist or is not attachable.",
    attached = "Cannot delete entity, must detach all policies first.",
    inline = "Cannot delete entity, must delete policies first.",
    policy_attached = "Cannot delete a policy attached to entities.",
  },
}

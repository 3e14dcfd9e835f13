--- Texts, durations and limits of ECR and its registry, each with the confidence mark of its source:
-- S model, D documentation, O observed, K known, I inferred.

local facts = {}

facts.texts = {
  repository_missing = "The repository with name '%s' does not exist in the registry with id '%s'", -- K
  repository_exists = "The repository with name '%s' already exists in the registry with id '%s'", -- K
  repository_not_empty = "The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", -- K
  name_invalid = "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression "
    .. "'(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''", -- K
  mutability = "Invalid parameter at 'imageTagMutability' failed to satisfy constraint: 'Member must satisfy enum value "
    .. "set: [%s]'", -- K
  filters = "Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: 'filters are given "
    .. "with, and only with, a mutability WITH_EXCLUSION'", -- I
  image_missing = "The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'", -- K
  image_exists = "Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id '%s'", -- K
  tag_exists = "The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the tag is immutable.", -- O: since 2025; before, "the repository is"
  digest_differs = "The digest of the image manifest is '%s', not '%s'", -- I
  manifest_invalid = "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'", -- O
  manifest_type = "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Manifest media type '%s' is not supported'", -- I
  layers_missing = "Layers with digests '%s' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist", -- K
  children_missing = "Images with digests '%s' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist", -- K
  layer_missing = "Layer with digest '%s' does not exist in the repository with name '%s' in the registry with id '%s'", -- I
  layer_exists = "Layer with digest '%s' already exists in the repository with name '%s' in the registry with id '%s'", -- I
  layer_too_large = "The simulator holds layers of at most %d bytes.", -- ours
  layer_digest = "The layer's digest is '%s', not '%s'", -- I
  upload_missing = "Upload with id '%s' does not exist in the repository with name '%s' in the registry with id '%s'", -- I
  upload_empty = "Upload with id '%s' has no layer parts", -- I
  part_first = "First byte of the layer part is %d instead of %d", -- O
  part_length = "The layer part says bytes %d to %d and holds %d bytes", -- I
  part_small = "Layer parts must be at least %d bytes, except the last one", -- I
  not_found = "Requested image not found", -- S
  policy_missing = "Repository policy does not exist for the repository with name '%s' in the registry with id '%s'", -- K
  policy_invalid = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'", -- K
  lifecycle_missing = "Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'", -- K
  lifecycle_invalid = "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: %s'", -- K
  preview_missing = "Lifecycle policy preview does not exist for the repository with name '%s' in the registry with id '%s'", -- I
  preview_running = "The previous lifecycle policy preview request for the repository with name '%s' has not completed", -- I
  scan_missing = "Image scan does not exist for the image with '{imageDigest:'%s', imageTag:'%s'}' in the repository with name '%s' in the registry with id '%s'", -- K
  scan_done = "The scan was completed successfully.", -- K
  scan_type = "The image with digest '%s' is a manifest list, which cannot be scanned", -- I
  token_expired = "Your authorization token has expired. Reauthenticate and try again.", -- K
  unauthorised = "Not Authorized\n", -- O
}

facts.durations = { -- seconds
  token = 12 * 3600, -- D
  scan = 30, -- I
  preview = 5, -- I
  lifecycle = 24 * 3600, -- D: within 24 hours
}

facts.limits = {
  part_size = 10485760, -- K: what InitiateLayerUpload says
  smallest_part = 5242880, -- D
  page = 100, -- S
  largest_layer = 128 * 1024 * 1024, -- ours: one text of the simulator's Lua
}

facts.media = {
  docker_manifest = "application/vnd.docker.distribution.manifest.v2+json",
  docker_list = "application/vnd.docker.distribution.manifest.list.v2+json",
  oci_manifest = "application/vnd.oci.image.manifest.v1+json",
  oci_index = "application/vnd.oci.image.index.v1+json",
  oci_config = "application/vnd.oci.image.config.v1+json",
  oci_layer = "application/vnd.oci.image.layer.v1.tar+gzip",
}

-- What an image on another registry runs on when no scenario says otherwise.
facts.public_platforms = { "linux/amd64", "linux/arm64" } -- I

return facts

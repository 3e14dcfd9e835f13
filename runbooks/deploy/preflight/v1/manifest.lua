return {
  name = "deploy/preflight",
  version = "1.0.0",
  moonbook = 1,
  summary = "Find what would make a deployment fail, reading no secret value and writing nothing",
  kind = "validate",
  effect = "reads",
  uses = { "ecs.preflight" },
  -- Where ECR keeps the configuration of an image, which names its processor.
  hosts = { "*.amazonaws.com", "*.amazonaws.com.cn" },
  timeout = "5m",
  args = {
    { name = "cluster", type = "string", required = true, setting = "cluster", doc = "the cluster" },
    { name = "service", type = "string", required = true, setting = "service", doc = "the service" },
    {
      name = "image",
      type = "string",
      doc = "the image that would be deployed: a tag of the present repository, REPOSITORY:TAG or a full URI",
    },
    {
      name = "container",
      type = "string",
      doc = "the container that the image is for; the load balancer's unless said",
    },
    {
      name = "task_definition",
      type = "string",
      doc = "the revision that would be deployed; the service's own unless said",
    },
  },
}

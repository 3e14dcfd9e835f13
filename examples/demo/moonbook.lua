-- The settings of a project: data only, nothing in here can run.
return {
  app = "aistudio",
  environments = {
    dev = { region = "eu-west-1" },
    prod = { region = "eu-west-1" },
  },
}

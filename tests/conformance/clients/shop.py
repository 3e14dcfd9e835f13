"""The simulated world in which waiters and paginators run, and boto3 clients for it."""
import json
import time
import urllib.error

import boto3
import botocore.config
import botocore.exceptions
from simulated import REGION, SECRET

SCENARIO = """
service { app = "shop", env = "dev", desired = 2, image = "shop:v1", load_balancer = true, alarms = true,
          deregistration_delay = 30, autoscaling = { min = 2, max = 4 }, secrets = { TOKEN = "shop/dev/token" } }
image { name = "shop:broken", crash = { exit = 1, after = "2s" } }
fault { kind = "scan_findings", key = "shop:v1", value = {
  { name = "CVE-2025-0001", severity = "HIGH", description = "one", uri = "https://example.com/1" },
  { name = "CVE-2025-0002", severity = "LOW", description = "two", uri = "https://example.com/2" },
  { name = "CVE-2025-0003", severity = "LOW", description = "three", uri = "https://example.com/3" } } }
"""

# botocore's name of each service of the simulated world, and the simulator's.
SERVICES = {name: name for name in ["cloudformation", "cloudwatch", "ec2", "ecr", "ecs", "elbv2", "iam", "logs",
                                    "s3", "secretsmanager", "ssm", "sts", "wafv2"]}
SERVICES["application-autoscaling"] = "application_autoscaling"


class Shop:
    """Clients for a server that serves SCENARIO, and what recipes need again and again."""

    cluster = service = "shop-dev"
    image = "shop:v1"

    def __init__(self, server):
        self.server, self.clients, self.numbers = server, {}, 0

    def __getattr__(self, service):
        """shop.ecs is the client of ECS, and so on; a dash in the name is written as an underscore."""
        return self.client(service.replace("_", "-"))

    def client(self, service):
        if service not in self.clients:
            config = botocore.config.Config(retries={"max_attempts": 0})
            self.clients[service] = boto3.client(
                service, endpoint_url=self.server.endpoint, region_name=REGION, config=config,
                aws_access_key_id="AKIASIMULATED0000000", aws_secret_access_key=SECRET)
        return self.clients[service]

    def simulates(self, service, operation):
        """Whether the simulator has an operation (both in the names of botocore's methods)."""
        try:
            answer = self.server.control("call", service=SERVICES[service], operation=operation, input={})
        except urllib.error.HTTPError as problem:
            answer = problem.read().decode()
        return "NotSimulated" not in json.dumps(answer)

    def name(self, word):
        """A name that was not given before."""
        self.numbers += 1
        return f"{word}-{self.numbers}"

    def until(self, true, seconds=60):
        """Waits until `true()`; the caller's claim fails with a TimeoutError otherwise."""
        last = time.monotonic() + seconds
        while not true():
            if time.monotonic() > last:
                raise TimeoutError(f"did not come about within {seconds} seconds")
            time.sleep(0.05)

    def network(self):
        subnets = [subnet["SubnetId"] for subnet in self.ec2.describe_subnets()["Subnets"][:2]]
        return {"awsvpcConfiguration": {"subnets": subnets, "assignPublicIp": "ENABLED"}}

    def definition(self, image="shop:v1"):
        """Registers a task definition of its own family; gives its ARN."""
        registry = f"123456789012.dkr.ecr.{REGION}.amazonaws.com"
        return self.ecs.register_task_definition(
            family=self.name("family"), networkMode="awsvpc", cpu="256", memory="512",
            requiresCompatibilities=["FARGATE"], executionRoleArn="arn:aws:iam::123456789012:role/shop-dev-execution",
            containerDefinitions=[{"name": "web", "image": f"{registry}/{image}", "essential": True}],
        )["taskDefinition"]["taskDefinitionArn"]

    def task(self, **more):
        """Runs one task; gives its ARN."""
        definition = more.pop("definition", None) or self.cluster
        return self.ecs.run_task(cluster=self.cluster, taskDefinition=definition, launchType="FARGATE",
                                 networkConfiguration=self.network(), **more)["tasks"][0]["taskArn"]

    def stack(self, resources, name=None, **more):
        """Creates a stack of resources (a template's Resources); gives its name."""
        name = name or self.name("stack")
        self.cloudformation.create_stack(StackName=name, TemplateBody=template(resources, **more),
                                         Capabilities=["CAPABILITY_NAMED_IAM"])
        return name

    def finished_stack(self, resources, **more):
        """The same, when it is there."""
        name = self.stack(resources, **more)
        self.until(lambda: self.stack_status(name) == "CREATE_COMPLETE")
        return name

    def stack_status(self, name):
        return self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]

    def group(self):
        """The ARN of the service's target group."""
        groups = self.elbv2.describe_target_groups()["TargetGroups"]
        return next(group["TargetGroupArn"] for group in groups if group["TargetGroupName"].startswith("shop-dev"))


def template(resources, **more):
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources, **more})


def log_group(name=None):
    """A resource for templates."""
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name} if name else {}}

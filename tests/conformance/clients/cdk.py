"""The CDK CLI with its library, from an app's code to a service that runs in the simulated AWS and is gone again."""
import os
import pathlib
import subprocess
import tempfile

from simulated import REGION, environment

SCENARIO = """
service { app = "shop", env = "dev", desired = 1, image = "shop:v1" }
image { name = "shop:v2" }
image { name = "shop:broken", crash = { exit = 1, after = "2s" } }
"""
APP = pathlib.Path(__file__).resolve().parent / "app"
SERVICE = "cdk-shop"


class Cdk:
    """The CLI in a folder of its own, and what the world holds after it."""

    def __init__(self, server, modules, folder):
        self.server, self.program, self.folder = server, modules / ".bin" / "cdk", folder
        network = {
            "VPC": self.call("ec2", "describe_vpcs")["vpcs"][0]["vpc_id"],
            "SUBNETS": ",".join(each["subnet_id"] for each in self.call("ec2", "describe_subnets")["subnets"][:2]),
        }
        self.environment = environment(AWS_ENDPOINT_URL=server.endpoint, CDK_DISABLE_CLI_TELEMETRY="1",
                                       CDK_HOME=str(folder / "home"), CDK_MODULES=str(modules), NO_COLOR="1",
                                       NODE_NO_WARNINGS="1", HOME=str(folder), **network)
        self.environment.pop("CI", None)

    def call(self, service, operation, **more):
        """What an operation gives, by the control interface; empty when it fails."""
        return self.server.control("call", service=service, operation=operation, input=more).get("output", {})

    def run(self, *words, **more):
        """Exit code and text; `more` is what the app's code reads from its environment."""
        done = subprocess.run([str(self.program), *words, "--no-notices", "--ci"], cwd=self.folder, capture_output=True,
                              text=True, timeout=600, env={**self.environment, **more})
        return done.returncode, done.stdout + done.stderr

    def synth(self, name, **more):
        """Makes a cloud assembly; gives exit code and text."""
        return self.run("synth", "--quiet", "--app", f"node {APP / 'app.js'}", "--output", name, **more)

    def deploy(self, name, *flags):
        return self.run("deploy", "--app", name, "--require-approval", "never", *flags)

    def service(self):
        """The service as ECS describes it, and the image that its task definition names."""
        found = self.call("ecs", "describe_services", cluster=SERVICE, services=[SERVICE]).get("services")
        if not found or found[0]["status"] != "ACTIVE":
            return None, None
        definition = self.call("ecs", "describe_task_definition", task_definition=found[0]["task_definition"])
        return found[0], definition["task_definition"]["container_definitions"][0]["image"].rsplit(":", 1)[1]

    def stack(self):
        """The stack's status; None when there is none."""
        for stack in self.call("cloudformation", "describe_stacks")["stacks"]:
            if stack["stack_name"] == "Shop":
                return stack["stack_status"]
        return None


def _toolkit(cdk):
    """What `cdk bootstrap` would have made."""
    cdk.call("cloudformation", "create_stack", stack_name="CDKToolkit", template_body=(APP / "toolkit.json").read_text())
    cdk.server.control("advance", time="5m")
    stack = cdk.call("cloudformation", "describe_stacks", stack_name="CDKToolkit")["stacks"][0]
    return stack["stack_status"]


def _runs(report, cdk, claim, tag):
    service, image = cdk.service()
    report.check(claim, service is not None and service["running_count"] == 1 and image == tag
                 and len(service["deployments"]) == 1, f"{image}: {service}")


def run(report, server, modules):
    """Runs them. `modules` is the folder node_modules in which the CDK is."""
    with tempfile.TemporaryDirectory() as folder:
        cdk, check = Cdk(server, modules, pathlib.Path(folder)), report.check
        status = _toolkit(cdk)
        check("the toolkit stack is there", status == "CREATE_COMPLETE", status)
        for name, more in (("first", {}), ("second", {"IMAGE_TAG": "v2", "LOGS": "14"}), ("broken", {"IMAGE_TAG": "broken"})):
            code, text = cdk.synth(name, **more)
            check(f"cdk synth: {name}", code == 0, text)

        code, text = cdk.deploy("first")
        check("cdk deploy makes the stack", code == 0 and cdk.stack() == "CREATE_COMPLETE", text)
        check("cdk deploy shows the outputs", f"Shop.ServiceName = {SERVICE}" in text, text)
        check("cdk deploy shows progress by resource", "CREATE_COMPLETE" in text and "AWS::ECS::Service" in text, text)
        _runs(report, cdk, "the service of the stack runs", "v1")
        code, text = cdk.deploy("first")
        check("cdk deploy of the same finds no changes", code == 0 and "(no changes)" in text, text)

        code, text = cdk.run("diff", "--app", "second", "--fail")
        check("cdk diff --fail tells of changes", code == 1 and "[~] AWS::Logs::LogGroup" in text
              and "AWS::ECS::TaskDefinition" in text, text)
        code, text = cdk.deploy("second")
        check("cdk deploy updates the stack", code == 0 and cdk.stack() == "UPDATE_COMPLETE", text)
        _runs(report, cdk, "the updated service runs the second image", "v2")
        code, text = cdk.run("diff", "--app", "second", "--fail")
        check("cdk diff --fail finds nothing more", code == 0 and "There were no differences" in text, text)

        code, text = cdk.deploy("broken")
        check("cdk deploy of an image that crashes fails", code == 1 and cdk.stack() == "UPDATE_ROLLBACK_COMPLETE", text)
        check("cdk deploy shows that the breaker was triggered", "ECS Deployment Circuit Breaker was triggered" in text, text)
        _runs(report, cdk, "the service runs the second image again", "v2")

        code, text = cdk.deploy("first", "--hotswap", "--force")
        check("cdk deploy --hotswap changes the service alone", code == 0, text)
        _runs(report, cdk, "the service runs the first image", "v1")
        code, text = cdk.run("list", "--app", "first")
        check("cdk list", code == 0 and "Shop" in text, text)
        code, text = cdk.run("destroy", "--app", "first", "--force")
        check("cdk destroy takes the stack away", code == 0 and cdk.stack() is None, text)
        check("no service is left", cdk.service() == (None, None), cdk.service())

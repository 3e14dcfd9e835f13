"""`moonbook sim record` and the worlds it writes: what clients see in a recorded world must be what they saw
in the one it was recorded from. Both are simulated, on loopback. Needs Python's standard library only.

usage: record.py MOONBOOK
"""
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import urllib.request

LIMIT = 120  # seconds after which a command that should have ended is given up
WHERE = {"cluster": "shop-prod", "service": "shop-prod"}

SECRET, PARAMETER, VARIABLE = "planted-secret-1f0c", "planted-parameter-77aa", "planted-variable-5be2"
LOG_KEY, COMMAND = "planted-log-key-c3d9", "planted-command-8842"

# A service with a history: three good deployments, then one that its circuit breaker rolled back.
WITH_HISTORY = f"""
secret {{ name = "shop/prod/database", value = "{SECRET}" }}
parameter {{ name = "/shop/prod/api-key", value = "{PARAMETER}", type = "SecureString" }}
service {{ app = "shop", env = "prod", desired = 3, image = "shop:v1", autoscaling = {{ min = 2, max = 8 }},
  alarms = true, secrets = {{ DATABASE_URL = "shop/prod/database" }},
  deployment_alarms = {{ "shop-prod-high-error-rate" }} }}
image {{ name = "shop:v2" }}
deploy {{ app = "shop", env = "prod", image = "shop:v2", wait = true }}
advance {{ time = "10m" }}
image {{ name = "shop:v3", platforms = {{ "linux/amd64", "linux/arm64" }} }}
deploy {{ app = "shop", env = "prod", image = "shop:v3", wait = true }}
advance {{ time = "10m" }}
image {{ name = "shop:v4", crash = {{ exit = 1, after = "8s" }} }}
deploy {{ app = "shop", env = "prod", image = "shop:v4", wait = true }}
advance {{ time = "20m" }}
"""

# The same service while a deployment is under way: tasks come up, run, drain and stop.
UNDER_WAY = """
service { app = "shop", env = "prod", desired = 4, image = "shop:v1", alarms = true }
image { name = "shop:v2" }
deploy { app = "shop", env = "prod", image = "shop:v2" }
advance { time = "70s" }
"""

passed, failures = 0, []


def check(name, ok, shown=""):
    global passed
    if ok:
        passed += 1
        print(f"ok - {name}")
    else:
        failures.append(name)
        print(f"not ok - {name}\n#   {str(shown)[:3000]}")


# ---- commands ------------------------------------------------------------------------------------

ENVIRONMENT = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "AWS_ACCESS_KEY_ID": "AKIASIMULATED0000000",
               "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"}
for sanitizer in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
    if sanitizer in os.environ:
        ENVIRONMENT[sanitizer] = os.environ[sanitizer]


class Commands:
    def __init__(self, moonbook, folder):
        self.moonbook, self.folder = moonbook, folder

    def path(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def run(self, *words):
        """Exit code, standard output and standard error."""
        done = subprocess.run([self.moonbook, *words], capture_output=True, text=True, timeout=LIMIT,
                              env={**ENVIRONMENT, "HOME": self.folder}, cwd=self.folder, check=False)
        return done.returncode, done.stdout, done.stderr

    def record(self, server, name, *more):
        return self.run("sim", "record", "--cluster", WHERE["cluster"], "--service", WHERE["service"], "-o",
                        self.path(name), "--endpoint-url", server.endpoint, *more)

    def set_clock(self, server, name):
        """A recording is dated by the recorder's clock, and the clock of a server that stands still is another."""
        world = self.read(name)
        world["recorded_at"] = server.control("info")["now"]
        self.path(name, json.dumps(world))

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return json.load(file)


class Server:
    """One `moonbook sim` whose clock stands still, ended with the block it is used in."""

    def __init__(self, commands, scenario):
        self.command = [commands.moonbook, "sim", "--port", "0", "--output", "ndjson", "--speed", "step",
                        "--scenario", scenario]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        line = self.process.stdout.readline()
        self.endpoint = json.loads(line)["endpoint"] if line else ""
        return self

    def __exit__(self, *_):
        self.process.terminate()
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        if code != 0:
            failures.append(f"the server ended with {code}")

    def control(self, command_name, **args):
        url = f"{self.endpoint}/_moonbook/{command_name}"
        request = urllib.request.Request(url, json.dumps(args).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def ask(self, operation, **args):
        service, name = operation.split(".")
        answer = self.control("call", service=service, operation=name, input=args)
        return answer.get("output", answer)


# ---- what clients see ----------------------------------------------------------------------------

def arns(answer, member, arn):
    return [item[arn] for item in answer.get(member) or []]


def seen(server):
    """The answers to what clients of a service ask, by what was asked."""
    out = {}

    def ask(operation, **args):
        out[f"{operation} {json.dumps(args, sort_keys=True)}"] = answer = server.ask(operation, **args)
        return answer

    ask("ecs.describe_clusters", clusters=[WHERE["cluster"]], include=["SETTINGS", "TAGS"])
    service = ask("ecs.describe_services", cluster=WHERE["cluster"], services=[WHERE["service"]],
                  include=["TAGS"])["services"][0]
    ask("ecs.list_services", cluster=WHERE["cluster"])
    deployments = ask("ecs.list_service_deployments", **WHERE)["service_deployments"]
    described = ask("ecs.describe_service_deployments",
                    service_deployment_arns=[item["service_deployment_arn"] for item in deployments])
    revisions = {item["target_service_revision"]["arn"] for item in described["service_deployments"]}
    for item in ask("ecs.describe_service_revisions", service_revision_arns=sorted(revisions))["service_revisions"]:
        ask("ecs.describe_task_definition", task_definition=item["task_definition"], include=["TAGS"])
    ask("ecs.list_task_definitions", family_prefix=WHERE["service"])
    for status in ("RUNNING", "STOPPED"):
        tasks = ask("ecs.list_tasks", cluster=WHERE["cluster"], service_name=WHERE["service"], desired_status=status)
        if tasks["task_arns"]:
            ask("ecs.describe_tasks", cluster=WHERE["cluster"], tasks=sorted(tasks["task_arns"]), include=["TAGS"])
    see_balancing(ask, service)
    network = service["network_configuration"]["awsvpc_configuration"]
    ask("ec2.describe_subnets", subnet_ids=network["subnets"])
    ask("ec2.describe_security_groups", group_ids=network["security_groups"])
    ask("ec2.describe_vpcs")
    ask("ec2.describe_route_tables")
    ask("ecr.describe_repositories")
    ask("ecr.describe_images", repository_name="shop")["image_details"].sort(key=lambda item: item["image_digest"])
    ask("logs.describe_log_groups")
    ask("cloudwatch.describe_alarms")
    ask("application_autoscaling.describe_scalable_targets", service_namespace="ecs")
    ask("application_autoscaling.describe_scaling_policies", service_namespace="ecs")
    ask("secretsmanager.list_secrets")
    for role in ("shop-prod-execution", "shop-prod-task"):
        ask("iam.get_role", role_name=role)
        ask("iam.list_attached_role_policies", role_name=role)
    return out


def see_balancing(ask, service):
    for balancer in service["load_balancers"]:
        arn = balancer["target_group_arn"]
        group = ask("elbv2.describe_target_groups", target_group_arns=[arn])["target_groups"][0]
        ask("elbv2.describe_target_group_attributes", target_group_arn=arn)
        ask("elbv2.describe_target_health", target_group_arn=arn)
        for front in group["load_balancer_arns"]:
            ask("elbv2.describe_load_balancers", load_balancer_arns=[front])
            ask("elbv2.describe_load_balancer_attributes", load_balancer_arn=front)
            listeners = ask("elbv2.describe_listeners", load_balancer_arn=front)
            for listener in arns(listeners, "listeners", "listener_arn"):
                ask("elbv2.describe_rules", listener_arn=listener)


def comparable(value):
    """Without what a recording leaves out on purpose, and what describes the reading of it."""
    if isinstance(value, dict):
        return {name: "left out" if name in ("stored_bytes",) else
                [{"name": item.get("name")} for item in part] if name == "environment" else comparable(part)
                for name, part in value.items() if part not in ({}, [], None)}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, str) and "planted-" in value:
        return value.split("=")[0] + "=redacted" if "=" in value else "redacted"
    return value


def differences(first, second):
    out = []
    for asked in sorted(set(first) | set(second)):
        one, other = comparable(first.get(asked)), comparable(second.get(asked))
        if one != other:
            out.append(f"{asked}: {point(one, other, '')}")
    return out


def point(one, other, path):
    """Where two values differ first."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(set(one) | set(other)):
            if one.get(name) != other.get(name):
                return point(one.get(name), other.get(name), f"{path}.{name}")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other)):
            if left != right:
                return point(left, right, f"{path}[{index}]")
    return f"at {path}: {json.dumps(one)[:200]} became {json.dumps(other)[:200]}"


# ---- tests ---------------------------------------------------------------------------------------

def plant(server):
    """A task definition whose environment, command and log options hold what must not get out; the service's."""
    service = server.ask("ecs.describe_services", cluster=WHERE["cluster"], services=[WHERE["service"]])["services"][0]
    found = server.ask("ecs.describe_task_definition", task_definition=service["task_definition"])["task_definition"]
    for name in ("task_definition_arn", "revision", "status", "requires_attributes", "compatibilities",
                 "registered_at", "registered_by", "volumes", "placement_constraints"):
        found.pop(name, None)
    container = found["container_definitions"][0]
    container["environment"] = [{"name": "API_PASSWORD", "value": VARIABLE}]
    container["command"] = ["serve", "--db-password", COMMAND, f"--token={COMMAND}"]
    container["secrets"].append({"name": "API_KEY", "value_from": "/shop/prod/api-key"})
    container["mount_points"] = container["volumes_from"] = container["system_controls"] = []
    sidecar = {"name": "router", "image": "amazon/aws-for-fluent-bit:stable", "essential": False,
               "log_configuration": {"log_driver": "splunk", "options": {"splunk-token": LOG_KEY}}}
    found["container_definitions"].append(sidecar)
    made = server.ask("ecs.register_task_definition", **found)["task_definition"]["task_definition_arn"]
    server.ask("ecs.update_service", **WHERE, task_definition=made)
    server.control("settle", timeout="30m")


def test_round_trip(commands):
    with Server(commands, commands.path("history.lua", WITH_HISTORY)) as source:
        plant(source)
        before = source.control("info")["calls"]
        code, out, err = commands.record(source, "world.json")
        calls = [call for call in source.control("calls") if call["request_id"]][-(source.control("info")["calls"]
                                                                               - before):]
        check("recording a service ends well", code == 0 and out == "", err)
        check("the calls are told, with how often each was made",
              re.search(r"^ +\d+ +ecs\.describe_services$", err, re.M) and "all of them reads" in err, err)
        look_at_file(commands)
        commands.set_clock(source, "world.json")
        first = seen(source)
        past = commands.run("run", "history/service", "--cluster", WHERE["cluster"], "--service", WHERE["service"],
                            "--endpoint-url", source.endpoint)
    look_at_past(commands, past)
    names = {call["operation"] for call in calls}
    check("nothing but reads was called", names and all(
        re.match(r"(describe|list|get_role|get_dashboard|batch_get_image)", name) for name in names), names)
    check("no value was asked for", not names & {"get_secret_value", "get_parameter", "get_parameters",
                                                 "get_parameters_by_path", "get_parameter_history"}, names)
    with Server(commands, commands.path("world.json")) as copy:
        second = seen(copy)
        compare("a recorded world with a history is what it was recorded from", first, second)
        told = copy.control("info")
        check("info says where a recorded world comes from",
              told["recorded"]["service"] == WHERE["service"] and not told["recorded"]["not_read"], told)
        value = copy.ask("secretsmanager.get_secret_value", secret_id="shop/prod/database")
        check("a recorded secret has a value that says nothing", value["secret_string"] == "redacted", value)
    statuses = [item["status"] for asked, answer in second.items() if asked.startswith("ecs.list_service_deployments")
                for item in answer["service_deployments"]]
    check("the deployments of the past are there", statuses == [
        "SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "SUCCESSFUL", "SUCCESSFUL", "SUCCESSFUL"], statuses)


def look_at_past(commands, past):
    """What runbooks make of the history, there and here."""
    where = (f"--sim={commands.path('world.json')}", "--cluster", WHERE["cluster"], "--service", WHERE["service"])
    code, out, err = past
    rows = re.findall(r"^ .* shop-prod:\d+ .*$", out, re.M)
    goal = re.search(r"a rollback now would go to ([^ ]+ \(sha256:\w+\))", out)
    check("the history can be told where it was recorded", code == 0 and len(rows) == 5 and goal, out + err)
    code, out, err = commands.run("run", "history/service", *where)
    check("a recorded world tells the same history", code == 0 and re.findall(
        r"^ .* shop-prod:\d+ .*$", out, re.M) == rows and goal[1] in out, out + err)
    code, out, err = commands.run("run", "rollback/ecs", *where, "--yes")
    check("a rollback rehearsed there goes to the same image", code == 0
          and f"is back on {goal[1]}" in re.sub(r"\s+", " ", out), out + err)
    code, out, err = commands.run("run", "deploy/preflight", *where)
    check("nothing speaks against a deployment there", code == 0, out + err)


def compare(name, first, second):
    different = differences(first, second)
    check(f"{name} ({len(first)} answers)", not different and len(first) > 20, "\n#   ".join(different))


def look_at_file(commands):
    path = commands.path("world.json")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for planted in (SECRET, PARAMETER, VARIABLE, LOG_KEY, COMMAND):
        check(f"{planted} is nowhere in the file", planted not in text)
    check("names of variables are", '"API_PASSWORD"' in text)
    check("the file is for its owner alone", stat.S_IMODE(os.stat(path).st_mode) == 0o600)
    check("nothing is left beside it", [name for name in os.listdir(commands.folder) if "world.json" in name]
          == ["world.json"], os.listdir(commands.folder))


def test_under_way(commands):
    with Server(commands, commands.path("under-way.lua", UNDER_WAY)) as source:
        code, _, err = commands.record(source, "moving.json")
        check("a service that is being deployed is recorded", code == 0, err)
        commands.set_clock(source, "moving.json")
        first = seen(source)
    with Server(commands, commands.path("moving.json")) as copy:
        compare("a world recorded during a deployment is as it was", first, seen(copy))
        copy.control("settle", timeout="30m")
        service = copy.ask("ecs.describe_services", cluster=WHERE["cluster"], services=[WHERE["service"]])["services"][0]
        check("the deployment that was under way comes to its end", [
            (item["rollout_state"], item["running_count"]) for item in service["deployments"]] == [("COMPLETED", 4)],
              service["deployments"])
        record = copy.ask("ecs.list_service_deployments", **WHERE)["service_deployments"][0]
        check("and its service deployment has succeeded", record["status"] == "SUCCESSFUL", record)


# A deployment that never ends well, and that nothing stops.
CRASHING = """
service { app = "shop", env = "prod", desired = 2, image = "shop:v1", circuit_breaker = false }
image { name = "shop:v2", crash = { exit = 3, after = "8s" } }
deploy { app = "shop", env = "prod", image = "shop:v2" }
advance { time = "5m" }
"""


def test_evidence(commands):
    with Server(commands, commands.path("crashing.lua", CRASHING)) as source:
        code, _, err = commands.record(source, "crashing.json")
        check("a service whose tasks crash is recorded", code == 0, err)
        commands.set_clock(source, "crashing.json")
        first = seen(source)
    with Server(commands, commands.path("crashing.json")) as copy:
        compare("a world recorded while tasks crash is as it was", first, seen(copy))
        copy.control("advance", time="30m")
        service = copy.ask("ecs.describe_services", cluster=WHERE["cluster"], services=[WHERE["service"]])["services"][0]
        check("an image whose tasks all crashed goes on crashing", [item["rollout_state"] for item in
              service["deployments"]] == ["IN_PROGRESS", "COMPLETED"], service["deployments"])
        stopped = copy.ask("ecs.list_tasks", cluster=WHERE["cluster"], desired_status="STOPPED")["task_arns"]
        tasks = copy.ask("ecs.describe_tasks", cluster=WHERE["cluster"], tasks=stopped)["tasks"]
        codes = {container.get("exit_code") for task in tasks for container in task["containers"]}
        check("with the exit code that it had", codes == {3}, codes)


def test_environment(commands):
    with Server(commands, commands.path("history.lua")) as source:
        plant(source)
        code, _, err = commands.record(source, "open.json", "--with-environment", "--quiet")
        check("--quiet says nothing of a good recording", code == 0 and err == "", err)
        code, out, err = commands.run("sim", "record", "--cluster", WHERE["cluster"], "--service", "none",
                                      "--endpoint-url", source.endpoint)
        check("a service that is not there is refused", code == 30 and "no service none" in err and out == "",
              (code, err))
        code, out, err = commands.run("sim", "record", "--cluster", WHERE["cluster"], "--service", WHERE["service"],
                                      "--endpoint-url", source.endpoint)
        check("without -o the world goes to standard output", code == 0 and json.loads(out)["moonbook_world"] == 1, err)
        code, _, err = commands.run("sim", "record", "--cluster", WHERE["cluster"], "--service", WHERE["service"],
                                    "--endpoint-url", source.endpoint, "-o", "no/such/folder/world.json")
        check("a file that cannot be written is told", code != 0 and "no/such/folder/world.json" in err, err)
    with open(commands.path("open.json"), encoding="utf-8") as file:
        text = file.read()
    check("--with-environment keeps the values of variables", VARIABLE in text)
    check("and of nothing else", not any(word in text for word in (SECRET, PARAMETER, LOG_KEY, COMMAND)))


def test_denied(commands):
    refused = {"elasticloadbalancing:DescribeTargetHealth", "secretsmanager:DescribeSecret", "ec2:DescribeSubnets",
               "ecr:BatchGetImage", "iam:GetRole", "logs:DescribeLogGroups", "ssm:DescribeParameters",
               "cloudwatch:DescribeAlarms", "ecs:DescribeServiceRevisions"}
    with Server(commands, commands.path("history.lua")) as source:
        plant(source)
        for action in sorted(refused):
            source.control("deny_calls", action=action)
        code, _, err = commands.record(source, "denied.json")
        check("denied reads do not end a recording", code == 0, err)
        commands.set_clock(source, "denied.json")
        check("each is named", all(
            re.search(rf"not read: .* \w+\.{snake(action)} (AccessDenied|UnauthorizedOperation)", err) for action in refused), err)
        source.control("deny_calls", action="ecs:DescribeServices")
        code, _, err = commands.record(source, "nothing.json")
        check("without the service there is no recording", code == 5 and not os.path.exists(
            commands.path("nothing.json")), (code, err))
    world = commands.read("denied.json")
    operations = {missing["operation"].split(".")[1] for missing in world["not_read"]}
    check("the file says what it lacks", {snake(action) for action in refused} <= operations, operations)
    code, out, err = commands.run("run", "deploy/restart", f"--sim={commands.path('denied.json')}", "--cluster",
                                  WHERE["cluster"], "--service", WHERE["service"], "--yes")
    check("a world with gaps is alive", code == 0 and "done:" in out, out + err)


# Every read but the two without which there is nothing to play: the service, and what its tasks are made of.
OPTIONAL = """ecs:DescribeClusters ecs:ListServiceDeployments ecs:DescribeServiceDeployments
ecs:DescribeServiceRevisions ecs:ListTaskDefinitions ecs:ListTasks ecs:DescribeTasks
elasticloadbalancing:DescribeTargetGroups elasticloadbalancing:DescribeTargetGroupAttributes
elasticloadbalancing:DescribeTargetHealth elasticloadbalancing:DescribeLoadBalancers
elasticloadbalancing:DescribeLoadBalancerAttributes elasticloadbalancing:DescribeListeners
elasticloadbalancing:DescribeRules elasticloadbalancing:DescribeTags ec2:DescribeVpcs ec2:DescribeSubnets
ec2:DescribeSecurityGroups ec2:DescribeRouteTables ecr:DescribeRepositories ecr:DescribeImages ecr:BatchGetImage
logs:DescribeLogGroups cloudwatch:DescribeAlarms cloudwatch:ListDashboards
application-autoscaling:DescribeScalableTargets application-autoscaling:DescribeScalingPolicies
application-autoscaling:DescribeScheduledActions ssm:DescribeParameters secretsmanager:DescribeSecret iam:GetRole
iam:ListAttachedRolePolicies""".split()


def restart(commands, name):
    return commands.run("run", "deploy/restart", f"--sim={commands.path(name)}", "--cluster", WHERE["cluster"],
                        "--service", WHERE["service"], "--yes")


def test_any_gap(commands):
    trouble = []
    with Server(commands, commands.path("history.lua")) as source:
        plant(source)

        def record_without(*actions):
            for action in actions:
                source.control("deny_calls", action=action)
            code, _, err = commands.record(source, "gap.json")
            commands.set_clock(source, "gap.json")
            source.control("calm")
            return code, err

        for actions in [(action,) for action in OPTIONAL] + [tuple(OPTIONAL)]:
            code, err = record_without(*actions)
            told = all(f"{snake(action)}" in err for action in actions) or len(actions) > 1
            if code != 0 or not told:
                trouble.append(f"{actions}: recorded with {code}: {err}")
                continue
            code, out, err = restart(commands, "gap.json")
            if code != 0:
                trouble.append(f"{actions}: restarted with {code}: {out[-600:]}{err}")
        check(f"whichever of {len(OPTIONAL)} reads is denied, or all of them, the rest is alive", not trouble,
              "\n#   ".join(trouble))
        code, _ = record_without("ecs:DescribeTaskDefinition")
        code, _, err = restart(commands, "gap.json")
        flat = re.sub(r"\s+", " ", err)
        check("a world without task definitions cannot be loaded, and says why", code == 2
              and "ecs.describe_task_definition could not be read: AccessDeniedException" in flat, err)


def snake(action):
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", action.split(":")[1]).lower()


SETTINGS = """return { app = "shop", environments = { prod = { region = "eu-west-1" } } }
"""


def test_settings(commands):
    commands.path("moonbook.lua", SETTINGS)
    with Server(commands, commands.path("history.lua")) as source:
        code, _, err = commands.run("sim", "record", "--env", "prod", "-o", commands.path("env.json"),
                                    "--endpoint-url", source.endpoint)
        check("--env says what to record", code == 0 and "shop-prod in cluster shop-prod is recorded" in err, err)
    parameters = {item["name"] for item in commands.read("env.json")["ssm"]["parameters"]}
    check("parameters that the settings name are recorded", parameters == {
        "/shop/prod/alb-dns-name", "/shop/prod/ecr-repository-uri"}, parameters)
    check("without their values", not any("value" in item for item in commands.read("env.json")["ssm"]["parameters"]))
    code, out, err = commands.run("run", "validate/service", f"--sim={commands.path('env.json')}", "--env", "prod")
    check("the application of a recorded world answers at its load balancer's name", code == 0
          and "pass     application answers" in out, out + err)
    os.remove(commands.path("moonbook.lua"))


def test_alive(commands):
    world = f"--sim={commands.path('world.json')}"
    where = ("--cluster", WHERE["cluster"], "--service", WHERE["service"])
    code, out, err = commands.run("run", "deploy/restart", world, *where, "--yes")
    check("a restart rehearsed on a recorded world is done", code == 0 and "done:" in out, out + err)
    again = commands.run("run", "deploy/restart", world, *where, "--yes")[1]
    check("twice the same, to the byte", out == again)
    code, out, err = commands.run("run", "validate/service", world, *where)
    check("a recorded service is valid", code == 0, out + err)
    code, _, err = commands.run("run", "validate/service", world, *where, "--region", "us-east-1")
    check("another region than the recorded one is refused", code == 2 and "was recorded in eu-west-1" in err, err)
    spec = commands.path("own.spec.lua", SPEC)
    code, out, err = commands.run("test", spec)
    check("specs run on recorded worlds", code == 0 and "2 passed" in out, out + err)


SPEC = """return {
  {
    name = "a bad image on the recorded world is rolled back",
    recorded = "world.json",
    world = {
      { "image", { name = "shop:bad", crash = { exit = 1, after = "8s" } } },
      { "move_tag", { image = "shop:v3", to = "shop:bad" } },
    },
    run = { runbook = "deploy/restart", args = { cluster = "shop-prod", service = "shop-prod" } },
    expect = { verdict = "rolled_back", exit_code = 23 },
  },
  {
    name = "a good one is done",
    recorded = "world.json",
    run = { runbook = "deploy/restart", args = { cluster = "shop-prod", service = "shop-prod" } },
    expect = { verdict = "done", writes = { "ecs.update_service" } },
  },
}
"""


def without(path):
    def change(world):
        part = world
        for name in path[:-1]:
            part = part[name]
        del part[path[-1]]
    return change


def put(path, value):
    def change(world):
        part = world
        for name in path[:-1]:
            part = part[name]
        part[path[-1]] = value
    return change


BAD = [
    ("an unknown version", put(["moonbook_world"], 2), "moonbook_world: version 2 is not known"),
    ("no version", without(["moonbook_world"]), "moonbook_world: this is not a recorded world"),
    ("an account that is none", put(["account"], "12"), "account: '12' is not an account"),
    ("a section that is unknown", put(["ebs"], {}), "ebs: there is no such part"),
    ("a text for a list", put(["ecs", "tasks"], "none"), "ecs.tasks: expected a list, got a string"),
    ("a service without a name", without(["ecs", "services", 0, "service_name"]),
     "ecs.services[1].service_name: expected a string, got nothing"),
    ("a count that is text", put(["ecs", "services", 0, "desired_count"], "3"),
     "ecs.services[1].desired_count: expected a number, got a string"),
    ("no service", put(["ecs", "services"], []), "ecs.services: there is no service"),
    ("a deployment without its task definition", put(["ecs", "task_definitions"], []),
     "ecs.services[1].deployments[1].task_definition: ecs.task_definitions has no arn:aws:ecs"),
    ("a service on EC2", put(["ecs", "services", 0, "launch_type"], "EC2"),
     "ecs.services[1].launch_type: the simulator runs tasks on Fargate only"),
    ("an image without a digest", without(["ecr", "images", "shop", 0, "image_digest"]),
     'ecr.images["shop"][1].image_digest: expected a string'),
    ("an address that is a number", put(["ecs", "tasks", 0, "attachments", 0, "details"], 7),
     "ecs.tasks[1].attachments[1].details: expected a list"),
    ("a time that is text", put(["ecs", "services", 0, "events", 1, "created_at"], "now"),
     "ecs.services[1].events[2].created_at: expected a number"),
    ("a setting of a service that is text", put(["ecs", "services", 0, "network_configuration"], "none"),
     "ecs.services[1].network_configuration: expected an object"),
    ("something that nothing can be made of", put(["ecr", "manifests", "shop"], {"sha256:0": 1}),
     "no world can be made of it: "),
    ("a service of another account", put(["account"], "999999999999"), "ecs.services[1].service_arn: 'arn:aws:ecs"),
]


def test_bad_files(commands):
    for name, change, text in BAD:
        world = commands.read("world.json")
        change(world)
        path = commands.path("bad.json", json.dumps(world))
        code, _, err = commands.run("run", "validate/service", f"--sim={path}", "--cluster", "a", "--service", "b")
        flat = re.sub(r"\s+", " ", err)
        check(f"a file with {name} is refused, file and field named",
              code == 2 and f"bad.json: {text}" in flat and "moonbook sim record writes such files" in flat, err)
    path = commands.path("bad.json", '{"moonbook_world": 1,')
    code, _, err = commands.run("run", "validate/service", f"--sim={path}", "--cluster", "a", "--service", "b")
    check("a file that is cut short is refused with the place", code == 2 and "bad.json" in err and "line 1" in err, err)


def main():
    with tempfile.TemporaryDirectory() as folder:
        commands = Commands(os.path.abspath(sys.argv[1]), folder)
        for test in (test_round_trip, test_under_way, test_evidence, test_environment, test_denied, test_any_gap, test_settings, test_alive, test_bad_files):
            test(commands)
    print(f"{passed} passed, {len(failures)} failed, 0 skipped")
    return 1 if failures else 0


sys.exit(main())

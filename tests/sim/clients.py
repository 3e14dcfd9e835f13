"""Real clients against `moonbook sim`: what they print must be what the simulated world holds."""
import json
import pathlib
import shutil
import subprocess
import sys
import time
import urllib.request

try:
    import boto3
    import botocore.config
    import botocore.exceptions
except ImportError:
    boto3 = None

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from simulated import SECRET, Server, environment  # noqa: E402: found by the line above

AWS = shutil.which("aws", path="/usr/bin") or shutil.which("aws")
SCENARIO = """
service { app = "shop", env = "dev", desired = 2, image = "shop:v1", load_balancer = true, alarms = true,
          autoscaling = { min = 2, max = 4 }, secrets = { TOKEN = "shop/dev/token" } }
"""
passed, failures, skipped = 0, [], 0


def check(name, ok, shown=""):
    global passed
    if ok:
        passed += 1
    else:
        failures.append(f"{name}: {shown}")


def aws(server, *words, secret=SECRET):
    command = [AWS, "--endpoint-url", server.endpoint, "--output", "json", *words]
    done = subprocess.run(command, env=environment(secret, AWS_MAX_ATTEMPTS="1"), capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


# A command and what its answer must show.
LOOKS = [
    ("ecs list-services --cluster shop-dev", "service/shop-dev/shop-dev"),
    ("ecs describe-services --cluster shop-dev --services shop-dev", '"runningCount": 2'),
    ("elbv2 describe-load-balancers", "elb.amazonaws.com"),
    ("elbv2 describe-target-groups", "targetgroup/shop-dev"),
    ("ecr describe-repositories", '"repositoryName": "shop"'),
    ("logs describe-log-groups", "/ecs/shop-dev"),
    ("cloudwatch describe-alarms", "shop-dev"),
    ("cloudwatch list-metrics", "AWS/ApplicationELB"),
    ("ssm describe-parameters", "/shop/dev/alb-dns-name"),
    ("secretsmanager list-secrets", "shop/dev/token"),
    ("sts get-caller-identity", '"Account": "123456789012"'),
    ("application-autoscaling describe-scalable-targets --service-namespace ecs", '"MaxCapacity": 4'),
    ("ec2 describe-vpcs", '"VpcId": "vpc-'),
    ("iam list-roles", "shop-dev"),
    ("wafv2 list-web-acls --scope REGIONAL", "WebACLs"),
    ("s3api list-buckets", "Buckets"),
]


def looks_of_the_cli(server):
    for command, part in LOOKS:
        code, text = aws(server, *command.split())
        check(f"aws {command}", code == 0 and part in text, f"exit {code}, no {part} in {text[:600]}")


def errors_of_the_cli(server):
    code, text = aws(server, *"ecs describe-services --cluster nowhere --services x".split())
    check("aws shows an error by its name", code == 254 and "(ClusterNotFoundException)" in text, text)
    code, text = aws(server, *"acm list-certificates".split())
    check("aws shows what is not simulated", "(NotSimulated)" in text and "acm.list_certificates" in text, text)


def a_rollout_of_the_cli(moonbook):
    """The CLI's own waiter, on a clock a hundred times as fast."""
    with Server(moonbook, "--speed", "100", scenario=SCENARIO) as server:
        where = "--cluster shop-dev --service shop-dev".split()
        code, text = aws(server, "ecs", "update-service", *where, "--force-new-deployment")
        check("aws ecs update-service", code == 0 and '"status": "ACTIVE"' in text, text[:600])
        code, text = aws(server, *"ecs wait services-stable --cluster shop-dev --services shop-dev".split())
        check("aws ecs wait services-stable", code == 0, text)


GUIDE = """
service { app = "aistudio", env = "dev", desired = 1, image = "aistudio-dev:v1", load_balancer = true, alarms = true,
          autoscaling = { min = 1, max = 3 }, circuit_breaker = { enable = true, rollback = true } }
"""


def commands_of_the_guide(moonbook):
    """Every AWS command of the deployment guide, word for word but for the names."""
    with Server(moonbook, "--speed", "100", scenario=GUIDE) as server:
        where = "--cluster aistudio-dev --service aistudio-dev"

        def run(name, line, part, *more):
            code, text = aws(server, *line.split(), *more)
            check(f"guide: {name}", code == 0 and part in text, f"exit {code}, no {part} in {text[:600]}")
            return text.strip()

        run("account", "sts get-caller-identity --query Account --output text", "123456789012")
        run("registry login", "ecr get-login-password --region eu-west-1", "")
        run("repository", "ssm get-parameter --name /aistudio/dev/ecr-repository-uri --query Parameter.Value --output text",
            ".dkr.ecr.eu-west-1.amazonaws.com/aistudio-dev")
        run("service health", "ecs describe-services --cluster aistudio-dev --services aistudio-dev", '"Status": "ACTIVE"', "--query",
            "services[0].{Status:status,Running:runningCount,Desired:desiredCount,Health:healthCheckGracePeriodSeconds}")
        task = run("tasks", f"ecs list-tasks {where.replace('--service', '--service-name')} --query taskArns[0] --output text", ":task/")
        run("task health", f"ecs describe-tasks --cluster aistudio-dev --tasks {task}", '"lastStatus": "RUNNING"')
        group = run("target group", "elbv2 describe-target-groups --output text", "targetgroup/aistudio-dev", "--query",
                    "TargetGroups[?contains(TargetGroupName, 'aistudio-dev')].TargetGroupArn")
        run("targets", f"elbv2 describe-target-health --target-group-arn {group}", '"State": "healthy"')
        run("health check path", "elbv2 describe-target-groups", "/api/healthz", "--query",
            "TargetGroups[?contains(TargetGroupName, 'aistudio-dev')].HealthCheckPath")
        run("logs", "logs tail /ecs/aistudio-dev --since 1d", "", "--filter-pattern", '"/api/healthz"')
        run("stopped tasks", f"ecs list-tasks {where.replace('--service', '--service-name')} --desired-status STOPPED --max-items 1", "taskArns")
        run("processor", "cloudwatch get-metric-statistics --namespace AWS/ECS --metric-name CPUUtilization --dimensions "
            "Name=ServiceName,Value=aistudio-dev Name=ClusterName,Value=aistudio-dev --start-time 2026-01-01T00:00:00 "
            "--end-time 2026-01-01T01:00:00 --period 300 --statistics Average", '"Label": "CPUUtilization"')
        run("deployments", "ecs describe-services --cluster aistudio-dev --services aistudio-dev --query services[0].deployments",
            '"status": "PRIMARY"')
        # The guide's way back: once a deployment is over there is no second one, and it gives None.
        previous = run("previous definition", "ecs describe-services --cluster aistudio-dev --services aistudio-dev --query "
                       "services[0].deployments[1].taskDefinition --output text", "")
        check("guide: the previous definition is None once a deployment is over", previous == "None", previous)
        run("restart", f"ecs update-service {where} --force-new-deployment", '"rolloutState": "IN_PROGRESS"')
        run("scale out", f"ecs update-service {where} --desired-count 2", '"desiredCount": 2')
        run("wait", "ecs wait services-stable --cluster aistudio-dev --services aistudio-dev", "")
        run("scale to zero", f"ecs update-service {where} --desired-count 0", '"desiredCount": 0')
        run("images", "ecr list-images --repository-name aistudio-dev", '"imageTag": "v1"')
        run("delete an image", "ecr batch-delete-image --repository-name aistudio-dev --image-ids imageTag=old-tag", "ImageNotFound")


def strict_signatures(moonbook):
    with Server(moonbook, "--strict", scenario=SCENARIO) as server:
        code, text = aws(server, *"ecs list-clusters".split())
        check("a right signature of aws is accepted", code == 0, text)
        code, text = aws(server, *"ecs list-clusters".split(), secret="wrong")
        check("a wrong one is not", "(InvalidSignatureException)" in text, text)
        code, text = aws(server, *"sts get-caller-identity".split())
        check("a right signature of a form is accepted", code == 0, text)
        code, text = aws(server, *"s3api list-buckets".split())
        check("a right signature of S3 is accepted", code == 0, text)


def client(server, service):
    config = botocore.config.Config(retries={"max_attempts": 0})
    return boto3.client(service, endpoint_url=server.endpoint, region_name="eu-west-1", config=config,
                        aws_access_key_id="AKIASIMULATED0000000", aws_secret_access_key=SECRET)


def looks_of_boto(server):
    for command, part in LOOKS:
        service, operation, *flags = command.split()
        service = "s3" if service == "s3api" else service
        method = operation.replace("-", "_")
        names = {"--cluster": "cluster", "--services": "services", "--scope": "Scope",
                 "--service-namespace": "ServiceNamespace"}
        arguments = {names[flag]: value for flag, value in zip(flags[::2], flags[1::2])}
        if "services" in arguments:
            arguments["services"] = [arguments["services"]]
        try:
            text = json.dumps(getattr(client(server, service), method)(**arguments), default=str)
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as problem:
            text = str(problem)
        check(f"boto3 {service}.{method}", part in text, f"no {part} in {text[:600]}")


def errors_of_boto(server):
    try:
        client(server, "ecs").describe_services(cluster="nowhere", services=["x"])
        check("boto3 raises", False, "no error")
    except botocore.exceptions.ClientError as problem:
        check("boto3 raises the exception of the service", type(problem).__name__ == "ClusterNotFoundException",
              type(problem).__name__)


def objects_of_boto(server):
    s3 = client(server, "s3")
    s3.create_bucket(Bucket="assets-of-shop", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="assets-of-shop", Key="a b/ü.txt", Body=b"hello")
    body = s3.get_object(Bucket="assets-of-shop", Key="a b/ü.txt")["Body"].read()
    check("boto3 reads the object that it wrote", body == b"hello", body)
    length = s3.head_object(Bucket="assets-of-shop", Key="a b/ü.txt")["ContentLength"]
    check("the answer to a HEAD names the length", length == 5, length)


def the_world_keeps_the_real_time(server):
    now = server.control("now")["now"]
    check("the world keeps the real time", abs(now - time.time()) < 60, now - time.time())


def the_application_answers(server):
    host = aws_host(server)
    request = urllib.request.Request(server.endpoint + "/api/healthz", headers={"Host": host})
    with urllib.request.urlopen(request, timeout=30) as answer:
        check("the application answers behind its balancer", answer.status == 200, answer.status)


def aws_host(server):
    found = server.control("call", service="elbv2", operation="describe_load_balancers", input={})
    return found["output"]["load_balancers"][0]["dns_name"]


def main():
    global skipped
    moonbook = sys.argv[1]
    with Server(moonbook, scenario=SCENARIO) as server:
        the_application_answers(server)
        the_world_keeps_the_real_time(server)
        if AWS:
            looks_of_the_cli(server)
            errors_of_the_cli(server)
        if boto3:
            looks_of_boto(server)
            errors_of_boto(server)
            objects_of_boto(server)
    if AWS:
        a_rollout_of_the_cli(moonbook)
        commands_of_the_guide(moonbook)
        strict_signatures(moonbook)
    skipped = (not AWS) + (not boto3)
    for failure in failures:
        print("not ok:", failure)
    print(f"{passed} passed, {len(failures)} failed, {skipped} skipped")
    return 1 if failures else 77 if not AWS and not boto3 else 0


sys.exit(main())

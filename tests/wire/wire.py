"""moonbook call against moto: real requests over a real socket, one case after another.

Each case runs the command, then looks at its exit code and at the JSON it printed, or at what it said
of an error. Dummy credentials, loopback only.
"""

import contextlib
import hashlib
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

DONE, USAGE, CREDENTIALS, FAILED, REFUSED, UNAVAILABLE = 0, 2, 4, 22, 41, 75


class Wire:
    def __init__(self, moonbook, home):
        self.moonbook = moonbook
        self.passed = self.failed = 0
        self.environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": home,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        self.endpoint = None

    def run(self, primitive, arguments, more=(), environment=None):
        command = [self.moonbook, "call", primitive, "--endpoint-url", self.endpoint]
        if arguments is not None:
            command += ["--input", json.dumps(arguments)]
        return subprocess.run(
            command + list(more),
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
        )

    def report(self, name, problem, done):
        if problem is None:
            self.passed += 1
            print("ok", name)
            return
        self.failed += 1
        print("FAILED", name, "-", problem)
        print("  exit code", done.returncode)
        for line in (done.stdout[-2000:] + done.stderr[-2000:]).decode("utf-8", "replace").splitlines():
            print("  |", line)

    def call(self, name, primitive, arguments=None, check=None, more=()):
        """The call succeeds and `check` of its result is true. Returns the result."""
        done = self.run(primitive, arguments, more)
        result, problem = None, None
        if done.returncode != DONE:
            problem = "the call failed"
        elif done.stdout.strip():
            try:
                result = json.loads(done.stdout)
            except ValueError as error:
                problem = "printed no JSON: %s" % error
        if problem is None and check is not None:
            try:
                if not check(result):
                    problem = "the result is not as expected"
            except (KeyError, IndexError, TypeError, AttributeError) as error:
                problem = "the result lacks something: %r" % error
        self.report("%s: %s" % (primitive, name), problem, done)
        return result if problem is None else {}

    def error(self, name, primitive, arguments, code, exit_code=FAILED, says="", more=(), environment=None):
        """The call fails with that code of AWS's or ours, and that exit code."""
        done = self.run(primitive, arguments, more, environment)
        text = done.stderr.decode("utf-8", "replace")
        problem = None
        if done.returncode != exit_code:
            problem = "expected exit code %d" % exit_code
        elif not re.search(r"\b%s\b" % re.escape(code), text):
            problem = "the error does not name %s" % code
        elif says not in text:
            problem = "the error does not say %r" % says
        elif done.stdout.strip():
            problem = "printed a result as well"
        self.report("%s: %s" % (primitive, name), problem, done)


def ecs(w):
    w.call("makes a cluster", "ecs.create_cluster", {"cluster_name": "wire", "tags": [{"key": "a", "value": "b"}]},
           lambda r: r["cluster"]["cluster_name"] == "wire" and r["cluster"]["status"] == "ACTIVE")
    w.call("arguments by flag", "ecs.describe_clusters", None,
           lambda r: r["clusters"][0]["cluster_arn"].endswith("cluster/wire") and r["failures"] == [],
           more=["--clusters", "wire"])
    w.call("a task definition", "ecs.register_task_definition",
           {"family": "web", "container_definitions": [
               {"name": "app", "image": "nginx:1", "memory": 64, "environment": [{"name": "ümlaut", "value": "日本"}]}]},
           lambda r: r["task_definition"]["revision"] == 1
           and r["task_definition"]["container_definitions"][0]["environment"] == [{"name": "ümlaut", "value": "日本"}],
           more=["--show-secrets"])
    w.call("what may be a secret is not shown", "ecs.describe_task_definition", {"task_definition": "web"},
           lambda r: "日本" not in json.dumps(r, ensure_ascii=False))
    w.call("a service", "ecs.create_service",
           {"cluster": "wire", "service_name": "web", "task_definition": "web:1", "desired_count": 2},
           lambda r: r["service"]["desired_count"] == 2)
    w.call("describes it", "ecs.describe_services", {"cluster": "wire", "services": ["web"]},
           lambda r: r["services"][0]["task_definition"].endswith("task-definition/web:1"))
    w.call("changes it", "ecs.update_service", {"cluster": "wire", "service": "web", "desired_count": 3},
           lambda r: r["service"]["desired_count"] == 3)
    w.error("failures[] is not success", "ecs.describe_services", {"cluster": "wire", "services": ["absent"]}, "MISSING")
    w.error("an unknown cluster", "ecs.describe_services", {"cluster": "absent", "services": ["a"]},
            "ClusterNotFoundException")
    w.error("an unknown member", "ecs.describe_services", {"clutser": "wire", "services": ["a"]}, "UnknownArgument",
            USAGE, "cluster")
    w.error("a missing member", "ecs.describe_services", {"cluster": "wire"}, "MissingArgument", USAGE, "services")
    w.error("an unknown primitive", "ecs.describe_servces", {}, "UnknownPrimitive", USAGE, "describe_services")


def ecr(w):
    w.call("makes a repository", "ecr.create_repository", {"repository_name": "team/app"},
           lambda r: r["repository"]["repository_name"] == "team/app")
    w.call("describes it", "ecr.describe_repositories", {"repository_names": ["team/app"]},
           lambda r: r["repositories"][0]["image_tag_mutability"] == "MUTABLE")
    w.call("a login token", "ecr.get_authorization_token", {},
           lambda r: len(r["authorization_data"][0]["authorization_token"]) > 4)
    w.error("an unknown repository", "ecr.list_images", {"repository_name": "absent"}, "RepositoryNotFoundException")
    w.error("failures[] is not success", "ecr.batch_delete_image",
            {"repository_name": "team/app", "image_ids": [{"image_tag": "absent"}]}, "ImageNotFound")


def network(w):
    vpc = w.call("makes a VPC", "ec2.create_vpc", {"cidr_block": "10.9.0.0/16"},
                 lambda r: r["vpc"]["vpc_id"].startswith("vpc-")).get("vpc", {}).get("vpc_id", "")
    subnets = []
    for zone, block in (("eu-west-1a", "10.9.1.0/24"), ("eu-west-1b", "10.9.2.0/24")):
        made = w.call("a subnet in " + zone, "ec2.create_subnet",
                      {"vpc_id": vpc, "cidr_block": block, "availability_zone": zone},
                      lambda r: r["subnet"]["subnet_id"].startswith("subnet-"))
        subnets.append(made.get("subnet", {}).get("subnet_id", ""))
    w.call("filters", "ec2.describe_subnets", {"filters": [{"name": "vpc-id", "values": [vpc]}]},
           lambda r: sorted(s["subnet_id"] for s in r["subnets"]) == sorted(subnets))
    w.call("a security group", "ec2.create_security_group",
           {"group_name": "web", "description": "d & <e>", "vpc_id": vpc}, lambda r: r["group_id"].startswith("sg-"))
    w.call("text survives XML", "ec2.describe_security_groups",
           {"filters": [{"name": "group-name", "values": ["web"]}]},
           lambda r: r["security_groups"][0]["description"] == "d & <e>")
    w.error("an unknown VPC", "ec2.describe_vpcs", {"vpc_ids": ["vpc-00000000"]}, "InvalidVpcID.NotFound")
    return vpc, subnets


def elbv2(w, vpc, subnets):
    balancer = w.call("makes a load balancer", "elbv2.create_load_balancer", {"name": "web", "subnets": subnets},
                      lambda r: r["load_balancers"][0]["load_balancer_name"] == "web")
    arn = (balancer.get("load_balancers") or [{}])[0].get("load_balancer_arn", "")
    group = w.call("a target group", "elbv2.create_target_group",
                   {"name": "web", "protocol": "HTTP", "port": 80, "vpc_id": vpc, "target_type": "ip",
                    "matcher": {"http_code": "200-299"}},
                   lambda r: r["target_groups"][0]["matcher"]["http_code"] == "200-299")
    group_arn = (group.get("target_groups") or [{}])[0].get("target_group_arn", "")
    w.call("a listener", "elbv2.create_listener",
           {"load_balancer_arn": arn, "protocol": "HTTP", "port": 80,
            "default_actions": [{"type": "forward", "target_group_arn": group_arn}]},
           lambda r: r["listeners"][0]["port"] == 80)
    w.call("targets", "elbv2.register_targets",
           {"target_group_arn": group_arn, "targets": [{"id": "10.9.1.5", "port": 80}]})
    w.call("their health", "elbv2.describe_target_health", {"target_group_arn": group_arn},
           lambda r: r["target_health_descriptions"][0]["target"]["id"] == "10.9.1.5")
    w.error("an unknown load balancer", "elbv2.describe_load_balancers", {"names": ["absent"]}, "LoadBalancerNotFound")


def logs(w):
    w.call("makes a group", "logs.create_log_group", {"log_group_name": "/ecs/wire"}, lambda r: not r)
    w.call("a stream", "logs.create_log_stream", {"log_group_name": "/ecs/wire", "log_stream_name": "app/1"})
    now = int(time.time() * 1000)
    w.call("writes lines", "logs.put_log_events",
           {"log_group_name": "/ecs/wire", "log_stream_name": "app/1",
            "log_events": [{"timestamp": now, "message": "one \"two\"\nthree"}]})
    w.call("reads them", "logs.filter_log_events", {"log_group_name": "/ecs/wire"},
           lambda r: r["events"][0]["message"] == "one \"two\"\nthree" and r["events"][0]["timestamp"] == now)
    w.error("a second group of that name", "logs.create_log_group", {"log_group_name": "/ecs/wire"},
            "ResourceAlreadyExistsException")


def cloudwatch(w):
    many = [{"metric_name": "Metric%03d" % i, "value": i, "unit": "Count"} for i in range(300)]
    w.call("a body large enough to be compressed", "cloudwatch.put_metric_data",
           {"namespace": "Wire", "metric_data": many})
    w.call("arrives whole", "cloudwatch.list_metrics", {"namespace": "Wire"},
           lambda r: sorted(m["metric_name"] for m in r["metrics"]) == [m["metric_name"] for m in many],
           more=["--all"])
    w.call("puts an alarm", "cloudwatch.put_metric_alarm",
           {"alarm_name": "cpu", "metric_name": "CPUUtilization", "namespace": "AWS/ECS", "statistic": "Average",
            "period": 60, "evaluation_periods": 2, "threshold": 80.5, "comparison_operator": "GreaterThanThreshold"})
    w.call("describes it", "cloudwatch.describe_alarms", {"alarm_names": ["cpu"]},
           lambda r: r["metric_alarms"][0]["threshold"] == 80.5 and r["metric_alarms"][0]["period"] == 60)
    w.call("sets its state", "cloudwatch.set_alarm_state",
           {"alarm_name": "cpu", "state_value": "ALARM", "state_reason": "test"})
    w.error("an unknown alarm", "cloudwatch.set_alarm_state",
            {"alarm_name": "absent", "state_value": "OK", "state_reason": "test"}, "ResourceNotFound")


def parameters(w):
    w.call("puts a parameter", "ssm.put_parameter", {"name": "/wire/a", "value": "x=1", "type": "String"},
           lambda r: r["version"] == 1)
    w.call("gets it", "ssm.get_parameter", {"name": "/wire/a"}, lambda r: r["parameter"]["name"] == "/wire/a")
    w.error("an unknown parameter", "ssm.get_parameter", {"name": "/absent"}, "ParameterNotFound")
    w.call("makes a secret", "secretsmanager.create_secret", {"name": "wire", "secret_string": "canary-of-the-wire"},
           lambda r: r["name"] == "wire")
    w.call("gets it, without showing it", "secretsmanager.get_secret_value", {"secret_id": "wire"},
           lambda r: "canary-of-the-wire" not in json.dumps(r))
    w.call("shows it when told to", "secretsmanager.get_secret_value", {"secret_id": "wire"},
           lambda r: r["secret_string"] == "canary-of-the-wire", more=["--show-secrets"])
    w.error("an unknown secret", "secretsmanager.get_secret_value", {"secret_id": "absent"},
            "ResourceNotFoundException")


def identity(w):
    w.call("who am I", "sts.get_caller_identity", {}, lambda r: r["account"] == "123456789012")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
    w.call("makes a role", "iam.create_role", {"role_name": "wire", "assume_role_policy_document": policy},
           lambda r: r["role"]["role_name"] == "wire")
    w.call("gets it", "iam.get_role", {"role_name": "wire"}, lambda r: r["role"]["arn"].endswith("role/wire"))
    w.call("takes it on", "sts.assume_role",
           {"role_arn": "arn:aws:iam::123456789012:role/wire", "role_session_name": "wire"},
           lambda r: r["credentials"]["access_key_id"].startswith("ASIA"))
    w.error("an unknown role", "iam.get_role", {"role_name": "absent"}, "NoSuchEntity")


def s3(w):
    w.call("makes a bucket", "s3.create_bucket",
           {"bucket": "wire-bucket", "create_bucket_configuration": {"location_constraint": "eu-west-1"}})
    w.call("lists buckets", "s3.list_buckets", {}, lambda r: [b["name"] for b in r["buckets"]] == ["wire-bucket"])
    key = "a b/ü+%/key.txt"
    w.call("puts an object", "s3.put_object",
           {"bucket": "wire-bucket", "key": key, "body": "aGVsbG8gd2lyZQ==", "metadata": {"colour": "red"}},
           lambda r: r["e_tag"] == '"%s"' % hashlib.md5(b"hello wire").hexdigest())
    w.call("gets it back", "s3.get_object", {"bucket": "wire-bucket", "key": key},
           lambda r: r["body"] == "aGVsbG8gd2lyZQ==" and r["content_length"] == 10
           and r["metadata"] == {"colour": "red"})
    w.call("looks at it", "s3.head_object", {"bucket": "wire-bucket", "key": key}, lambda r: r["content_length"] == 10)
    w.call("lists it", "s3.list_objects_v2", {"bucket": "wire-bucket", "prefix": "a b/"},
           lambda r: [o["key"] for o in r["contents"]] == [key])
    for number in range(4):
        w.call("object %d for paging" % number, "s3.put_object",
               {"bucket": "wire-bucket", "key": "page/%d" % number, "body": ""})
    w.call("one page", "s3.list_objects_v2", {"bucket": "wire-bucket", "prefix": "page/", "max_keys": 2},
           lambda r: len(r["contents"]) == 2 and r["is_truncated"] is True)
    w.call("every page", "s3.list_objects_v2", {"bucket": "wire-bucket", "prefix": "page/", "max_keys": 2},
           lambda r: [o["key"] for o in r["contents"]] == ["page/%d" % n for n in range(4)], more=["--all"])
    w.error("an unknown key", "s3.get_object", {"bucket": "wire-bucket", "key": "absent"}, "NoSuchKey")
    w.error("an unknown bucket", "s3.list_objects_v2", {"bucket": "wire-absent"}, "NoSuchBucket")
    w.error("a HEAD has no body to say why", "s3.head_object", {"bucket": "wire-bucket", "key": "absent"}, "404",
            says="404")
    w.call("removes it", "s3.delete_object", {"bucket": "wire-bucket", "key": key})


def dynamodb(w):
    w.call("makes a table", "dynamodb.create_table",
           {"table_name": "wire", "billing_mode": "PAY_PER_REQUEST",
            "attribute_definitions": [{"attribute_name": "id", "attribute_type": "S"}],
            "key_schema": [{"attribute_name": "id", "key_type": "HASH"}]},
           lambda r: r["table_description"]["table_name"] == "wire")
    item = {"id": {"S": "1"}, "Count": {"N": "12345678901234567890"}, "blob": {"B": "AAEC"}, "deep": {"M": {"a": {"BOOL": True}}}}
    spelt = {"id": {"s": "1"}, "Count": {"n": "12345678901234567890"}, "blob": {"b": "AAEC"},
             "deep": {"m": {"a": {"bool": True}}}}
    w.call("puts an item in AWS's spelling", "dynamodb.put_item", {"table_name": "wire", "item": item})
    w.call("gets it in ours", "dynamodb.get_item", {"table_name": "wire", "key": {"id": {"s": "1"}}},
           lambda r: r["item"] == spelt)
    w.error("a condition that fails", "dynamodb.put_item",
            {"table_name": "wire", "item": {"id": {"s": "1"}}, "condition_expression": "attribute_not_exists(id)"},
            "ConditionalCheckFailedException")
    w.call("waits for what is there", "dynamodb.wait_for_table_exists", {"table_name": "wire"})
    w.error("gives up waiting", "dynamodb.wait_for_table_exists",
            {"table_name": "absent", "delay": "10ms", "max_attempts": 2}, "WaiterTimeout", 40)


def others(w):
    w.call("puts a rule", "events.put_rule", {"name": "wire", "schedule_expression": "rate(5 minutes)"},
           lambda r: r["rule_arn"].endswith("rule/wire"))
    w.call("lists it", "events.list_rules", {"name_prefix": "wi"}, lambda r: r["rules"][0]["state"] == "ENABLED")
    w.error("an unknown rule", "events.describe_rule", {"name": "absent"}, "ResourceNotFoundException")
    template = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "wire"}}}})
    w.call("makes a stack", "cloudformation.create_stack", {"stack_name": "wire", "template_body": template},
           lambda r: ":stack/wire/" in r["stack_id"])
    w.call("describes it", "cloudformation.describe_stacks", {"stack_name": "wire"},
           lambda r: r["stacks"][0]["stack_status"] == "CREATE_COMPLETE")
    w.error("an unknown stack", "cloudformation.describe_stacks", {"stack_name": "absent"}, "ValidationError")


def pages(w):
    w.call("asks for a page", "http.get", {"url": w.endpoint + "/moto-api/config"},
           lambda r: r["status"] in (200, 201) and r["truncated"] is False and "json" in r["headers"]["content-type"])
    w.call("cuts a long one", "http.get", {"url": w.endpoint + "/moto-api/data.json"},
           lambda r: r["status"] == 200 and r["truncated"] is True and len(r["body"]) == 256 * 1024)
    w.call("a status is a result", "http.get", {"url": w.endpoint + "/moto-api/absent"}, lambda r: r["status"] >= 400)
    w.error("never the metadata service", "http.get", {"url": "http://169.254.169.254/latest/meta-data/"},
            "AddressRefused", REFUSED)
    w.error("nor in another spelling", "http.get", {"url": "http://0xa9fea9fe/"}, "AddressRefused", REFUSED)
    w.error("nobody listens", "http.get", {"url": "http://127.0.0.1:1/"}, "ConnectionRefused", UNAVAILABLE)


def troubles(w):
    w.error("no credentials", "sts.get_caller_identity", {}, "NoCredentials", CREDENTIALS,
            environment={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""})
    endpoint, w.endpoint = w.endpoint, "http://127.0.0.1:1"
    w.error("nobody listens", "ecs.list_clusters", {}, "ConnectionRefused", UNAVAILABLE)
    longest = "r" * 95
    with refusing_server(longest) as server:
        w.endpoint = "http://127.0.0.1:%d" % server.server_port
        w.error("a long request id is shown whole", "ecs.list_clusters", {}, "ClientException",
                says="request id " + longest)
    w.endpoint = endpoint


@contextlib.contextmanager
def refusing_server(request_id):
    """Refuses every call, with that request id."""

    class Refuse(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(400)
            self.send_header("x-amzn-requestid", request_id)
            body = b'{"__type":"ClientException","message":"no"}'
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Refuse) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def start_server(server, folder):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": folder, "AWS_ACCESS_KEY_ID": "test",
                   "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
    log = open(os.path.join(folder, "moto.log"), "wb")
    process = subprocess.Popen([server, "-H", "127.0.0.1", "-p", str(port)], env=environment, cwd=folder,
                               stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process, port
        except OSError:
            time.sleep(0.1)
    process.kill()
    process.wait()
    with open(log.name, "rb") as text:
        sys.exit("moto_server did not start:\n" + text.read().decode("utf-8", "replace"))


def main():
    with tempfile.TemporaryDirectory() as folder:
        w = Wire(os.path.abspath(sys.argv[1]), folder)
        process, port = start_server(sys.argv[2], folder)
        w.endpoint = "http://127.0.0.1:%d" % port
        try:
            ecs(w)
            ecr(w)
            vpc, subnets = network(w)
            elbv2(w, vpc, subnets)
            logs(w)
            cloudwatch(w)
            parameters(w)
            identity(w)
            s3(w)
            dynamodb(w)
            others(w)
            pages(w)
            troubles(w)
        finally:
            process.terminate()
            process.wait()
    print("%d passed, %d failed, 0 skipped" % (w.passed, w.failed))
    sys.exit(0 if w.failed == 0 and w.passed > 0 else 1)


main()

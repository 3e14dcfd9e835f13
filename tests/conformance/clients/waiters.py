"""Every waiter of botocore whose operation is simulated, through boto3 and the AWS CLI.

A recipe prepares what its waiter waits for and gives the waiter's arguments. `fails` is a second recipe,
after which the waiter must give up, and the text that it must say.
"""
import json

import botocore.exceptions
import botocore.session
from botocore import xform_name
from shop import SERVICES, log_group, template

RECIPES = {}
# What no client can bring about in the simulated world: waiter -> the operation that would be needed.
NEEDS = {
    "cloudwatch.CompositeAlarmExists": "put_composite_alarm",
    "cloudwatch.LogAlarmExists": "put_log_alarm",
    "ec2.NatGatewayAvailable": "create_nat_gateway",
    "ec2.NetworkInterfaceAvailable": "create_network_interface",
}


def _import_is_refused(shop):
    """What the simulator says to an import of resources when it does not have that, else None."""
    try:
        shop.cloudformation.create_change_set(StackName=shop.name("stack"), ChangeSetName="import",
                                              ChangeSetType="IMPORT", TemplateBody=template({"Logs": log_group()}))
    except botocore.exceptions.ClientError as problem:
        text = problem.response["Error"]["Message"]
        return text if "not simulated" in text else None
    return None


# What the simulator refuses inside of an operation that it has.
REFUSED = {"cloudformation.StackImportComplete": _import_is_refused}


def recipe(waiter, fails=None, text=None):
    def keep(prepare):
        RECIPES[waiter] = (prepare, fails, text)
        return prepare
    return keep


# ---- ecs -----------------------------------------------------------------------------------------

@recipe("ecs.ServicesStable", lambda shop: {"cluster": shop.cluster, "services": ["nothing"]}, "MISSING")
def _(shop):
    shop.ecs.update_service(cluster=shop.cluster, service=shop.service, forceNewDeployment=True)
    return {"cluster": shop.cluster, "services": [shop.service]}


@recipe("ecs.ServicesInactive", lambda shop: {"cluster": shop.cluster, "services": ["nothing"]}, "MISSING")
def _(shop):
    name = shop.name("leaving")
    shop.ecs.create_service(cluster=shop.cluster, serviceName=name, taskDefinition=shop.cluster, desiredCount=1,
                            launchType="FARGATE", networkConfiguration=shop.network())
    shop.ecs.delete_service(cluster=shop.cluster, service=name, force=True)
    return {"cluster": shop.cluster, "services": [name]}


def _task_of_a_missing_image(shop):
    return {"cluster": shop.cluster, "tasks": [shop.task(definition=shop.definition("shop:absent"))]}


@recipe("ecs.TasksRunning", _task_of_a_missing_image, "STOPPED")
def _(shop):
    return {"cluster": shop.cluster, "tasks": [shop.task()]}


@recipe("ecs.TasksStopped")
def _(shop):
    task = shop.task()
    shop.ecs.stop_task(cluster=shop.cluster, task=task, reason="tried")
    return {"cluster": shop.cluster, "tasks": [task]}


# ---- ecr -----------------------------------------------------------------------------------------

@recipe("ecr.ImageScanComplete")
def _(shop):
    image = {"repositoryName": "shop", "imageId": {"imageTag": "v1"}}
    try:
        shop.ecr.start_image_scan(**image)
    except shop.ecr.exceptions.LimitExceededException:
        pass  # once a day: it was scanned already
    return image


@recipe("ecr.LifecyclePolicyPreviewComplete")
def _(shop):
    repository = shop.name("repository")
    shop.ecr.create_repository(repositoryName=repository)
    rule = {"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
            "action": {"type": "expire"}, "description": "x" * 100}
    shop.ecr.start_lifecycle_policy_preview(repositoryName=repository,
                                            lifecyclePolicyText=json.dumps({"rules": [rule]}))
    return {"repositoryName": repository}


# ---- elbv2 ---------------------------------------------------------------------------------------

def _balancer(shop):
    subnets = [subnet["SubnetId"] for subnet in shop.ec2.describe_subnets()["Subnets"][:2]]
    made = shop.elbv2.create_load_balancer(Name=shop.name("balancer"), Subnets=subnets)
    return made["LoadBalancers"][0]["LoadBalancerArn"]


@recipe("elbv2.LoadBalancerAvailable")
def _(shop):
    return {"LoadBalancerArns": [_balancer(shop)]}


@recipe("elbv2.LoadBalancerExists", lambda shop: {"Names": ["nothing"]}, "Max attempts exceeded")
def _(shop):
    return {"LoadBalancerArns": [_balancer(shop)]}


@recipe("elbv2.LoadBalancersDeleted")
def _(shop):
    balancer = _balancer(shop)
    shop.elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    return {"LoadBalancerArns": [balancer]}


def _targets(shop):
    health = shop.elbv2.describe_target_health(TargetGroupArn=shop.group())["TargetHealthDescriptions"]
    return [each["Target"] for each in health if each["TargetHealth"]["State"] == "healthy"]


@recipe("elbv2.TargetInService")
def _(shop):
    before = {target["Id"] for target in _targets(shop)}
    shop.ecs.update_service(cluster=shop.cluster, service=shop.service, forceNewDeployment=True)

    def fresh():
        found = shop.elbv2.describe_target_health(TargetGroupArn=shop.group())["TargetHealthDescriptions"]
        return [each["Target"] for each in found if each["Target"]["Id"] not in before]
    shop.until(fresh)
    return {"TargetGroupArn": shop.group(), "Targets": fresh()[:1]}


@recipe("elbv2.TargetDeregistered")
def _(shop):
    shop.until(lambda: len(_targets(shop)) > 1)
    target = _targets(shop)[0]
    shop.elbv2.deregister_targets(TargetGroupArn=shop.group(), Targets=[target])
    return {"TargetGroupArn": shop.group(), "Targets": [target]}


# ---- cloudwatch ----------------------------------------------------------------------------------

@recipe("cloudwatch.AlarmExists", lambda shop: {"AlarmNames": ["nothing"]}, "Max attempts exceeded")
def _(shop):
    return {"AlarmNames": [shop.cloudwatch.describe_alarms()["MetricAlarms"][0]["AlarmName"]]}


# ---- cloudformation ------------------------------------------------------------------------------

def _failing():
    """Resources that cannot be made: a rule for a group that is not there."""
    return {"Rule": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {
        "GroupId": "sg-0123456789abcdef0", "IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "CidrIp": "10.0.0.0/8"}}}


def _change_set(shop, stack, resources, kind):
    shop.cloudformation.create_change_set(StackName=stack, ChangeSetName="change", ChangeSetType=kind,
                                          TemplateBody=template(resources))
    return {"StackName": stack, "ChangeSetName": "change"}


def _set_without_changes(shop):
    resources = {"Logs": log_group()}
    return _change_set(shop, shop.finished_stack(resources), resources, "UPDATE")


@recipe("cloudformation.ChangeSetCreateComplete", _set_without_changes, "FAILED")
def _(shop):
    return _change_set(shop, shop.name("stack"), {"Logs": log_group()}, "CREATE")


@recipe("cloudformation.StackCreateComplete", lambda shop: {"StackName": shop.stack(_failing())}, "ROLLBACK")
def _(shop):
    return {"StackName": shop.stack({"Logs": log_group()})}


@recipe("cloudformation.StackExists", lambda shop: {"StackName": "nothing"}, "Max attempts exceeded")
def _(shop):
    return {"StackName": shop.stack({"Logs": log_group()})}


def _update(shop, resources):
    stack = shop.finished_stack({"Logs": log_group()})
    shop.cloudformation.update_stack(StackName=stack, TemplateBody=template({"Logs": log_group(), **resources}))
    return {"StackName": stack}


@recipe("cloudformation.StackUpdateComplete", lambda shop: _update(shop, _failing()), "UPDATE_ROLLBACK")
def _(shop):
    return _update(shop, {"More": log_group()})


@recipe("cloudformation.StackRollbackComplete", lambda shop: {"StackName": "nothing"}, "ValidationError")
def _(shop):
    return _update(shop, _failing())


@recipe("cloudformation.StackDeleteComplete", lambda shop: {"StackName": shop.finished_stack({"Logs": log_group()})},
        "Max attempts exceeded")
def _(shop):
    stack = shop.finished_stack({"Logs": log_group()})
    full = shop.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackId"]
    shop.cloudformation.delete_stack(StackName=stack)
    return {"StackName": full}


# ---- s3 ------------------------------------------------------------------------------------------

def bucket(shop):
    name = shop.name("bucket-of-shop")
    shop.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return name


def _object(shop):
    name = bucket(shop)
    shop.s3.put_object(Bucket=name, Key="a/key", Body=b"text")
    return {"Bucket": name, "Key": "a/key"}


@recipe("s3.BucketExists", lambda shop: {"Bucket": "no-such-bucket"}, "Max attempts exceeded")
def _(shop):
    return {"Bucket": bucket(shop)}


@recipe("s3.BucketNotExists", lambda shop: {"Bucket": bucket(shop)}, "Max attempts exceeded")
def _(shop):
    return {"Bucket": "no-such-bucket"}


@recipe("s3.ObjectExists", lambda shop: {"Bucket": bucket(shop), "Key": "nothing"}, "Max attempts exceeded")
def _(shop):
    return _object(shop)


@recipe("s3.ObjectNotExists", _object, "Max attempts exceeded")
def _(shop):
    return {"Bucket": bucket(shop), "Key": "nothing"}


# ---- iam -----------------------------------------------------------------------------------------

@recipe("iam.PolicyExists", lambda shop: {"PolicyArn": "arn:aws:iam::123456789012:policy/nothing"},
        "Max attempts exceeded")
def _(shop):
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}]}
    made = shop.iam.create_policy(PolicyName=shop.name("policy"), PolicyDocument=json.dumps(policy))
    return {"PolicyArn": made["Policy"]["Arn"]}


@recipe("iam.RoleExists", lambda shop: {"RoleName": "nothing"}, "Max attempts exceeded")
def _(shop):
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]}
    name = shop.name("role")
    shop.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(policy))
    return {"RoleName": name}


# ---- ec2 -----------------------------------------------------------------------------------------

def _first(list_member, id_member, operation, argument):
    def prepare(shop):
        return {argument: [getattr(shop.ec2, operation)()[list_member][0][id_member]]}
    return prepare


recipe("ec2.VpcExists", lambda shop: {"VpcIds": ["vpc-0123456789abcdef0"]}, "Max attempts exceeded")(
    _first("Vpcs", "VpcId", "describe_vpcs", "VpcIds"))
recipe("ec2.VpcAvailable")(_first("Vpcs", "VpcId", "describe_vpcs", "VpcIds"))
recipe("ec2.SubnetAvailable")(_first("Subnets", "SubnetId", "describe_subnets", "SubnetIds"))
recipe("ec2.SecurityGroupExists", lambda shop: {"GroupIds": ["sg-0123456789abcdef0"]}, "Max attempts exceeded")(
    _first("SecurityGroups", "GroupId", "describe_security_groups", "GroupIds"))
# EC2's code has an ID in it that botocore's waiter does not look for, so that one gives up at once.
recipe("ec2.InternetGatewayExists", lambda shop: {"InternetGatewayIds": ["igw-0123456789abcdef0"]},
       "InvalidInternetGatewayID.NotFound")(
    _first("InternetGateways", "InternetGatewayId", "describe_internet_gateways", "InternetGatewayIds"))
# A gateway that is not there is as good as deleted: the waiter takes that error for success.
recipe("ec2.NatGatewayDeleted")(lambda shop: {"NatGatewayIds": ["nat-0123456789abcdef0"]})


# ---- running -------------------------------------------------------------------------------------

def _waits(shop, service, name, arguments, attempts=400):
    """None when the waiter came to its end, else what it said."""
    waiter = shop.client(service).get_waiter(xform_name(name))
    try:
        waiter.wait(**arguments, WaiterConfig={"Delay": 0.05, "MaxAttempts": attempts})
    except botocore.exceptions.WaiterError as problem:
        return str(problem)
    return None


def _reached(report, shop, service, name, arguments, cli):
    """The CLI's waiter, when boto3's came to its end: whether it looks at the same things."""
    command = "s3api" if service == "s3" else service
    code, text = cli(command, "wait", xform_name(name, "-"), "--cli-input-json", json.dumps(arguments))
    report.check(f"aws {command} wait {xform_name(name, '-')}", code == 0, text)


def _try(report, shop, service, name, cli):
    prepare, fails, text = RECIPES[f"{service}.{name}"]
    claim = f"boto3 {service}.{xform_name(name)}"
    try:
        arguments = prepare(shop)
        said = _waits(shop, service, name, arguments)
        if report.check(claim, said is None, said) and cli:
            _reached(report, shop, service, name, arguments, cli)
        if fails:
            said = _waits(shop, service, name, fails(shop), attempts=5 if text.startswith("Max") else 400)
            report.check(f"{claim} gives up", said is not None and text in said, said)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, TimeoutError, LookupError) as problem:
        report.check(claim, False, f"{type(problem).__name__}: {problem}")


def run(report, shop, cli=None):
    """Runs them. `cli(*words)` gives exit code and text of the AWS CLI; None without one."""
    session, outside, tried = botocore.session.Session(), {}, set()
    for service in SERVICES:
        try:
            model = session.get_waiter_model(service)
        except botocore.exceptions.UnknownServiceError:
            continue  # it has no waiters
        outside[service] = []
        for name in model.waiter_names:
            operation = model.get_waiter(name).operation
            full = f"{service}.{name}"
            if not shop.simulates(service, xform_name(operation)):
                outside[service].append(f"{name} ({operation})")
            elif full in NEEDS and not shop.simulates(service, NEEDS[full]):
                outside[service].append(f"{name} (nothing to wait for without {NEEDS[full]})")
            elif full in REFUSED and (text := REFUSED[full](shop)):
                outside[service].append(f"{name} ({text})")
            elif report.check(f"there is a recipe for {full}", full in RECIPES):
                _try(report, shop, service, name, cli)
            tried.add(full)
    report.check("every recipe is of a waiter that there is", set(RECIPES) <= tried, set(RECIPES) - tried)
    return outside

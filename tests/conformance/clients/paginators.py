"""Every paginator of botocore whose operation is simulated, through boto3 and the AWS CLI.

A recipe gives the operation's arguments, and `least`: how many items must come. Where pages have a size the
smallest is asked for; then the pages must hold, together, what one large page holds, each item once.
"""
import json

import botocore.exceptions
import botocore.session
import jmespath
from botocore import xform_name
from shop import SERVICES, log_group, template
from waiters import bucket

RECIPES = {}


def recipe(paginator, least=3):
    def keep(prepare):
        RECIPES[paginator] = (prepare, least)
        return prepare
    return keep


def plain(paginator, least=3, **arguments):
    """A recipe for what needs nothing but what `furnish` made."""
    recipe(paginator, least)(lambda shop: arguments)


def furnish(shop):
    """Three of everything that listings list, and six where a page is not smaller than five."""
    for number in range(3):
        name = shop.name("plain")
        shop.ecs.create_cluster(clusterName=name)
        shop.definition()
        shop.ecs.create_service(cluster=shop.cluster, serviceName=name, taskDefinition=shop.cluster, desiredCount=0,
                                launchType="FARGATE", networkConfiguration=shop.network())
        shop.ecr.create_repository(repositoryName=name)
        shop.cloudwatch.put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}')
        shop.ssm.put_parameter(Name=f"/paged/{name}", Value="x", Type="String")
        shop.ssm.put_parameter(Name="/paged/again", Value=str(number), Type="String", Overwrite=True)
        shop.secretsmanager.create_secret(Name=name, SecretString="x")
        bucket(shop)
        vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": f"10.{100 + number}.0.0/16"}}
        other = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": f"10.{200 + number}.0.0/16"}}
        subnet = {"Type": "AWS::EC2::Subnet", "Properties": {
            "VpcId": {"Ref": "Vpc"}, "CidrBlock": f"10.{100 + number}.1.0/24"}}
        shop.finished_stack({"Vpc": vpc, "Other": other, "Subnet": subnet, "Logs": log_group()},
                            Outputs={"Id": {"Value": {"Ref": "Vpc"}, "Export": {"Name": shop.name("export")}}})


# ---- ecs -----------------------------------------------------------------------------------------

plain("ecs.ListClusters")
plain("ecs.ListContainerInstances", 0, cluster="shop-dev")
plain("ecs.ListTaskDefinitions")
plain("ecs.ListTaskDefinitionFamilies")
plain("ecs.ListServices", cluster="shop-dev")
plain("ecs.ListAccountSettings", effectiveSettings=True)


@recipe("ecs.ListTasks")
def _(shop):
    for _ in range(3):
        shop.task(startedBy="paginator")
    return {"cluster": shop.cluster, "startedBy": "paginator"}


# ---- ecr -----------------------------------------------------------------------------------------

plain("ecr.DescribeRepositories")
plain("ecr.DescribePullThroughCacheRules", 0)


def _images(shop):
    manifest = shop.ecr.batch_get_image(repositoryName="shop", imageIds=[{"imageTag": "v1"}])["images"][0]
    for _ in range(3):
        shop.ecr.put_image(repositoryName="shop", imageManifest=manifest["imageManifest"], imageTag=shop.name("tag"))
    shop.server.control("image", name=f"shop:{shop.name('made')}", start=1)
    shop.server.control("image", name=f"shop:{shop.name('made')}", start=2)
    return {"repositoryName": "shop"}


recipe("ecr.ListImages")(_images)
recipe("ecr.DescribeImages")(_images)


@recipe("ecr.DescribeImageScanFindings")
def _(shop):
    image = {"repositoryName": "shop", "imageId": {"imageTag": "v1"}}
    shop.ecr.start_image_scan(**image)
    shop.ecr.get_waiter("image_scan_complete").wait(**image, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})
    return image



@recipe("ecr.GetLifecyclePolicyPreview", 2)
def _(shop):
    rule = {"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
            "action": {"type": "expire"}, "description": "x" * 100}
    shop.ecr.start_lifecycle_policy_preview(repositoryName="shop", lifecyclePolicyText=json.dumps({"rules": [rule]}))
    shop.ecr.get_waiter("lifecycle_policy_preview_complete").wait(
        repositoryName="shop", WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})
    return {"repositoryName": "shop"}


# ---- elbv2 ---------------------------------------------------------------------------------------

@recipe("elbv2.DescribeLoadBalancers", 2)
def _(shop):
    subnets = [subnet["SubnetId"] for subnet in shop.ec2.describe_subnets()["Subnets"][:2]]
    shop.elbv2.create_load_balancer(Name=shop.name("balancer"), Subnets=subnets)
    return {}


@recipe("elbv2.DescribeTargetGroups")
def _(shop):
    vpc = shop.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    for _ in range(2):
        shop.elbv2.create_target_group(Name=shop.name("group"), Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
    return {}


def _balancer(shop):
    return next(each["LoadBalancerArn"] for each in shop.elbv2.describe_load_balancers()["LoadBalancers"]
                if each["LoadBalancerName"].startswith("shop-dev"))


def _listener(shop):
    shop.numbers += 1
    fixed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    return shop.elbv2.create_listener(LoadBalancerArn=_balancer(shop), Protocol="HTTP", Port=8000 + shop.numbers,
                                      DefaultActions=fixed)["Listeners"][0]["ListenerArn"]


@recipe("elbv2.DescribeListeners")
def _(shop):
    _listener(shop)
    _listener(shop)
    return {"LoadBalancerArn": _balancer(shop)}


@recipe("elbv2.DescribeRules")
def _(shop):
    listener = _listener(shop)
    for priority in (1, 2):
        shop.elbv2.create_rule(ListenerArn=listener, Priority=priority,
                               Conditions=[{"Field": "path-pattern", "Values": [f"/{priority}/*"]}],
                               Actions=[{"Type": "forward", "TargetGroupArn": shop.group()}])
    return {"ListenerArn": listener}


# ---- logs ----------------------------------------------------------------------------------------

plain("logs.DescribeLogGroups")


def _streams(shop):
    group = shop.name("group")
    shop.logs.create_log_group(logGroupName=group)
    for number in range(3):
        shop.logs.create_log_stream(logGroupName=group, logStreamName=f"stream-{number}")
        now = int(shop.server.control("now")["now"] * 1000)
        shop.logs.put_log_events(logGroupName=group, logStreamName=f"stream-{number}", logEvents=[
            {"timestamp": now, "message": f"line {number}"}, {"timestamp": now + 1, "message": f"next {number}"}])
    # A line is found a few seconds after it was written.
    shop.until(lambda: len(shop.logs.filter_log_events(logGroupName=group)["events"]) == 6)
    return {"logGroupName": group}


recipe("logs.DescribeLogStreams")(_streams)
recipe("logs.FilterLogEvents", 6)(_streams)


@recipe("logs.DescribeMetricFilters")
def _(shop):
    group = shop.name("group")
    shop.logs.create_log_group(logGroupName=group)
    for number in range(3):
        shop.logs.put_metric_filter(
            logGroupName=group, filterName=f"filter-{number}", filterPattern="error",
            metricTransformations=[{"metricName": "errors", "metricNamespace": "Shop", "metricValue": "1"}])
    return {"logGroupName": group}


@recipe("logs.DescribeQueries")
def _(shop):
    group = _streams(shop)["logGroupName"]
    now = int(shop.server.control("now")["now"])
    for _ in range(3):
        shop.logs.start_query(logGroupName=group, startTime=now - 3600, endTime=now, queryString="fields @message")
    shop.until(lambda: all(query["status"] == "Complete" for query in
                           shop.logs.describe_queries(logGroupName=group)["queries"]))
    return {"logGroupName": group}


# ---- cloudwatch ----------------------------------------------------------------------------------

plain("cloudwatch.DescribeAlarms")
plain("cloudwatch.ListDashboards")
plain("cloudwatch.ListMetrics")


@recipe("cloudwatch.DescribeAlarmHistory")
def _(shop):
    alarm = shop.cloudwatch.describe_alarms()["MetricAlarms"][0]["AlarmName"]
    for state in ("ALARM", "OK", "ALARM"):
        shop.cloudwatch.set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="tried")
    return {"AlarmName": alarm}


@recipe("cloudwatch.GetMetricData", 10)
def _(shop):
    now = shop.server.control("now")["now"]
    metric = {"Namespace": "AWS/ECS", "MetricName": "CPUUtilization", "Dimensions": [
        {"Name": "ClusterName", "Value": shop.cluster}, {"Name": "ServiceName", "Value": shop.service}]}
    return {"StartTime": int(now) - 1800, "EndTime": int(now), "MetricDataQueries": [
        {"Id": "cpu", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"}}]}


# ---- ssm, secretsmanager -------------------------------------------------------------------------

plain("ssm.DescribeParameters")
plain("ssm.GetParametersByPath", Path="/paged", Recursive=True)
plain("ssm.GetParameterHistory", Name="/paged/again")
plain("secretsmanager.ListSecrets")


# ---- cloudformation ------------------------------------------------------------------------------

plain("cloudformation.DescribeStacks")
plain("cloudformation.ListStacks")
plain("cloudformation.ListExports")


@recipe("cloudformation.DescribeChangeSet")
def _(shop):
    stack = shop.name("stack")
    shop.cloudformation.create_change_set(
        StackName=stack, ChangeSetName="change", ChangeSetType="CREATE",
        TemplateBody=template({f"Logs{number}": log_group() for number in range(3)}))
    shop.cloudformation.get_waiter("change_set_create_complete").wait(
        StackName=stack, ChangeSetName="change", WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})
    return {"StackName": stack, "ChangeSetName": "change"}


def _stack(shop):
    return {"StackName": shop.finished_stack({f"Logs{number}": log_group() for number in range(3)})}


recipe("cloudformation.DescribeStackEvents", 8)(_stack)
recipe("cloudformation.ListStackResources")(_stack)


@recipe("cloudformation.ListChangeSets")
def _(shop):
    stack = shop.finished_stack({"Logs": log_group()})
    for number in range(3):
        shop.cloudformation.create_change_set(
            StackName=stack, ChangeSetName=f"change-{number}", ChangeSetType="UPDATE",
            TemplateBody=template({"Logs": log_group(), f"More{number}": log_group()}))
    return {"StackName": stack}


# ---- s3 ------------------------------------------------------------------------------------------

def _objects(shop):
    name = bucket(shop)
    for key in ("a/one", "a/two", "b/three", "four", "fünf +&"):
        shop.s3.put_object(Bucket=name, Key=key, Body=b"x")
    return {"Bucket": name}


for _operation in ("ListObjectVersions", "ListObjects", "ListObjectsV2"):
    recipe(f"s3.{_operation}", 5)(_objects)
plain("s3.ListBuckets")


# ---- iam -----------------------------------------------------------------------------------------

def _role(shop):
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]}
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}]}
    name = shop.name("role")
    shop.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(policy),
                         Tags=[{"Key": f"key-{number}", "Value": "x"} for number in range(3)])
    for number in range(3):
        shop.iam.put_role_policy(RoleName=name, PolicyName=f"inline-{number}", PolicyDocument=json.dumps(allow))
        made = shop.iam.create_policy(PolicyName=shop.name("policy"), PolicyDocument=json.dumps(allow))
        shop.iam.attach_role_policy(RoleName=name, PolicyArn=made["Policy"]["Arn"])
    return {"RoleName": name}


plain("iam.ListAccountAliases", 0)
plain("iam.ListRoles", 2)
for _operation in ("ListAttachedRolePolicies", "ListRolePolicies", "ListRoleTags"):
    recipe(f"iam.{_operation}")(_role)


@recipe("iam.SimulatePrincipalPolicy")
def _(shop):
    role = shop.iam.list_roles()["Roles"][0]["Arn"]
    return {"PolicySourceArn": role, "ActionNames": ["ecs:UpdateService", "ecs:RunTask", "ecr:PutImage"]}


# ---- ec2 -----------------------------------------------------------------------------------------

plain("ec2.DescribeVpcs", 7)
plain("ec2.DescribeSubnets", 6)
plain("ec2.DescribeSecurityGroups", 8)
plain("ec2.DescribeRouteTables", 1)
plain("ec2.DescribeInternetGateways", 1)
plain("ec2.DescribeNatGateways", 0)
plain("ec2.DescribeVpcEndpoints", 0)


@recipe("ec2.DescribeNetworkInterfaces", 6)
def _(shop):
    for _ in range(4):
        shop.task()
    return {}


# ---- application-autoscaling ---------------------------------------------------------------------

def _scaled(shop):
    """Three more services that are scaled, each with a policy and a scheduled action."""
    services = [arn.rsplit("/", 1)[1] for arn in shop.ecs.list_services(cluster=shop.cluster)["serviceArns"]]
    for service in [name for name in services if name.startswith("plain")][:3]:
        target = {"ServiceNamespace": "ecs", "ResourceId": f"service/{shop.cluster}/{service}",
                  "ScalableDimension": "ecs:service:DesiredCount"}
        shop.application_autoscaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2)
        shop.application_autoscaling.put_scaling_policy(
            **target, PolicyName="cpu", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 50.0,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}})
        shop.application_autoscaling.put_scheduled_action(
            **target, ScheduledActionName="nightly", Schedule="rate(1 day)",
            ScalableTargetAction={"MinCapacity": 1, "MaxCapacity": 1})
    return {"ServiceNamespace": "ecs"}


for _operation in ("DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScheduledActions"):
    recipe(f"application-autoscaling.{_operation}")(_scaled)


@recipe("application-autoscaling.DescribeScalingActivities", 2)
def _(shop):
    """Raising the minimum of what has too few tasks is an activity."""
    for minimum in (3, 4):
        shop.application_autoscaling.register_scalable_target(
            ServiceNamespace="ecs", ResourceId=f"service/{shop.cluster}/{shop.service}",
            ScalableDimension="ecs:service:DesiredCount", MinCapacity=minimum, MaxCapacity=4)
        shop.until(lambda: shop.ecs.describe_services(cluster=shop.cluster, services=[shop.service])
                   ["services"][0]["desiredCount"] >= minimum)
    return {"ServiceNamespace": "ecs"}


# ---- running -------------------------------------------------------------------------------------

# Where one item is told in parts on several pages: what is told once.
ATOMS = {"cloudwatch.GetMetricData": ["MetricDataResults[].Values[]"]}


def _items(pages, keys):
    """Each item as text, in order."""
    found = []
    for page in pages:
        for key in keys:
            found += [json.dumps(item, sort_keys=True, default=str) for item in key.search(page) or []]
    return found


def _smallest(client, operation, limit):
    """The smallest page that the operation gives, or None when pages have no size."""
    if not limit:
        return None
    shape = client.meta.service_model.operation_model(operation).input_shape.members[limit]
    return max(shape.metadata.get("min", 1), 1)


def _check_pages(report, shop, service, operation, config, arguments, least):
    client, claim = shop.client(service), f"boto3 {service}.{xform_name(operation)}"
    keys = config["result_key"] if isinstance(config["result_key"], list) else [config["result_key"]]
    keys = [jmespath.compile(key) for key in ATOMS.get(f"{service}.{operation}", keys)]
    size = _smallest(client, operation, config.get("limit_key"))
    paginator = client.get_paginator(xform_name(operation))
    whole = _items(paginator.paginate(**arguments), keys)
    report.check(f"{claim} gives at least {least}", len(whole) >= least, f"{len(whole)} items")
    if size is None:
        return
    pages = list(paginator.paginate(**arguments, PaginationConfig={"PageSize": size}))
    found = _items(pages, keys)
    report.check(f"{claim} gives in pages of {size} what it gives in one", found == whole,
                 f"{len(found)} items against {len(whole)}: {found[:8]} against {whole[:8]}")
    if least > size:
        report.check(f"{claim} gives more than one page", len(pages) > 1, f"{len(pages)} pages")


def _check_cli(report, service, operation, config, arguments, least, cli):
    command, word = "s3api" if service == "s3" else service, xform_name(operation, "-")
    key = config["result_key"] if isinstance(config["result_key"], str) else config["result_key"][0]
    key = ATOMS.get(f"{service}.{operation}", [key])[0]
    code, text = cli(command, word, "--cli-input-json", json.dumps(arguments))
    found = jmespath.search(key, json.loads(text)) if code == 0 and text.strip() else []
    report.check(f"aws {command} {word}", code == 0 and len(found or []) >= least, text)


def _try(report, shop, service, operation, config, cli):
    prepare, least = RECIPES[f"{service}.{operation}"]
    try:
        arguments = prepare(shop)
        _check_pages(report, shop, service, operation, config, arguments, least)
        if cli:
            _check_cli(report, service, operation, config, arguments, least, cli)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, TimeoutError, LookupError) as problem:
        report.check(f"boto3 {service}.{xform_name(operation)}", False, f"{type(problem).__name__}: {problem}")


def run(report, shop, cli=None):
    """Runs them; arguments and result as waiters.run."""
    furnish(shop)
    session, outside, tried = botocore.session.Session(), {}, set()
    for service in SERVICES:
        try:
            model = session.get_paginator_model(service)
        except botocore.exceptions.UnknownServiceError:
            continue  # it has no paginators
        outside[service] = []
        # botocore has no public list of the paginators of a service.
        for operation, config in sorted(model._paginator_config.items()):
            full = f"{service}.{operation}"
            if not shop.simulates(service, xform_name(operation)):
                outside[service].append(operation)
            elif report.check(f"there is a recipe for {full}", full in RECIPES):
                _try(report, shop, service, operation, config, cli)
            tried.add(full)
    report.check("every recipe is of a paginator that there is", set(RECIPES) <= tried, set(RECIPES) - tried)
    return outside
